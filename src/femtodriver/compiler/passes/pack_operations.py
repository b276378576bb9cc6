"""Packing: many equal small operations on different vectors become one operation on a long vector.

An FFT is hundreds of operations on vectors of 8 or 16 elements; starting an instruction costs more than its work. Where
operations of one kind do not depend on each other, their results and operands are laid side by side, so that one
instruction does them all. What lies beside what is found from the last operations back to the first: an operation's
operands must lie in the order of its results.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import islice

import numpy as np

from femtodriver.compiler.fmir.ir import (
    Buffer,
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Op,
    Products,
    Role,
    Vec,
    View,
    reads,
    touches,
    walk,
    writes,
)
from femtodriver.compiler.fmir.rewriting import doing_also, with_operands, with_views
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.isa.limits import GROUP_SIZE, MAX_ELEMENT_BITS, MAX_MATRIX_COLUMNS
from femtodriver.part import Part

# Longer operations gain little from company.
MOST_ELEMENTS = 64
# The order of operations changes, which lengthens lifetimes: only worth it if at least this part of them vanishes.
LEAST_SAVING = 0.2

Small = Vec | Look | Interp | Products | Mac
_SMALL = (Vec, Look, Interp, Products, Mac)


def pack_operations(fmir: Fmir, part: Part) -> Fmir:
    """Equal small operations on different vectors are one operation."""
    before = _before(fmir.ops)
    levels = _levels(before)
    chains = _Chains(fmir)
    groups: dict[tuple[int, object], list[int]] = {}
    for index, op in enumerate(fmir.ops):
        if isinstance(op, _SMALL) and _is_small(op):
            groups.setdefault((-levels[index], _kind(op)), []).append(index)
    runs: list[list[int]] = []
    for key in sorted(groups, key=lambda key: key[0]):
        runs += [run for run in _runs(fmir, chains, groups[key]) if len(run) > 1]
    saved = sum(len(run) - 1 for run in runs)
    if saved < LEAST_SAVING * len(fmir.ops):
        return fmir
    return _packed(fmir, before, chains, runs)


def _is_small(op: Small) -> bool:
    alone = not isinstance(op, Mac) or (op.repeat == 1 and not op.dst.length % GROUP_SIZE)
    return op.dst.length <= MOST_ELEMENTS and alone


def _before(ops: tuple[Op, ...]) -> list[set[int]]:
    """Which operations must come before each: what it reads must be written, what it writes must have been read.

    What is written twice must be written in the same order.
    """
    written: dict[str, _Writes] = {}
    read: dict[str, set[int]] = {}
    before: list[set[int]] = []
    for index, op in enumerate(ops):
        inner = list(walk((op,)))
        uses = {view.buffer for entry in inner for view in reads(entry)}
        makes = [view for entry in inner for view in writes(entry)]
        found: set[int] = set().union(*(written[name].writers for name in uses if name in written))
        found.update(*(read.get(view.buffer, ()) for view in makes))
        for view in makes:
            found.update(written.setdefault(view.buffer, _Writes()).overlapping(view))
        before.append(found)
        for name in uses:
            read.setdefault(name, set()).add(index)
        for view in makes:
            written[view.buffer].add(index, view)
    return before


class _Writes:
    """The writes to one buffer so far: by their first elements, or anywhere if a cursor moves them."""

    def __init__(self) -> None:
        self.writers: set[int] = set()
        self._starts: list[tuple[int, int, int]] = []  # first element, end, writer
        self._anywhere: set[int] = set()
        self._longest = 0

    def add(self, writer: int, view: View) -> None:
        """Note a write."""
        self.writers.add(writer)
        if view.cursor:
            self._anywhere.add(writer)
        else:
            insort(self._starts, (view.offset, view.end, writer))
            self._longest = max(self._longest, view.end - view.offset)

    def overlapping(self, view: View) -> Iterator[int]:
        """Writers of some element of the view."""
        if view.cursor:
            yield from self.writers
            return
        yield from self._anywhere
        first = bisect_left(self._starts, (view.offset - self._longest, 0, 0))
        for start, end, writer in islice(self._starts, first, None):
            if start >= view.end:
                return
            if end > view.offset:
                yield writer


def _levels(before: list[set[int]]) -> list[int]:
    """Length of the longest way to each operation. Operations of one level do not depend on each other."""
    levels: list[int] = []
    for earlier in before:
        levels.append(max((levels[index] for index in earlier), default=0) + 1)
    return levels


def _kind(op: Small) -> object:
    """Operations of one kind differ in their vectors only."""
    if isinstance(op, Vec):
        numbers = tuple(value if isinstance(value, int) else None for value in (op.a, op.b))
        return (op.op, op.dst.length, numbers, op.shift_a, op.shift_b, op.post)
    if isinstance(op, Products):
        numbers = tuple(value if isinstance(value, int) else None for value in (op.bias, *(b for _, b in op.factors)))
        return ("products", op.dst.length, numbers, op.bias_shift, op.post)
    if isinstance(op, Mac):
        names = tuple(name for name, _ in op.parts)
        bias = op.bias if isinstance(op.bias, int) else None
        return ("mac", op.dst.length, names, bias, op.bias_shift, op.post)
    if isinstance(op, Look):
        return ("look", op.dst.length, op.table, op.shift_a, op.bits)
    return ("interp", op.dst.length, op.offset, op.slope, op.shift_a, op.shift_b, op.post)


@dataclass
class _Chain:
    """Buffers side by side."""

    members: list[str]


class _Chains:
    """Which temporaries lie beside which, so far."""

    def __init__(self, fmir: Fmir) -> None:
        self.buffers = fmir.buffers
        inside = {
            view.buffer for op in fmir.ops if isinstance(op, (Loop, If)) for e in walk((op,)) for view in touches(e)
        }
        temporary = {n for n, b in fmir.buffers.items() if b.role is Role.TEMP and b.bits <= MAX_ELEMENT_BITS}
        self._free = temporary - inside
        self._of: dict[str, _Chain] = {}

    def place(self, view: View) -> tuple[str, int]:
        """The first buffer of the view's chain, and the view's first element in the chain."""
        chain = self._of.get(view.buffer)
        if chain is None:
            return view.buffer, view.offset
        before = chain.members[: chain.members.index(view.buffer)]
        return chain.members[0], sum(self.buffers[name].length for name in before) + view.offset

    def is_const(self, view: View) -> bool:
        """Whether the view's values are known, so that it can be laid anywhere."""
        return self.buffers[view.buffer].role is Role.CONST

    def beside(self, first: View, second: View) -> bool:
        """Whether ``second`` begins where ``first`` ends, now."""
        (chain_a, start_a), (chain_b, start_b) = self.place(first), self.place(second)
        return chain_a == chain_b and start_a + first.length == start_b

    def can_join(self, first: View, second: View) -> bool:
        """Whether the buffers of the two views can still be laid so that ``second`` begins where ``first`` ends."""
        a, b = first.buffer, second.buffer
        if a == b or a not in self._free or b not in self._free or self.buffers[a].bits != self.buffers[b].bits:
            return False
        ends = first.end == self.buffers[a].length and second.offset == 0
        chain_a, chain_b = self._of.get(a), self._of.get(b)
        last = chain_a is None or chain_a.members[-1] == a
        first_of_b = chain_b is None or chain_b.members[0] == b
        return ends and last and first_of_b and (chain_a is None or chain_a is not chain_b)

    def join(self, first: View, second: View) -> None:
        """Lay them so."""
        chain = self._of.get(first.buffer) or _Chain([first.buffer])
        other = self._of.get(second.buffer) or _Chain([second.buffer])
        chain.members += other.members
        for name in chain.members:
            self._of[name] = chain

    def all(self) -> list[list[str]]:
        """Every chain once."""
        return [chain.members for chain in {id(chain): chain for chain in self._of.values()}.values()]


