"""FMIR operations -> lines of code. Loops and conditions become branches and labels, all else instructions alone."""

from __future__ import annotations

from collections.abc import Iterable

from femtodriver.compiler.backend.core_map import CoreMap
from femtodriver.compiler.backend.cursor_registers import CursorRegisters
from femtodriver.compiler.backend.select_instructions import InstructionSelector
from femtodriver.compiler.backend.symbolic_program import CodeLine, Label
from femtodriver.compiler.fmir.ir import Cursor, Fmir, If, Loop, Op, Send, touches, walk
from femtodriver.errors import UnsupportedError
from femtodriver.isa import SPECS, ControlInstruction, ElementInstruction, Instruction
from femtodriver.isa.limits import BASE_REGISTERS, MAX_BASE_VALUE, MAX_INSTRUCTION_WORDS

Lines = list[CodeLine | Label]
Moving = list[tuple[Cursor, int]]
"""Cursors of a loop, each with the bytes of an element that it walks through; one entry for each size."""


class LineEmitter:
    """Makes the code of one core."""

    def __init__(self, fmir: Fmir, places: CoreMap, *, late_bias: bool = True) -> None:
        self.fmir = fmir
        self._registers = CursorRegisters()
        self._selector = InstructionSelector(fmir, places, self._registers, late_bias=late_bias)
        self._core = places.core
        self._labels = 0

    def lines(self, op: Op) -> Lines:
        """The lines of an operation, in order. UnsupportedError for a loop that nothing can hold."""
        if isinstance(op, (Loop, If)):
            self._registers.forget_circular()  # before the counters and cursors of loops take registers
            return self._loop(op) if isinstance(op, Loop) else self._if(op)
        if isinstance(op, Send):
            raise TypeError("a message is sent between threads, not inside one")
        instructions = [*self._beginnings(op), *self._selector.instructions(op)]
        return [CodeLine(instruction, op.layer) for instruction in instructions]

    def _beginnings(self, op: Op) -> Iterable[Instruction]:
        """Brings the beginnings of all circular buffers into registers before an operation needs one of them."""
        if any(self.fmir.buffers[view.buffer].position is not None for view in touches(op)):
            for buffer in self.fmir.buffers.values():
                if buffer.position is None or buffer.core != self._core:
                    continue
                register = self._registers.load_circular(buffer.name)
                if register is not None:
                    yield self._selector.load_beginning(buffer.position, register)

    def _block(self, ops: Iterable[Op]) -> Lines:
        return [line for op in ops for line in self.lines(op)]

    def _loop(self, op: Loop) -> Lines:
        """Counted in a register; unrolled if there are too few for the counter and the cursors."""
        moving = [(cursor, size) for cursor in op.cursors for size in _sizes(self.fmir, op, cursor.name)]
        self._registers.enter(op)
        if len(moving) < self._registers.free():
            return self._counted(op, moving)
        return self._unrolled(op, moving)

    def _counted(self, op: Loop, moving: Moving) -> Lines:
        self._need(op.count <= MAX_BASE_VALUE, op)
        registers = self._registers
        counter = registers.take()
        start = [_control("setb", op.layer, register=counter, value=op.count)]
        step = []
        for cursor, size in moving:
            register, parent = registers.take(), registers.parent_register(cursor, size)
            registers.bind(cursor, size, register)
            start.append(_control("movb", op.layer, register=register, source=parent))
            step.append(_control("addb", op.layer, register=register, value=cursor.stride * size))
        again = self._label("loop")
        end = CodeLine(ControlInstruction(SPECS["loop"], register=counter), op.layer, again.name)
        lines = [*start, again, *self._block(op.body), *step, end]
        for cursor, size in moving:
            registers.give_back(registers.unbind(cursor, size))
        registers.give_back(counter)
        return lines

    def _unrolled(self, op: Loop, moving: Moving) -> Lines:
        """Iteration after iteration: the cursors' positions go into the addresses."""
        for cursor, size in moving:
            self._registers.bind(cursor, size, self._registers.parent_register(cursor, size))
        lines: Lines = []
        for _ in range(op.count):
            lines += self._block(op.body)
            self._registers.advance(op)
            self._need(len(lines) <= MAX_INSTRUCTION_WORDS, op)
        return lines

    def _if(self, op: If) -> Lines:
        otherwise, end = self._label("else"), self._label("end")
        condition = self._selector.condition(op.condition)
        test = CodeLine(ElementInstruction(SPECS["bez"], condition), op.layer, otherwise.name)
        jump = CodeLine(ControlInstruction(SPECS["jump"]), op.layer, end.name)
        if not op.orelse:
            return [test, *self._block(op.then), otherwise]
        return [test, *self._block(op.then), jump, otherwise, *self._block(op.orelse), end]

    def _label(self, kind: str) -> Label:
        self._labels += 1
        return Label(f"{kind}{self._labels}@core{self._core}")

    def _need(self, condition: bool, op: Loop) -> None:
        if not condition:
            raise UnsupportedError(
                f"layer {self.fmir.layers[op.layer].name!r}: the loop must have fewer than {MAX_BASE_VALUE + 1} "
                f"iterations, and with the loops around it need at most {BASE_REGISTERS - 1} registers "
                "(a counter each, and one for each stride and element width), or at most "
                f"{MAX_INSTRUCTION_WORDS} instructions unrolled. "
                "Nest fewer loops, or slice fewer values of different widths."
            )


def _control(name: str, layer: int, **fields: int) -> CodeLine:
    return CodeLine(ControlInstruction(SPECS[name], **fields), layer)


def _sizes(fmir: Fmir, loop: Loop, cursor: str) -> list[int]:
    """Bytes per element of everything that this cursor, or a cursor that starts from it, walks through."""
    family = {cursor}
    for op in walk(loop.body):
        if isinstance(op, Loop):
            family |= {inner.name for inner in op.cursors if inner.parent in family}
    views = [view for op in walk(loop.body) for view in touches(op) if view.cursor in family]
    return sorted({fmir.buffers[view.buffer].bits // 8 for view in views})
