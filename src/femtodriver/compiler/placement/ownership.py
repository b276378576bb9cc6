"""Which core computes and keeps which elements, when a network is shared out over several cores.

Matrix products decide: their outputs are cut at whole groups, inside every part that is read on its own (the gates of
a recurrent layer), so that elementwise work finds its operands on one core. Elementwise results live where their
operands do, states where their new values are made. Delay lines that shared products read are kept whole on every
core, so that only the newest frame travels. What is left stays in one piece (``whole_values``), and so does what loops
and conditions touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from femtodriver.compiler.backend.core_map import buffer_bytes
from femtodriver.compiler.fmir.ir import (
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
from femtodriver.compiler.placement.sharing_plan import SharingPlan
from femtodriver.compiler.placement.whole_values import WholeValues, place_whole_values
from femtodriver.isa.limits import ACCUMULATOR_BITS, GROUP_SIZE
from femtodriver.part import Part

Owners = npt.NDArray[np.int8]
# Matrix products with fewer groups of weights than this are not worth the messages.
LEAST_GROUPS = 192
# The owner of elements that every core keeps.
EVERYWHERE = -1
# A state's home follows its new value, which may follow other states: so many rounds at the most.
MOST_ROUNDS = 40
# A state that takes more than this part of a core's data memory may be cut.
_LARGE_STATE = 0.05
# Elementwise results shorter than this stay in one piece.
LEAST_ELEMENTS = 2 * GROUP_SIZE


def owners_of(fmir: Fmir, part: Part, plan: SharingPlan) -> dict[str, Owners]:
    """The core of every element of every buffer; constants have none (each core gets what it needs)."""
    pinned = set(_pinned(fmir.ops))
    while True:
        owners = _owners(fmir, part, plan, pinned)
        apart = _wide_apart(fmir, owners)
        if not apart:
            return owners
        pinned |= apart


def _owners(fmir: Fmir, part: Part, plan: SharingPlan, pinned: set[str]) -> dict[str, Owners]:
    """First what is shared out, then a core for each of the other values."""
    nowhere = WholeValues((0,) * len(fmir.ops), {}, 0)
    owners = _settled(fmir, part, plan, pinned, nowhere) if _worth_sharing(fmir, plan) else {}
    split = {name for name, cores in owners.items() if len(cores) and (cores != max(cores[0], 0)).any()}
    split.update(_blocks(fmir, part, plan, pinned))
    return _settled(fmir, part, plan, pinned, place_whole_values(fmir, part, plan, split))


def _settled(fmir: Fmir, part: Part, plan: SharingPlan, pinned: set[str], whole: WholeValues) -> dict[str, Owners]:
    """Owners when states live where their new values are made; ``pinned`` buffers stay in one piece."""
    states = {name: buffer for name, buffer in fmir.buffers.items() if buffer.role is Role.STATE}
    homes: dict[str, Owners] = {
        name: np.full(buffer.length, whole.of_buffer.get(name, 0), np.int8) for name, buffer in states.items()
    }
    fixed = dict.fromkeys(_delay_lines(fmir, plan, pinned), np.array(EVERYWHERE, np.int8))
    fixed |= _blocks(fmir, part, plan, pinned)
    for name, cores in fixed.items():
        homes[name][:] = cores
    for _ in range(MOST_ROUNDS):
        follower = _Follower(fmir, plan, homes, pinned | set(fixed), whole)
        for op, home in zip(fmir.ops, whole.of_op, strict=True):
            follower.add(op, home)
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
    def __init__(
        self, fmir: Fmir, plan: SharingPlan, homes: Mapping[str, Owners], pinned: set[str], whole: WholeValues
    ) -> None:
        self.fmir = fmir
        self.shared = _worth_sharing(fmir, plan)
        self.cores = plan.cores
        self.pinned = pinned
        self.wanted: dict[str, Owners] = {}
        self.cuts = _cuts(fmir)
        self.owners: dict[str, Owners] = {}
        for name, buffer in fmir.buffers.items():
            if buffer.role is not Role.CONST:
                self.owners[name] = np.full(buffer.length, whole.of_buffer.get(name, 0), np.int8)
        self.homes = {name: home for name, home in homes.items() if name not in self.pinned}
        self.owners |= {name: home.copy() for name, home in homes.items()}

    def add(self, op: Op, home: int) -> None:
        """Note who owns the result; ``home``: the core of one that is not shared out."""
        if isinstance(op, (Loop, If)) or op.dst.buffer in self.pinned:
            return
        if self.fmir.buffers[op.dst.buffer].role is Role.KEPT:
            return
        name = op.dst.buffer
        found = self._mac(op, home) if isinstance(op, Mac) else self._elementwise(op, home)
        if name in self.homes:
            self.wanted.setdefault(name, self.homes[name].copy())[op.dst.offset : op.dst.end] = found
        else:
            self.owners[name][op.dst.offset : op.dst.end] = found

    def _mac(self, op: Mac, home: int) -> Owners:
        owners = np.full(op.dst.length, home, np.int8)
        if op.dst not in self.shared or op.dst.offset % GROUP_SIZE:
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

    def _elementwise(self, op: Op, home: int) -> Owners:
        (dst,) = writes(op)
        whole = np.full(dst.length, home, np.int8)
        sources = [self._owners(view) for view in reads(op) if view.step and view.buffer in self.owners]
        sources = [source for source in sources if (source != source[0]).any() and (source != EVERYWHERE).all()]
        if dst.length < LEAST_ELEMENTS or not sources:
            return whole
        owners = max(sources, key=lambda source: len(np.unique(source)))
        cuts = np.flatnonzero(np.diff(owners)) + 1
        views = [dst, *(view for view in reads(op) if view.step)]
        return whole if any(((view.offset + cuts) % GROUP_SIZE).any() for view in views) else owners

    def _owners(self, view: View) -> Owners:
        return self.owners[view.buffer][view.offset : view.end]


def _delay_lines(fmir: Fmir, plan: SharingPlan, pinned: set[str]) -> list[str]:
    """States that are only ever copied into, and that a product worth sharing out reads."""
    if not plan.copies:
        return []
    copied, computed, multiplied = set[str](), set[str](), set[str]()
    shared = _worth_sharing(fmir, plan)
    for op in fmir.ops:
        for view in writes(op):
            (copied if isinstance(op, Vec) and op.is_move else computed).add(view.buffer)
        if isinstance(op, Mac) and op.dst in shared:
            multiplied.update(view.buffer for _, view in op.parts)
    states = [name for name, buffer in fmir.buffers.items() if buffer.role is Role.STATE]
    return [name for name in states if name in (copied & multiplied) - computed - pinned]


def _blocks(fmir: Fmir, part: Part, plan: SharingPlan, pinned: set[str]) -> dict[str, Owners]:
    """States that hardly one core could hold are cut into a block for each core."""
    found: dict[str, Owners] = {}
    for name, buffer in fmir.buffers.items():
        if not plan.blocks or buffer.role is not Role.STATE or name in pinned:
            continue
        if buffer_bytes(buffer) > _LARGE_STATE * part.dm_bytes:
            rows = -(-buffer.length // GROUP_SIZE)
            ends = np.array([rows * (core + 1) // plan.cores * GROUP_SIZE for core in range(plan.cores)])
            found[name] = np.searchsorted(ends[:-1], np.arange(buffer.length), side="right").astype(np.int8)
    return found


def _worth_sharing(fmir: Fmir, plan: SharingPlan) -> set[View]:
    """Results of the products that are shared out."""
    products = [op for op in fmir.ops if isinstance(op, Mac)]
    sizes = {op.dst: size for op in products if (size := groups_of(fmir, op)) >= plan.least_groups}
    return set(sorted(sizes, key=lambda dst: -sizes[dst])[: plan.most])


def groups_of(fmir: Fmir, op: Mac) -> int:
    """Stored groups of weights of a product."""
    return sum(fmir.matrices[name].groups for name, _ in op.parts)


def _pinned(ops: Iterable[Op]) -> Iterable[str]:
    """Buffers that loops and conditions touch: they stay in one piece."""
    for op in ops:
        if isinstance(op, (Loop, If)):
            yield from (view.buffer for entry in walk((op,)) for view in touches(entry))


def _cuts(fmir: Fmir) -> dict[str, set[int]]:
    """Where the views that elementwise operations read begin and end, per buffer."""
    cuts: dict[str, set[int]] = {}
    for op in walk(fmir.ops):
        if isinstance(op, (Vec, Look, Interp, Products)):
            for view in op.reads:
                cuts.setdefault(view.buffer, set()).update((view.offset, view.end))
    return cuts