def _runs(fmir: Fmir, chains: _Chains, members: list[int]) -> list[list[int]]:
    """Operations of a kind in runs whose vectors lie side by side; joins what is still free."""
    ops = {index: op for index in members if isinstance(op := fmir.ops[index], _SMALL)}
    order = sorted(ops, key=lambda index: (*chains.place(ops[index].dst), index))
    runs: list[list[int]] = []
    for index in order:
        if runs and not _is_full(ops[runs[-1][0]], len(runs[-1])) and _extend(chains, ops[runs[-1][-1]], ops[index]):
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _is_full(first: Small, count: int) -> bool:
    """Whether ``count`` operations like this one are as many as may be one: so that one matrix could hold them all."""
    return isinstance(first, Mac) and any((count + 1) * x.length > MAX_MATRIX_COLUMNS for _, x in first.parts)


def _extend(chains: _Chains, before: Small, after: Small) -> bool:
    """Lay the vectors of ``after`` after those of ``before``; False if they cannot be."""
    pairs = [(before.dst, after.dst), *zip(before.reads, after.reads, strict=True)]
    if not all(_may_continue(chains, *pair) for pair in pairs):
        return False
    joins = [pair for pair in pairs if pair[0].step and not chains.is_const(pair[0]) and not chains.beside(*pair)]
    for first, second in dict.fromkeys(joins):
        if not chains.can_join(first, second):
            return False  # joins that contradict each other; what was joined before does no harm
        chains.join(first, second)
    return True


