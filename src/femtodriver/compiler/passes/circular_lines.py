"""Keeps long delay lines in place: what moves is the position at which a line begins, not its elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from femtodriver.compiler.backend.core_map import buffer_bytes
from femtodriver.compiler.fmir.ir import (
    Buffer,
    Delay,
    Fmir,
    If,
    Loop,
    Mac,
    Op,
    Post,
    Role,
    Send,
    Vec,
    View,
    reads,
    touches,
    walk,
    writes,
)
from femtodriver.compiler.fmir.weight_groups import stored_words
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.isa import cycles
from femtodriver.isa.limits import BASE_REGISTERS, WORD_BITS
from femtodriver.part import Part

_WORD_BYTES = WORD_BITS // 8
_POSITION_BITS = 16
# A vector instruction that follows another one.
_NEXT_VECTOR = cycles.START_VECTOR - cycles.DECODE_AHEAD
# Moving the positions on: the sum, the comparison with the end and the product, one row each; the first and the last
# of them wait for memory.
_MOVE_POSITIONS = 3 * (_NEXT_VECTOR + 1)
# What follows an instruction of another kind does not start ahead.
_NOT_AHEAD = cycles.DECODE_AHEAD + cycles.READ_AHEAD


def circular_lines(fmir: Fmir, part: Part) -> Fmir:
    """Delay lines that are too long to be moved every frame are circular buffers.

    A line that is moved has as many reads and writes as it has words; a circular one has the new elements written
    twice. Its position costs a register load, and for all lines of a core three short instructions.
    """
    for core in sorted({buffer.core for buffer in fmir.buffers.values()}):
        lines = _worthwhile(fmir, part, list(_lines(fmir, core)))
        if lines and _room(fmir, part, core) >= sum(buffer_bytes(fmir.buffers[line.buffer]) for line in lines):
            fmir = _with_circular(fmir, core, lines)
    return fmir


@dataclass(frozen=True)
class _Line:
    """A delay line: the operation numbered ``moved`` moves it by ``step`` elements, ``filled`` brings the new ones."""

    buffer: str
    moved: int
    filled: int
    step: int


def _lines(fmir: Fmir, core: int) -> Iterator[_Line]:
    """The delay lines of a core that only whole instructions outside of loops and conditions touch."""
    uses = _uses(fmir, core)
    for moved, op in enumerate(fmir.ops):
        if op.core != core or not isinstance(op, Vec) or not _is_plain_move(op) or not isinstance(op.a, View):
            continue
        buffer, step = fmir.buffers[op.dst.buffer], op.a.offset
        if op.a.buffer != buffer.name or buffer.role is not Role.STATE or op.dst.offset or op.a.end != buffer.length:
            continue
        before = [number for number in uses[buffer.name] if number < moved]
        (filled, *others) = [number for number in uses[buffer.name] if number > moved] or [-1]
        line = _Line(buffer.name, moved, filled, step)
        if not others and _is_filled(fmir, line) and all(_only_reads(fmir.ops[number], line) for number in before):
            yield line


def _uses(fmir: Fmir, core: int) -> dict[str, list[int]]:
    """The numbers of the operations that touch each state of a core, bodies included, in order."""
    uses: dict[str, list[int]] = {name: [] for name, b in fmir.buffers.items() if b.role is Role.STATE}
    for number, op in enumerate(fmir.ops):
        for name in {view.buffer for entry in walk((op,)) for view in touches(entry)} & uses.keys():
            uses[name].append(number)
    return uses


def _is_plain_move(op: Op) -> bool:
    return isinstance(op, Vec) and op.is_move and not op.shift_a and op.post == Post()


def _is_filled(fmir: Fmir, line: _Line) -> bool:
    """Whether an operation brings the new elements, which are whole words, and the line is a multiple of them."""
    op, buffer = fmir.ops[line.filled], fmir.buffers[line.buffer]
    if line.filled < 0 or not isinstance(op, Vec) or not _is_plain_move(op) or not isinstance(op.a, View):
        return False
    whole = line.step * buffer.bits % WORD_BITS == 0 == buffer.length % line.step
    words = buffer.length * buffer.bits // WORD_BITS
    new = View(buffer.name, buffer.length - line.step, line.step)
    return (
        whole and words < 1 << (_POSITION_BITS - 1) and op.dst == new and op.a.buffer != buffer.name and op.a.step == 1
    )


def _only_reads(op: Op, line: _Line) -> bool:
    return not isinstance(op, (Send, Loop, If)) and all(view.buffer != line.buffer for view in writes(op))


def _worthwhile(fmir: Fmir, part: Part, lines: Sequence[_Line]) -> list[_Line]:
    """Those that save most, as many as there are base registers; none if all of them save no more than they cost."""
    savings = {line: _saving(fmir, part, line) for line in lines}
    best = sorted((line for line in lines if savings[line] > 0), key=lambda line: -savings[line])[: BASE_REGISTERS - 1]
    return sorted(best, key=lines.index) if sum(savings[line] for line in best) > _MOVE_POSITIONS else []


def _saving(fmir: Fmir, part: Part, line: _Line) -> int:
    """Cycles that a frame takes less when the line is circular, without what moving positions costs."""
    buffer = fmir.buffers[line.buffer]
    moved = buffer.length - line.step
    move = _NEXT_VECTOR + max(ceil(moved / part.lanes), moved * buffer.bits // WORD_BITS)
    again = _NEXT_VECTOR + max(ceil(line.step / part.lanes), line.step * buffer.bits // WORD_BITS // 2)
    readers = sum(any(view.buffer == line.buffer for view in reads(op)) for op in fmir.ops) - 1
    return move - again - cycles.START_VECTOR - _NOT_AHEAD - readers * cycles.READ_AHEAD


def _room(fmir: Fmir, part: Part, core: int) -> int:
    """Bytes of data memory that are certainly left on a core."""
    matrices = {name for op in walk(fmir.ops) if isinstance(op, Mac) and op.core == core for name, _ in op.parts}
    weights = sum(_WORD_BYTES * stored_words(fmir.matrices[name], fmir.matrices[name].form) for name in matrices)
    positions = 4 * _WORD_BYTES * BASE_REGISTERS
    buffers = sum(buffer_bytes(buffer) for buffer in fmir.buffers.values() if buffer.core == core)
    return part.dm_bytes - weights - positions - buffers


def _with_circular(fmir: Fmir, core: int, lines: Sequence[_Line]) -> Fmir:
    """These lines as circular buffers, with the operations that move their positions on."""
    positions = _Positions(core, [(fmir.buffers[line.buffer], line.step) for line in lines])
    buffers = {**fmir.buffers, **positions.buffers()}
    ops = dict(enumerate(fmir.ops))
    for number, line in enumerate(lines):
        buffer, new = buffers[line.buffer], ops[line.filled]
        buffers[line.buffer] = replace(buffer, position=View(positions.name, number, 1))
        del ops[line.moved]
        if isinstance(new, Vec) and isinstance(new.a, View):
            ops[line.filled] = Delay(View(line.buffer, 0, buffer.length), new.a, new.layer, core)
    last = max(line.filled for line in lines)
    moves = positions.moves(ops[last].layer)
    every = (entry for number, op in ops.items() for entry in ((op, *moves) if number == last else (op,)))
    return fmir.with_ops(tuple(every), buffers)


@dataclass(frozen=True)
class _Positions:
    """Where the lines of a core begin, in words; ``lines``: their buffers, with the elements that come in a frame."""

    core: int
    lines: Sequence[tuple[Buffer, int]]

    @property
    def name(self) -> str:
        """The state that holds them."""
        return f"positions@{self.core}"

    def buffers(self) -> dict[str, Buffer]:
        """The state, what is added in a frame, where the lines end, and two values on the way."""
        steps = [step * buffer.bits // WORD_BITS for buffer, step in self.lines]
        ends = [buffer.length * buffer.bits // WORD_BITS for buffer, _ in self.lines]
        table = (
            self._buffer("", Role.STATE, init=np.zeros(len(self.lines), np.int64)),
            self._buffer(".steps", Role.CONST, init=np.array(steps, np.int64)),
            self._buffer(".ends", Role.CONST, init=np.array(ends, np.int64)),
            self._buffer(".next", Role.TEMP),
            self._buffer(".inside", Role.TEMP, bits=8),
        )
        return {buffer.name: buffer for buffer in table}

    def moves(self, layer: int) -> tuple[Op, ...]:
        """Each position goes on by its step, or to 0 at the end of its line."""
        now, steps, ends, following, inside = (View(name, 0, len(self.lines)) for name in self.buffers())
        return (
            Vec("vadd", following, now, steps, layer=layer, core=self.core),
            Vec("vgt", inside, ends, following, layer=layer, core=self.core),
            Vec("vmul", now, following, inside, layer=layer, core=self.core),
        )

    def _buffer(self, suffix: str, role: Role, bits: int = _POSITION_BITS, init: np.ndarray | None = None) -> Buffer:
        return Buffer(self.name + suffix, len(self.lines), bits, role, self.core, init)


PASS = Pass(
    "circular-lines",
    circular_lines,
    Switch("circular_lines", "leave long delay lines in place and move the positions at which they begin"),
    placed=True,
)
