"""FMIR operations -> instructions, with the places of one core filled in."""

from __future__ import annotations

from collections.abc import Iterable

from femtodriver.compiler.backend.core_map import CoreMap
from femtodriver.compiler.backend.symbolic_program import Label, Line
from femtodriver.compiler.fmir.ir import (
    Cursor,
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Op,
    Post,
    Send,
    Vec,
    View,
    touches,
    walk,
)
from femtodriver.errors import UnsupportedError
from femtodriver.isa import (
    SPECS,
    Clip,
    ControlInstruction,
    ElementInstruction,
    Instruction,
    InterpolateInstruction,
    LookupInstruction,
    MatrixInstruction,
    Operand,
    VectorInstruction,
    accumulator,
    immediate,
    limits,
    memory,
)

_CLIPS = {"none": Clip.NONE, "saturate": Clip.SATURATE, "low": Clip.LOW_BITS}


class Coder:
    """Makes the instructions of a core's operations, loops and conditions included."""

    def __init__(self, fmir: Fmir, places: CoreMap) -> None:
        self.fmir = fmir
        self.places = places
        self._free = list(range(limits.BASE_REGISTERS - 1, 0, -1))
        self._base: dict[tuple[str, int], int] = {}  # cursor, bytes per element -> register
        self._ahead: dict[str, int] = {}  # cursor -> elements from where its registers stand to where it stands
        self._labels = 0

    def lines(self, op: Op) -> list[Line | Label]:
        """The operation's lines in order."""
        if isinstance(op, Loop):
            return self._loop(op)
        if isinstance(op, If):
            return self._if(op)
        if isinstance(op, Send):
            raise TypeError("a message is sent between threads, not inside one")
        return [Line(instruction, op.layer) for instruction in self.instructions(op)]

    def _block(self, ops: Iterable[Op]) -> list[Line | Label]:
        return [line for op in ops for line in self.lines(op)]

    def _loop(self, op: Loop) -> list[Line | Label]:
        """Counter and cursors live in base registers; cursors count bytes, so each element width has its own."""
        moving = [(cursor, size) for cursor in op.cursors for size in _sizes(self.fmir, op, cursor.name)]
        for cursor in op.cursors:
            self._ahead[cursor.name] = self._ahead.get(cursor.parent, 0)
        if len(moving) >= len(self._free):
            return self._unrolled(op, moving)
        self._need(op.count <= limits.MAX_BASE_VALUE, op)
        counter = self._free.pop()
        start = [_control("setb", op.layer, register=counter, value=op.count)]
        step = []
        for cursor, size in moving:
            register = self._base[cursor.name, size] = self._free.pop()
            parent = self._base[cursor.parent, size] if cursor.parent else 0
            start.append(_control("movb", op.layer, register=register, source=parent))
            step.append(_control("addb", op.layer, register=register, value=cursor.stride * size))
        again = self._label("loop")
        end = Line(ControlInstruction(SPECS["loop"], register=counter), op.layer, again.name)
        lines = [*start, again, *self._block(op.body), *step, end]
        for cursor, size in moving:
            self._free.append(self._base.pop((cursor.name, size)))
        self._free.append(counter)
        return lines

    def _unrolled(self, op: Loop, moving: list[tuple[Cursor, int]]) -> list[Line | Label]:
        """Iteration after iteration, for want of registers: the cursors' positions go into the addresses."""
        for cursor, size in moving:
            self._base[cursor.name, size] = self._base[cursor.parent, size] if cursor.parent else 0
        lines: list[Line | Label] = []
        for _ in range(op.count):
            lines += self._block(op.body)
            for cursor in op.cursors:
                self._ahead[cursor.name] += cursor.stride
            self._need(len(lines) <= limits.MAX_INSTRUCTION_WORDS, op)
        return lines

    def _if(self, op: If) -> list[Line | Label]:
        otherwise, end = self._label("else"), self._label("end")
        condition = self._operand(op.condition, full=True)
        test = Line(ElementInstruction(SPECS["bez"], condition), op.layer, otherwise.name)
        jump = Line(ControlInstruction(SPECS["jump"]), op.layer, end.name)
        if not op.orelse:
            return [test, *self._block(op.then), otherwise]
        return [test, *self._block(op.then), jump, otherwise, *self._block(op.orelse), end]

    def _label(self, kind: str) -> Label:
        self._labels += 1
        return Label(f"{kind}{self._labels}@core{self.places.core}")

    def _need(self, condition: bool, op: Op) -> None:
        if not condition:
            raise UnsupportedError(
                f"layer {self.fmir.layers[op.layer].name!r}: the loop must have fewer than {limits.MAX_BASE_VALUE + 1} "
                f"iterations, and with the loops around it need at most {limits.BASE_REGISTERS - 1} registers "
                "(a counter each, and one for each stride and element width), or at most "
                f"{limits.MAX_INSTRUCTION_WORDS} instructions unrolled. "
                "Nest fewer loops, or slice fewer values of different widths."
            )

    def instructions(self, op: Vec | Look | Interp | Mac) -> list[Instruction]:
        """The operation's instructions in order."""
        if isinstance(op, Mac):
            return self._mac(op)
        chunks = range(0, op.dst.length, limits.MAX_VECTOR_ELEMENTS)
        pieces = [(first, min(first + limits.MAX_VECTOR_ELEMENTS, op.dst.length)) for first in chunks]
        if isinstance(op, Vec):
            return [self._vec(op, first, end) for first, end in pieces]
        if isinstance(op, Interp):
            return [self._interp(op, first, end) for first, end in pieces]
        return [self._look(op, first, end) for first, end in pieces]

    def _vec(self, op: Vec, first: int, end: int) -> VectorInstruction:
        full = not op.spec.multiplies
        return self._vector(
            op.op,
            self._operand(op.dst.part(first, end), full=True),
            self._side(op.a, first, end, full),
            self._side(op.b, first, end, full),
            end - first,
            (op.shift_a, op.shift_b),
            op.post,
            (_repeats(op.a), _repeats(op.b)),
        )

    def _vector(
        self,
        name: str,
        dst: Operand,
        a: Operand,
        b: Operand,
        length: int,
        shifts: tuple[int, int],
        post: Post,
        spreads: tuple[int, int],
    ) -> VectorInstruction:
        return VectorInstruction(
            SPECS[name],
            dst,
            a,
            b,
            length,
            shifts[0],
            shifts[1],
            post.shift,
            int(post.rounded),
            int(_CLIPS[post.clip]),
            post.bits if post.clip != "none" else 32,
            spreads[0],
            spreads[1],
        )

    def _look(self, op: Look, first: int, end: int) -> LookupInstruction:
        table = self.places.tables[op.table]
        return LookupInstruction(
            SPECS["lut"],
            self._operand(op.dst.part(first, end), full=True),
            self._operand(op.a.part(first, end), full=True),
            end - first,
            op.shift_a,
            op.bits,
            table.row,
            table.bank,
            table.ways,
        )

    def _interp(self, op: Interp, first: int, end: int) -> InterpolateInstruction:
        offset, slope = self.places.tables[op.offset], self.places.tables[op.slope]
        return InterpolateInstruction(
            SPECS["interp"],
            self._operand(op.dst.part(first, end), full=True),
            self._operand(op.a.part(first, end), full=False),
            end - first,
            op.shift_a,
            op.shift_b,
            op.post.shift,
            int(op.post.rounded),
            int(_CLIPS[op.post.clip]),
            op.post.bits if op.post.clip != "none" else 32,
            offset.row,
            offset.bank,
            slope.row,
            slope.bank,
            offset.ways,
        )

    def _mac(self, op: Mac) -> list[Instruction]:
        row = self.places.mac_row
        acc, zero = accumulator(row), immediate(0)
        length = op.dst.length
        fresh = op.bias == 0
        products = [self._matrix(name, x, row, fresh and not index) for index, (name, x) in enumerate(op.parts)]
        dst = self._operand(op.dst, full=True)
        end = self._vector("vpass", dst, acc, zero, length, (0, 0), op.post, (0, 0))
        if fresh:
            return [*products, end]
        bias = self._side(op.bias, 0, length, True)
        start = self._vector("vpass", acc, bias, zero, length, (op.bias_shift, 0), Post(), (_repeats(op.bias), 0))
        return [start, *products, end]

    def _matrix(self, name: str, x: View, row: int, fresh: bool) -> MatrixInstruction:
        matrix = self.fmir.matrices[name]
        return MatrixInstruction(
            SPECS["mac"],
            self._operand(x, full=True),
            row,
            matrix.columns,
            matrix.rows,
            self.places.weights[name],
            limits.WEIGHT_BITS.index(matrix.bits),
            int(matrix.form),
            self.places.masks[name],
            int(fresh),
        )

    def _side(self, value: View | int, first: int, end: int, full: bool) -> Operand:
        return immediate(value) if isinstance(value, int) else self._operand(value.part(first, end), full)

    def _operand(self, view: View, full: bool) -> Operand:
        """``full``: read all 64 bits of an accumulator; else only the buffer's width (a narrower multiplication)."""
        buffer = self.fmir.buffers[view.buffer]
        row = self.places.acc_row.get(view.buffer)
        if row is not None:
            return accumulator(row + view.offset // limits.GROUP_SIZE, limits.ACCUMULATOR_BITS if full else buffer.bits)
        base = self._base[view.cursor, buffer.bits // 8] if view.cursor else 0
        offset = view.offset + self._ahead.get(view.cursor, 0)
        return memory(self.places.address[view.buffer] + offset * buffer.bits // 8, buffer.bits, base)


def _repeats(value: View | int) -> int:
    return int(isinstance(value, View) and value.step == 0)


def _control(name: str, layer: int, **fields: int) -> Line:
    return Line(ControlInstruction(SPECS[name], **fields), layer)


def _sizes(fmir: Fmir, loop: Loop, cursor: str) -> list[int]:
    """Bytes per element of everything that this cursor, or a cursor that starts from it, walks through."""
    family = {cursor}
    for op in walk(loop.body):
        if isinstance(op, Loop):
            family |= {inner.name for inner in op.cursors if inner.parent in family}
    views = [view for op in walk(loop.body) for view in touches(op) if view.cursor in family]
    return sorted({fmir.buffers[view.buffer].bits // 8 for view in views})
