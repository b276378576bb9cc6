"""How many cores to share a network out over: the placements to try, the most promising first."""

from __future__ import annotations

from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.placement.estimate_cycles import estimate_cycles
from femtodriver.compiler.placement.place_on_cores import place_on_cores
from femtodriver.part import Part

# A network is shared out over more cores than it needs if each does at least this part of what one does alone.
LEAST_EFFICIENCY = 0.75


def placements(fmir: Fmir, part: Part, cores: int | None) -> list[Fmir]:
    """The network on ``cores`` cores; for None one placement for each number of cores that the part has.

    Of these the quickest that is productive comes first, then the others by number of cores; the last is the most
    spacious one, even if it has been tried before.
    """
    if cores is not None or part.cores == 1:
        return [placed(fmir, cores or 1)]
    by_cores = {count: placed(fmir, count) for count in range(1, part.cores + 1)}
    cycles = {count: estimate_cycles(network, part) for count, network in by_cores.items()}
    productive = [count for count in by_cores if cycles[count] * count <= cycles[1] / LEAST_EFFICIENCY]
    best = min(productive, key=lambda count: (cycles[count], count))
    return [by_cores[best], *(by_cores[count] for count in by_cores if count != best), by_cores[part.cores]]


def placed(fmir: Fmir, cores: int) -> Fmir:
    """The network on this many cores, verified."""
    network = place_on_cores(fmir, cores)
    verify(network)
    return network
