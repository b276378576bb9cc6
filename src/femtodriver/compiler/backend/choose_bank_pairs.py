"""Which pair of banks each buffer is in: two streams of one instruction run side by side in different pairs.

A pair gives two words per cycle, which is one stream of 16-bit elements. Values that one instruction reads or writes
together are kept apart, those with the most to lose first; so are a result and what the next instruction reads, which
then starts ahead. Banks that hold nothing are off, so that each pair must be worth its power: another one is taken
where it saves a fiftieth of the cycles of all vectors, and more than a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import ceil

from femtodriver.compiler.fmir.ir import Delay, Fmir, Interp, Look, Loop, Mac, Op, Products, Vec, View, bodies
from femtodriver.isa import cycles
from femtodriver.isa.limits import ACCUMULATOR_BITS, WORD_BITS
from femtodriver.part import Part

_LEAST_SAVING, _LEAST_CYCLES = 0.02, 8


def choose_bank_pairs(fmir: Fmir, part: Part, core: int, movable: Collection[str]) -> Mapping[str, int]:
    """A pair for each of the ``movable`` buffers, which are in data memory of this core."""
    frame = _frame(fmir, part, core, movable)
    best, lost = frame.spread(movable, 1)
    for count in range(2, part.dm_banks // 2 + 1):
        pairs, still_lost = frame.spread(movable, count)
        if lost - still_lost >= max(_LEAST_SAVING * (frame.cycles + lost), _LEAST_CYCLES):
            best, lost = pairs, still_lost
    return best


@dataclass
class _Frame:
    """Cycles of a frame: those of vectors, and those that two buffers lose by standing in one pair."""

    cycles: int = 0
    lost: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def add(self, one: str, other: str, count: int) -> None:
        """The two lose so many cycles more."""
        self.lost[one][other] += count
        self.lost[other][one] += count

    def spread(self, names: Collection[str], count: int) -> tuple[dict[str, int], int]:
        """The buffers over ``count`` pairs, and the cycles that they still lose."""
        pairs, placed, total = dict.fromkeys(names, 0), set[str](), 0
        for name in sorted(self.lost, key=lambda name: -sum(self.lost[name].values())):
            lost = [0] * count
            for other, cost in self.lost[name].items():
                if other in placed:
                    lost[pairs[other]] += cost
            pairs[name] = lost.index(min(lost))
            total += min(lost)
            placed.add(name)
        return pairs, total


def _frame(fmir: Fmir, part: Part, core: int, movable: Collection[str]) -> _Frame:
    frame = _Frame()
    before = ""  # the buffer that the operation before has written, if the next one can start ahead of its end
    for op, times in _with_iterations(fmir.ops, 1):
        if op.core != core:
            continue
        for name in {view.buffer for view in _first_reads(op)} & set(movable):
            if before in movable and name != before and fmir.buffers[name].position is None:
                frame.add(before, name, times * cycles.READ_AHEAD)
        before = op.dst.buffer if isinstance(op, (Vec, Mac, Products, Look, Interp)) else ""
        for steps, views in _instructions(fmir, part, op):
            frame.cycles += times * (cycles.START_VECTOR + steps)
            words = {view.buffer: _words(fmir, view) for view in views if view.step and view.buffer in movable}
            for one, other in combinations(words, 2):
                together = max(steps, ceil((words[one] + words[other]) / 2))
                apart = max(steps, ceil(max(words[one], words[other]) / 2))
                if together > apart:
                    frame.add(one, other, times * (together - apart))
    return frame


def _first_reads(op: Op) -> tuple[View, ...]:
    """What the first instruction of an operation reads, if it streams elements."""
    if isinstance(op, Mac):
        return tuple(x for _, x in op.parts[:1])
    if isinstance(op, Products):
        return tuple(operand for operand in op.factors[0] if isinstance(operand, View))
    return op.reads if isinstance(op, (Vec, Look, Interp)) else ()


def _with_iterations(ops: Iterable[Op], times: int) -> Iterator[tuple[Op, int]]:
    """All operations, and how often each of them runs in a frame."""
    for op in ops:
        yield op, times
        for body in bodies(op):
            yield from _with_iterations(body, times * (op.count if isinstance(op, Loop) else 1))


def _instructions(fmir: Fmir, part: Part, op: Op) -> Iterator[tuple[int, tuple[View, ...]]]:
    """Cycles that the lanes need for each vector instruction of an operation, and the views that it streams."""
    if isinstance(op, Delay):
        yield ceil(op.a.length / part.lanes), (op.a, op.dst.part(0, op.a.length))
    if isinstance(op, Vec):
        passes = _passes(fmir, op.a, op.b, op.spec.first_bits) if op.spec.multiplies else 1
        yield ceil(op.dst.length / part.lanes) * passes, (*op.reads, op.dst)
    if isinstance(op, Products):
        for a, b in op.factors:
            yield ceil(op.dst.length / part.lanes) * _passes(fmir, a, b), (a, b) if isinstance(b, View) else (a,)
    if isinstance(op, (Mac, Products)):
        yield ceil(op.dst.length / part.lanes), (op.dst, op.bias) if isinstance(op.bias, View) else (op.dst,)


def _passes(fmir: Fmir, a: View | int, b: View | int, first_bits: int = ACCUMULATOR_BITS) -> int:
    widths = [fmir.buffers[x.buffer].bits if isinstance(x, View) else x.bit_length() + 1 for x in (a, b)]
    return cycles.passes(min(widths[0], first_bits), widths[1])


def _words(fmir: Fmir, view: View) -> int:
    return ceil(view.length * fmir.buffers[view.buffer].bits / WORD_BITS)
