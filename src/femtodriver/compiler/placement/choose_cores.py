"""How to lay a network out over cores: the placements to try, the most promising first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from femtodriver.compiler.compiler_options import Objective
from femtodriver.compiler.fmir.ir import Fmir, Mac
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.placement import ownership
from femtodriver.compiler.placement.bundle_messages import bundle_messages
from femtodriver.compiler.placement.core_loads import all_on_one, empty_rooms, load_of
from femtodriver.compiler.placement.estimate_cycles import estimate_cycles
from femtodriver.compiler.placement.place_on_cores import place_on_cores
from femtodriver.compiler.placement.sharing_plan import Order, SharingPlan
from femtodriver.compiler.placement.whole_values import WholeValues, place_whole_values
from femtodriver.part import Part

# A network is laid out over more cores than it needs if each does at least this part of what one does alone.
LEAST_EFFICIENCY = 0.75
# Sharing out such small products too is tried where the cores would have too little to do without them.
_FEW_GROUPS = 64
_ENOUGH = 0.8
# Products with fewer groups of weights stay whole in a layout that is meant to save threads.
_MANY_GROUPS = 4096
_NEVER = float("inf")
# The part of the time between two frames that an estimate may take where the deadline must be met.
_HEADROOM = 0.8
# Parts of the threads of a core that shared products may take.
_THREADS_OF_PRODUCTS = (0.9, 0.5)
# Where the first cores must send much to the last one, they are filled less.
_LESS = 0.93


def placements(
    fmir: Fmir, part: Part, cores: int | None, objective: Objective = Objective.BALANCED, deadline: int | None = None
) -> Iterator[Fmir]:
    """The network on ``cores`` cores in several ways; for None on each number of cores that could hold it.

    The first ones are those that the objective wants (``_Trial.wanted``), then come the others by number of cores. The
    layouts that are made for room, not for time, come last, and only on all cores. What is not asked for is not made.
    """
    if cores == 1 or part.cores == 1:
        yield fmir
        return
    trial = _Trial(fmir, part)
    counts = range(trial.least_cores(), part.cores + 1) if cores is None else range(cores, cores + 1)
    wanted = trial.wanted(counts, objective, deadline)
    for plan in wanted:
        yield trial.placed(plan)
        if plan.least_groups == ownership.LEAST_GROUPS:  # that did not fit
            for most in _fewer_products(fmir, part):
                yield trial.placed(replace(plan, most=most))
    for plan in (SharingPlan(count, way) for count in counts for way in trial.ways(count)):
        if plan not in wanted and trial.may_fit(plan):
            yield trial.placed(plan)
    for plan in _spacious(counts[-1]):
        yield trial.placed(plan)


class _Trial:
    """Placements of one network, each made once."""

    def __init__(self, fmir: Fmir, part: Part) -> None:
        self.fmir = fmir
        self.part = part
        self._ways = _ways(fmir)
        self._made: dict[SharingPlan, Fmir] = {}
        self._rough: dict[SharingPlan, WholeValues] = {}

    def ways(self, cores: int) -> list[float]:
        """What may be shared out on so many cores; on one there is no choice."""
        return self._ways if cores > 1 else self._ways[:1]

    def least_cores(self) -> int:
        """How many cores it takes to hold all weights, tables, states, constants and instructions."""
        (room,) = empty_rooms(self.fmir, self.part, 1)
        everything = all_on_one((load_of(self.fmir, op) for op in self.fmir.ops), room.limit)
        return min(max(ceil(everything.fullness()), 1), self.part.cores)

    def wanted(self, counts: range, objective: Objective, deadline: int | None) -> list[SharingPlan]:
        """Plans that serve the objective, the best first.

        CYCLES: the quickest. BALANCED: the quickest of those under which each core does enough. ENERGY: on the fewest
        cores that meet the deadline (in cycles; None: it is always met), the quickest if it cannot be met.
        """
        if objective is Objective.ENERGY:
            return self._sparing(counts, deadline)
        found = self._productive(counts, _NEVER if objective is Objective.CYCLES else 1 / LEAST_EFFICIENCY)
        return sorted(found, key=lambda plan: (found[plan], plan.cores))

    def _sparing(self, counts: range, deadline: int | None) -> list[SharingPlan]:
        tried: dict[SharingPlan, int] = {}
        for count in counts:
            plans = [SharingPlan(count, way) for way in self.ways(count)]
            tried |= {plan: self._cycles(plan, _NEVER) for plan in plans}
            best = min(tried, key=lambda plan: (tried[plan], plan.cores))
            if deadline is None or tried[best] <= _HEADROOM * deadline:
                break
        return sorted(tried, key=lambda plan: (tried[plan], plan.cores))

    def _productive(self, counts: range, most: float) -> dict[SharingPlan, int]:
        """Plans with their cycles; on n cores at most ``most`` / n of the cycles on one.

        More cores are not tried where fewer do not help.
        """
        alone = estimate_cycles(self.fmir, self.part)
        found: dict[SharingPlan, int] = {}
        for way in self._ways:
            for count in (count for count in counts if way in self.ways(count)):
                plan = SharingPlan(count, way)
                if way == _FEW_GROUPS and found.get(SharingPlan(count, ownership.LEAST_GROUPS), _NEVER) <= (
                    alone / count / _ENOUGH
                ):
                    continue
                cycles = alone if count == 1 else self._cycles(plan, most * alone)
                if len(counts) > 1 and cycles * count > most * alone:
                    break
                found[plan] = cycles
        return found

    def may_fit(self, plan: SharingPlan) -> bool:
        """Whether it is worth the time to make a placement, seen roughly."""
        return plan.least_groups != _NEVER or self._roughly(plan).fits

    def placed(self, plan: SharingPlan) -> Fmir:
        """The network laid out as planned, verified."""
        network = self._placed(plan)
        verify(network)
        return network

    def _placed(self, plan: SharingPlan) -> Fmir:
        if plan not in self._made:
            self._made[plan] = _laid_out(self.fmir, self.part, plan)
        return self._made[plan]

    def _roughly(self, plan: SharingPlan) -> WholeValues:
        """Where values would be if all of them stayed in one piece."""
        if plan not in self._rough:
            self._rough[plan] = place_whole_values(self.fmir, self.part, plan, ())
        return self._rough[plan]

    def _cycles(self, plan: SharingPlan, most: float) -> int:
        """Estimated cycles under a plan; a rough look is enough where n cores take more than ``most`` / n of them."""
        if plan.cores > 1 and plan.least_groups == _NEVER:
            roughly = self._roughly(plan).cycles
            if roughly * plan.cores > most:
                return roughly
        return estimate_cycles(self._placed(plan), self.part)


def placed(fmir: Fmir, part: Part, plan: SharingPlan) -> Fmir:
    """The network laid out as planned, verified."""
    return _Trial(fmir, part).placed(plan)


def _laid_out(fmir: Fmir, part: Part, plan: SharingPlan) -> Fmir:
    if plan.cores == 1:
        return fmir
    network = place_on_cores(fmir, part, plan)
    return bundle_messages(network, part) if plan.order is Order.TIME else bundle_messages(network, part, _NEVER)


def _ways(fmir: Fmir) -> list[float]:
    """From how many groups of weights on products are shared out in the layouts that may be the quickest."""
    sizes = [ownership.groups_of(fmir, op) for op in fmir.ops if isinstance(op, Mac)]
    least = ownership.LEAST_GROUPS
    ways = [_NEVER, *([least] if max(sizes, default=0) >= least else [])]
    return [*ways, *([_FEW_GROUPS] if any(_FEW_GROUPS <= size < least for size in sizes) else [])]


def _fewer_products(fmir: Fmir, part: Part) -> Iterator[int]:
    """How many products to share out where all would take too many threads, since each takes one on every core."""
    products = sum(ownership.groups_of(fmir, op) >= ownership.LEAST_GROUPS for op in fmir.ops if isinstance(op, Mac))
    for share in _THREADS_OF_PRODUCTS:
        if products > share * part.threads:
            yield int(share * part.threads)


def _spacious(cores: int) -> Iterator[SharingPlan]:
    """Layouts that may find room where the quick ones do not."""
    for least_groups in (_MANY_GROUPS, _NEVER):
        for order in (Order.FILL, Order.LARGEST):
            yield SharingPlan(cores, least_groups, order, copies=False)
    yield SharingPlan(cores, _NEVER, Order.FILL, copies=False, fill=_LESS)
    yield SharingPlan(cores, _MANY_GROUPS, Order.LARGEST, copies=False, blocks=True)
