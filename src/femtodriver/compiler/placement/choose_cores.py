"""How to lay a network out over cores: the placements to try, the most promising first."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from femtodriver.compiler.fmir.ir import Fmir, Mac
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.placement import ownership
from femtodriver.compiler.placement.bundle_messages import bundle_messages
from femtodriver.compiler.placement.core_loads import CoreRoom, empty_rooms, load_of
from femtodriver.compiler.placement.estimate_cycles import estimate_cycles
from femtodriver.compiler.placement.place_on_cores import place_on_cores
from femtodriver.compiler.placement.sharing_plan import Order, SharingPlan
from femtodriver.compiler.placement.whole_values import place_whole_values
from femtodriver.part import Part

# A network is laid out over more cores than it needs if each does at least this part of what one does alone.
LEAST_EFFICIENCY = 0.75
# Products with fewer groups of weights stay whole in a layout that is meant to save threads.
_MANY_GROUPS = 4096
_NEVER = float("inf")
# Where the first cores must send much to the last one, they are filled less.
_LESS = 0.93


def placements(fmir: Fmir, part: Part, cores: int | None) -> Iterator[Fmir]:
    """The network on ``cores`` cores in several ways; for None on each number of cores that could hold it.

    Of these the quickest that is productive comes first, then the others by number of cores. The layouts that are made
    for room, not for time, come last, and only on all cores. What is not asked for is not made.
    """
    if cores == 1 or part.cores == 1:
        yield fmir
        return
    trial = _Trial(fmir, part)
    counts = range(trial.least_cores(), part.cores + 1) if cores is None else range(cores, cores + 1)
    productive = trial.productive(counts)
    for plan in sorted(productive, key=lambda plan: (productive[plan], plan.cores)):
        yield trial.placed(plan)
    for count in counts:
        for plan in _quick(fmir, count):
            if plan not in productive and trial.may_fit(plan):
                yield trial.placed(plan)
    for plan in _spacious(counts[-1]):
        yield trial.placed(plan)


class _Trial:
    """Placements of one network, each made once."""

    def __init__(self, fmir: Fmir, part: Part) -> None:
        self.fmir = fmir
        self.part = part
        self._made: dict[SharingPlan, Fmir] = {}

    def least_cores(self) -> int:
        """How many cores it takes to hold all weights, tables, states, constants and instructions."""
        (room,) = empty_rooms(self.fmir, self.part, 1)
        everything = CoreRoom(room.limit)
        for op in self.fmir.ops:
            everything.take(load_of(self.fmir, op))
        shares = (used / most for used, most in zip(everything.used, everything.limit, strict=True) if most > 0)
        return min(max(ceil(max(shares)), 1), self.part.cores)

    def productive(self, counts: range) -> dict[SharingPlan, int]:
        """Plans under which each core does enough, with their cycles; more cores are not tried where fewer do not."""
        alone = estimate_cycles(self.fmir, self.part)
        found: dict[SharingPlan, int] = {}
        ways = max(len(list(_quick(self.fmir, count))) for count in counts)
        for way in range(ways):
            for count in counts:
                plans = list(_quick(self.fmir, count))
                if way >= len(plans):
                    continue
                cycles = self._cycles(plans[way], alone)
                if len(counts) > 1 and cycles * count > alone / LEAST_EFFICIENCY:
                    break
                found[plans[way]] = cycles
        return found

    def may_fit(self, plan: SharingPlan) -> bool:
        """Whether it is worth the time to make a placement, seen roughly."""
        return plan.least_groups != _NEVER or place_whole_values(self.fmir, self.part, plan, ()).fits

    def placed(self, plan: SharingPlan) -> Fmir:
        """The network laid out as planned, verified."""
        network = self._placed(plan)
        verify(network)
        return network

    def _placed(self, plan: SharingPlan) -> Fmir:
        if plan.cores == 1:
            return self.fmir
        if plan not in self._made:
            network = place_on_cores(self.fmir, self.part, plan)
            patience = () if plan.order is Order.TIME else (_NEVER,)
            self._made[plan] = bundle_messages(network, self.part, *patience)
        return self._made[plan]

    def _cycles(self, plan: SharingPlan, alone: int) -> int:
        """Estimated cycles under a plan; a rough look is enough for one that cannot be productive."""
        if plan.cores == 1:
            return alone
        if plan.least_groups == _NEVER:
            roughly = place_whole_values(self.fmir, self.part, plan, ()).cycles
            if roughly * plan.cores > alone / LEAST_EFFICIENCY:
                return roughly
        return estimate_cycles(self._placed(plan), self.part)


def _quick(fmir: Fmir, cores: int) -> Iterator[SharingPlan]:
    """Layouts that may be the quickest: whole layers, and large products shared out. On one core there is only one."""
    yield SharingPlan(cores, _NEVER)
    largest = max((ownership.groups_of(fmir, op) for op in fmir.ops if isinstance(op, Mac)), default=0)
    if cores > 1 and largest >= ownership.LEAST_GROUPS:
        yield SharingPlan(cores, ownership.LEAST_GROUPS)


def _spacious(cores: int) -> Iterator[SharingPlan]:
    """Layouts that may find room where the quick ones do not."""
    for least_groups in (_MANY_GROUPS, _NEVER):
        for order in (Order.FILL, Order.LARGEST):
            yield SharingPlan(cores, least_groups, order, copies=False)
    yield SharingPlan(cores, _NEVER, Order.FILL, copies=False, fill=_LESS)
    yield SharingPlan(cores, _MANY_GROUPS, Order.LARGEST, copies=False, blocks=True)
