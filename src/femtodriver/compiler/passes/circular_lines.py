"""Keeps long delay lines in place: what moves is the position at which a line begins, not its elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeGuard

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.backend.core_map import buffer_bytes
from femtodriver.compiler.fmir.buffer_uses import users
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
    walk,
    writes,
)
from femtodriver.compiler.fmir.rewriting import doing_also, free_name
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.compiler.placement.core_loads import matrix_bytes
from femtodriver.isa import cycles
from femtodriver.isa.limits import BASE_REGISTERS, WORD_BITS
from femtodriver.part import Part

_WORD_BYTES = WORD_BITS // 8
_POSITION_BITS = 16
# Cycles that a line saves in a frame at least, and all lines of a core together after the cost of their positions.
LEAST_SAVING = 1

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
    """A delay line: the operation numbered ``moved`` moves it by ``step`` elements, ``fills`` bring the new ones.

    ``source``: where the new ones are copied from; None: they are made in the line. ``readers``: how many read it.
    """

    buffer: str
    moved: int
    fills: tuple[int, ...]
    step: int
    source: View | None
    readers: int


def _lines(fmir: Fmir, core: int) -> Iterator[_Line]:
    """The delay lines of a core that only whole instructions outside of loops and conditions touch."""
    uses = users(fmir.ops)
    for moved, op in enumerate(fmir.ops):
        if op.core != core or not _is_plain_move(op):
            continue
        buffer, source = fmir.buffers[op.dst.buffer], op.a
        if not isinstance(source, View) or source.buffer != buffer.name or buffer.role is not Role.STATE:
            continue
        before = [fmir.ops[number] for number in uses[buffer.name] if number < moved]
        fills = tuple(number for number in uses[buffer.name] if number > moved)
        new = View(buffer.name, buffer.length - source.offset, source.offset)
        whole = (
            op.dst.offset == 0 and source.end == buffer.length and source.offset > 0 and _has_whole_words(buffer, new)
        )
        if whole and _cover([fmir.ops[number] for number in fills], new) and all(_only_reads(x, new) for x in before):
            first = fmir.ops[fills[0]]
            copied = first.a if len(fills) == 1 and _is_plain_move(first) and isinstance(first.a, View) else None
            yield _Line(buffer.name, moved, fills, new.length, copied if copied and copied.step else None, len(before))


def _is_plain_move(op: Op) -> TypeGuard[Vec]:
    return isinstance(op, Vec) and op.is_move and not op.shift_a and op.post == Post()


def _has_whole_words(buffer: Buffer, new: View) -> bool:
    """Whether the new elements are whole words, the line a multiple of them, and its end a position."""
    whole = new.length * buffer.bits % WORD_BITS == 0 == buffer.length % new.length
    return whole and buffer.length * buffer.bits // WORD_BITS < 1 << (_POSITION_BITS - 1)


def _cover(ops: Sequence[Op], new: View) -> bool:
    """Whether simple operations write the new elements in order, and touch nothing else of the line."""
    end = new.offset
    for op in ops:
        if isinstance(op, (Send, Loop, If)) or any(view.buffer == new.buffer for view in reads(op)):
            return False
        if op.dst.offset != end:
            return False
        end = op.dst.end
    return end == new.end


def _only_reads(op: Op, new: View) -> bool:
    return not isinstance(op, (Send, Loop, If)) and all(view.buffer != new.buffer for view in writes(op))


def _worthwhile(fmir: Fmir, part: Part, lines: Sequence[_Line]) -> list[_Line]:
    """Those that save most, as many as there are base registers; none if all of them save no more than they cost."""
    savings = {line: _saving(fmir, part, line) for line in lines}
    long = [line for line in lines if savings[line] >= LEAST_SAVING]
    best = sorted(long, key=lambda line: -savings[line])[: BASE_REGISTERS - 1]
    saved = sum(savings[line] for line in best) - _MOVE_POSITIONS
    return sorted(best, key=lines.index) if saved >= LEAST_SAVING else []


def _saving(fmir: Fmir, part: Part, line: _Line) -> int:
    """Cycles that a frame takes less when the line is circular, without what moving positions costs."""
    buffer = fmir.buffers[line.buffer]
    moved = buffer.length - line.step
    move = _NEXT_VECTOR + max(ceil(moved / part.lanes), moved * buffer.bits // WORD_BITS)
    copy = _NEXT_VECTOR + max(ceil(line.step / part.lanes), line.step * buffer.bits // WORD_BITS // 2)
    copies = 1 if line.source is not None else 2
    return move - copies * copy - cycles.START_VECTOR - _NOT_AHEAD - line.readers * cycles.READ_AHEAD


def _room(fmir: Fmir, part: Part, core: int) -> int:
    """Bytes of data memory that are certainly left on a core."""
    matrices = {name for op in walk(fmir.ops) if isinstance(op, Mac) and op.core == core for name, _ in op.parts}
    weights = sum(matrix_bytes(fmir.matrices[name]) for name in matrices)
    positions = 4 * _WORD_BYTES * BASE_REGISTERS
    buffers = sum(buffer_bytes(buffer) for buffer in fmir.buffers.values() if buffer.core == core)
    return part.dm_bytes - weights - positions - buffers


def _with_circular(fmir: Fmir, core: int, lines: Sequence[_Line]) -> Fmir:
    """These lines as circular buffers, with the operations that move their positions on."""
    positions = _Positions(core, [(fmir.buffers[line.buffer], line.step) for line in lines])
    buffers = {**fmir.buffers, **positions.buffers()}
    ops: dict[int, tuple[Op, ...]] = {number: (op,) for number, op in enumerate(fmir.ops)}
    for number, line in enumerate(lines):
        buffer = fmir.buffers[line.buffer]
        buffers[line.buffer] = replace(buffer, position=View(positions.name, number, 1))
        source = line.source
        if source is None:
            fresh = Buffer(free_name(f"{buffer.name}.new", buffers), line.step, buffer.bits, Role.TEMP, core)
            buffers[fresh.name], source = fresh, View(fresh.name, 0, line.step)
        last = line.fills[-1]
        delay = Delay(View(buffer.name, 0, buffer.length), source, fmir.ops[last].layer, core)
        delay = doing_also(delay, (fmir.ops[line.moved], fmir.ops[last]))
        kept = () if line.source is not None else line.fills
        ops[line.moved] = ops[last] = ()
        ops |= {fill: (_made_in(fmir.ops[fill], source, buffer.length - line.step),) for fill in kept}
        ops[last] = (*ops[last], delay)
    end = max(line.fills[-1] for line in lines)
    ops[end] = (*ops[end], *positions.moves(fmir.ops[end].layer))
    return fmir.with_ops(tuple(op for number in sorted(ops) for op in ops[number]), buffers)


def _made_in(op: Op, fresh: View, offset: int) -> Op:
    """The operation with its result in another buffer, ``offset`` elements nearer to the beginning."""
    if isinstance(op, (Loop, If)):
        raise TypeError("only simple operations bring new elements")
    first = op.dst.offset - offset
    return replace(op, dst=fresh.part(first, first + op.dst.length))


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

    def _buffer(self, suffix: str, role: Role, bits: int = _POSITION_BITS, init: Int64Array | None = None) -> Buffer:
        return Buffer(self.name + suffix, len(self.lines), bits, role, self.core, init)


PASS = Pass(
    "circular-lines",
    circular_lines,
    Switch("circular_lines", "leave long delay lines in place and move the positions at which they begin"),
    placed=True,
)
