"""Which core computes and keeps which elements, when a network is shared out over several cores.

Matrix products decide: their outputs are cut at whole groups, inside every part that is read on its own (the gates of
a recurrent layer), so that elementwise work finds its operands on one core. Elementwise results live where their
operands do, states where their new values are made. Delay lines that shared products read are kept whole on every
core, so that only the newest frame travels. Loops and conditions stay on core 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from femtodriver.compiler.fmir.ir import (
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Matrix,
    Op,
    Role,
    Vec,
    View,
    reads,
    touches,
    walk,
    writes,
)
from femtodriver.compiler.fmir.weight_groups import kept_groups
from femtodriver.isa.limits import ACCUMULATOR_BITS, GROUP_SIZE

Owners = npt.NDArray[np.int8]
# Matrix products with fewer groups of weights than this are not worth the messages.
LEAST_GROUPS = 192
# The owner of elements that every core keeps.
EVERYWHERE = -1
# A state's home follows its new value, which may follow other states: so many rounds at the most.
MOST_ROUNDS = 40
# Elementwise results shorter than this stay on core 0.
LEAST_ELEMENTS = 2 * GROUP_SIZE


def owners_of(fmir: Fmir, cores: int) -> dict[str, Owners]:
    """The core of every element of every buffer; constants have none (each core gets what it needs)."""
    pinned = set(_pinned(fmir.ops))
    while True:
        owners = _settled(fmir, cores, pinned)
        apart = _wide_apart(fmir, owners)
        if not apart:
            return owners
        pinned |= apart


def _settled(fmir: Fmir, cores: int, pinned: set[str]) -> dict[str, Owners]:
    """Owners when states live where their new values are made; ``pinned`` buffers stay on core 0."""
    states = {name: buffer for name, buffer in fmir.buffers.items() if buffer.role is Role.STATE}
    homes: dict[str, Owners] = {name: np.zeros(buffer.length, np.int8) for name, buffer in states.items()}
    for name in _delay_lines(fmir, pinned):
        homes[name][:] = EVERYWHERE
    for _ in range(MOST_ROUNDS):
        follower = _Follower(fmir, cores, homes, pinned)
        for op in fmir.ops:
            follower.add(op)
        wanted = {name: follower.wanted.get(name, homes[name]) for name in states}
        if all(np.array_equal(wanted[name], homes[name]) for name in states):
            break
        homes = wanted
    return follower.owners


def _wide_apart(fmir: Fmir, owners: Mapping[str, Owners]) -> set[str]:
    """Buffers that must come to one core, because some operation would need a wide value of another.

    What accumulators alone can hold no message can carry. All wide values that are computed from each other go along.
    """
    family: dict[str, set[str]] = {}  # wide buffer -> itself and everything that must be on its core
    bad: list[set[str]] = []
    for op in fmir.ops:
        if isinstance(op, (Loop, If)):
            continue
        views = [view for view in reads(op) if fmir.buffers[view.buffer].bits == ACCUMULATOR_BITS]
        together = {op.dst.buffer, *(view.buffer for view in views)}
        if fmir.buffers[op.dst.buffer].bits != ACCUMULATOR_BITS and not views:
            continue
        joined = set().union(together, *(family.get(name, ()) for name in together))
        family |= dict.fromkeys(joined, joined)
        here = owners[op.dst.buffer][op.dst.offset : op.dst.end]
        if any((owners[view.buffer][view.offset : view.end] != here).any() for view in views):
            bad.append(together)
    return set().union(*(family[name] for names in bad for name in names))


class _Follower:
    def __init__(self, fmir: Fmir, cores: int, homes: Mapping[str, Owners], pinned: set[str]) -> None:
        self.fmir = fmir
        self.cores = cores
        self.pinned = pinned
        self.wanted: dict[str, Owners] = {}
        self.cuts = _cuts(fmir)
        self.owners: dict[str, Owners] = {}
        for name, buffer in fmir.buffers.items():
            if buffer.role is not Role.CONST:
                self.owners[name] = np.zeros(buffer.length, np.int8)
        self.homes = {name: home for name, home in homes.items() if name not in self.pinned}
        self.owners |= {name: home.copy() for name, home in self.homes.items()}

    def add(self, op: Op) -> None:
        if isinstance(op, (Loop, If)) or op.dst.buffer in self.pinned:
            return
        if self.fmir.buffers[op.dst.buffer].role is Role.KEPT:
            return
        name = op.dst.buffer
        if name in self.homes and (self.homes[name] == EVERYWHERE).all():
            return
        found = self._mac(op) if isinstance(op, Mac) else self._elementwise(op)
        if name in self.homes:
            self.wanted.setdefault(name, self.homes[name].copy())[op.dst.offset : op.dst.end] = found
        else:
            self.owners[name][op.dst.offset : op.dst.end] = found

    def _mac(self, op: Mac) -> Owners:
        owners = np.zeros(op.dst.length, np.int8)
        if not _worth_sharing(self.fmir, op) or op.dst.offset % GROUP_SIZE:
            return owners
        inside = {cut - op.dst.offset for cut in self.cuts.get(op.dst.buffer, ())}
        bounds = sorted(
            {0, op.dst.length} | {cut for cut in inside if 0 < cut < op.dst.length and cut % GROUP_SIZE == 0}
        )
        for first, end in pairwise(bounds):
            rows = -(-(end - first) // GROUP_SIZE)
            if rows < self.cores:
                continue
            for core in range(self.cores):
                low, high = (rows * k // self.cores * GROUP_SIZE for k in (core, core + 1))
                owners[first + low : min(first + high, end)] = core
        return owners

    def _elementwise(self, op: Op) -> Owners:
        (dst,) = writes(op)
        none = np.zeros(dst.length, np.int8)
        sources = [self._owners(view) for view in reads(op) if view.step and view.buffer in self.owners]
        sources = [source for source in sources if (source != EVERYWHERE).all()]
        if dst.length < LEAST_ELEMENTS or not sources:
            return none
        owners = max(sources, key=lambda source: len(np.unique(source)))
        cuts = np.flatnonzero(np.diff(owners)) + 1
        views = [dst, *(view for view in reads(op) if view.step)]
        return none if any(((view.offset + cuts) % GROUP_SIZE).any() for view in views) else owners

    def _owners(self, view: View) -> Owners:
        return self.owners[view.buffer][view.offset : view.end]


def _delay_lines(fmir: Fmir, pinned: set[str]) -> list[str]:
    """States that are only ever copied into, and that a product worth sharing out reads."""
    copied, computed, multiplied = set[str](), set[str](), set[str]()
    for op in fmir.ops:
        for view in writes(op):
            (copied if isinstance(op, Vec) and op.is_move else computed).add(view.buffer)
        if isinstance(op, Mac) and _worth_sharing(fmir, op):
            multiplied.update(view.buffer for _, view in op.parts)
    states = [name for name, buffer in fmir.buffers.items() if buffer.role is Role.STATE]
    return [name for name in states if name in (copied & multiplied) - computed - pinned]


def _worth_sharing(fmir: Fmir, op: Mac) -> bool:
    return sum(_groups(fmir.matrices[name]) for name, _ in op.parts) >= LEAST_GROUPS


def _pinned(ops: Iterable[Op]) -> Iterable[str]:
    """Buffers that loops and conditions touch."""
    for op in ops:
        if isinstance(op, (Loop, If)):
            yield from (view.buffer for entry in walk((op,)) for view in touches(entry))


def _cuts(fmir: Fmir) -> dict[str, set[int]]:
    """Where the views that elementwise operations read begin and end, per buffer."""
    cuts: dict[str, set[int]] = {}
    for op in walk(fmir.ops):
        if isinstance(op, (Vec, Look, Interp)):
            for view in op.reads:
                cuts.setdefault(view.buffer, set()).update((view.offset, view.end))
    return cuts


def _groups(matrix: Matrix) -> int:
    return int(kept_groups(matrix).sum())