def _may_continue(chains: _Chains, first: View, second: View) -> bool:
    """Whether one long view could stand for both."""
    if first.step != second.step or chains.is_const(first) != chains.is_const(second):
        return False
    if not first.step:
        return first == second
    return chains.is_const(first) or chains.beside(first, second) or chains.can_join(first, second)


def _packed(fmir: Fmir, before: list[set[int]], chains: _Chains, runs: Iterable[list[int]]) -> Fmir:
    """Runs as one operation each, as early as their operands allow, chained buffers as one buffer each."""
    buffers = dict(fmir.buffers)
    ops = list(fmir.ops)
    small = {index: op for index, op in enumerate(fmir.ops) if isinstance(op, _SMALL)}
    leader = list(range(len(ops)))
    for run in runs:
        ops[min(run)] = _joined(buffers, [small[index] for index in run])
        for index in run:
            leader[index] = min(run)
    order = _ordered(before, leader)
    places: dict[str, tuple[str, int]] = {}
    for members in chains.all():
        name, start = f"pack:{members[0]}", 0
        for member in members:
            places[member] = (name, start)
            start += buffers[member].length
        buffers[name] = Buffer(name, start, buffers[members[0]].bits, Role.TEMP)

    def moved(view: View) -> View:
        name, start = places.get(view.buffer, (view.buffer, 0))
        return replace(view, buffer=name, offset=start + view.offset)

    return fmir.with_ops(tuple(with_views(ops[index], moved) for index in order), buffers)


def _ordered(before: list[set[int]], leader: list[int]) -> list[int]:
    """Leaders of runs (and operations that are alone), each after all that must precede it, else in the old order."""
    waits: dict[int, set[int]] = {}
    for index, earlier in enumerate(before):
        waits.setdefault(leader[index], set()).update(leader[one] for one in earlier)
    followers: dict[int, list[int]] = {}
    for index, earlier in waits.items():
        for one in earlier:
            followers.setdefault(one, []).append(index)
    left = {index: len(earlier) for index, earlier in waits.items()}
    ready = [index for index, count in left.items() if not count]  # in ascending order, which is a heap
    order: list[int] = []
    while ready:
        order.append(index := heappop(ready))
        for follower in followers.get(index, ()):
            left[follower] -= 1
            if not left[follower]:
                heappush(ready, follower)
    return order


def _joined(buffers: dict[str, Buffer], ops: list[Small]) -> Op:
    """One operation for all; views are still named after the first one's buffers (``_packed`` moves them)."""
    sides = iter([_side(buffers, list(views)) for views in zip(*(op.reads for op in ops), strict=True)])
    joined = with_operands(ops[0], _long([op.dst for op in ops]), lambda view: next(sides))
    joined = doing_also(joined, ops[1:])
    return replace(joined, repeat=len(ops)) if isinstance(joined, Mac) else joined


def _side(buffers: dict[str, Buffer], views: list[View]) -> View:
    """One operand for all: the views lie side by side, are one and the same element, or are constants."""
    constant = views[0].step and buffers[views[0].buffer].role is Role.CONST
    return _constants(buffers, views) if constant else _long(views)


def _long(views: list[View]) -> View:
    """From the beginning of the first to the end of the last; it may reach beyond the first one's buffer."""
    return replace(views[0], length=sum(view.length for view in views))


def _constants(buffers: dict[str, Buffer], views: list[View]) -> View:
    """The values of constant views one after another, in a buffer that may be there already."""
    known = [(view, buffers[view.buffer].init) for view in views]
    values = np.concatenate([init[view.offset : view.end] for view, init in known if init is not None])
    bits = max(buffers[view.buffer].bits for view in views)
    for name, buffer in buffers.items():
        same = buffer.role is Role.CONST and buffer.bits == bits
        if same and buffer.init is not None and np.array_equal(buffer.init, values):
            return View(name, 0, len(values))
    name = "pack:" + ",".join(f"{view.buffer}[{view.offset}:{view.end}]" for view in views)
    buffers[name] = Buffer(name, len(values), bits, Role.CONST, init=values)
    return View(name, 0, len(values))


PASS = Pass(
    "pack",
    pack_operations,
    Switch("pack", "one instruction for many equal operations on small vectors"),
)
