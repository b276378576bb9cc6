"""How to lay a network out over cores: the placements to try, the most promising first."""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.compiler.fmir.ir import Fmir, Mac
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.placement import ownership
from femtodriver.compiler.placement.bundle_messages import bundle_messages
from femtodriver.compiler.placement.estimate_cycles import estimate_cycles
from femtodriver.compiler.placement.place_on_cores import place_on_cores
from femtodriver.compiler.placement.sharing_plan import Order, SharingPlan
from femtodriver.part import Part

# A network is laid out over more cores than it needs if each does at least this part of what one does alone.
LEAST_EFFICIENCY = 0.75
# Products with fewer groups of weights stay whole in a layout that is meant to save threads.
_MANY_GROUPS = 4096
_NEVER = float("inf")


def placements(fmir: Fmir, part: Part, cores: int | None) -> Iterator[Fmir]:
    """The network on ``cores`` cores in several ways; for None on each number of cores that the part has.

    Of these the quickest that is productive comes first, then the others by number of cores and cycles. The layouts
    that are made for room, not for time, come last, and only on all cores.
    """
    if cores == 1 or part.cores == 1:
        yield fmir
        return
    counts = range(1, part.cores + 1) if cores is None else (cores,)
    found = [(plan, placed(fmir, part, plan)) for count in counts for plan in _quick(fmir, count)]
    cycles = {id(network): estimate_cycles(network, part) for _, network in found}
    alone = next((cycles[id(network)] for plan, network in found if plan.cores == 1), None)

    def rank(entry: tuple[SharingPlan, Fmir]) -> tuple[bool, int, int]:
        plan, network = entry
        productive = alone is None or cycles[id(network)] * plan.cores <= alone / LEAST_EFFICIENCY
        return (not productive, 0 if productive else plan.cores, cycles[id(network)])

    for _, network in sorted(found, key=rank):
        yield network
    for plan in _spacious(max(counts)):
        yield placed(fmir, part, plan)


def placed(fmir: Fmir, part: Part, plan: SharingPlan) -> Fmir:
    """The network laid out as planned, verified."""
    network = place_on_cores(fmir, part, plan)
    network = bundle_messages(network, part) if plan.order is Order.TIME else bundle_messages(network, part, _NEVER)
    verify(network)
    return network


def _quick(fmir: Fmir, cores: int) -> Iterator[SharingPlan]:
    """Layouts that may be the quickest; on one core there is only one."""
    largest = max((ownership.groups_of(fmir, op) for op in fmir.ops if isinstance(op, Mac)), default=0)
    if cores == 1 or largest >= ownership.LEAST_GROUPS:
        yield SharingPlan(cores, ownership.LEAST_GROUPS)
    if cores > 1:
        yield SharingPlan(cores, _NEVER)


def _spacious(cores: int) -> Iterator[SharingPlan]:
    """Layouts that may find room where the quick ones do not."""
    for least_groups in (_MANY_GROUPS, _NEVER):
        for order in (Order.FILL, Order.LARGEST):
            yield SharingPlan(cores, least_groups, order, copies=False)
