"""What would make a network fit: tried out before it is recommended."""

from __future__ import annotations

import contextlib

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.capacity_errors import DataMemoryError, with_ways_out
from femtodriver.compiler.compiler_options import ACCUMULATORS, Options
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.placement.choose_cores import placements
from femtodriver.errors import CapacityError
from femtodriver.part import Part, load_part, part_names


def with_advice(error: DataMemoryError, mapped: Fmir, part: Part, options: Options) -> CapacityError:
    """The error with what would fit; ``mapped`` is the network before it is placed."""
    larger = None
    for larger in _larger_parts(part):
        with contextlib.suppress(CapacityError):
            maps = allocate(
                next(placements(mapped, larger, larger.cores)), larger, accumulators=options.allow(ACCUMULATORS)
            )
            return with_ways_out(error, larger, maps)
    return with_ways_out(error, larger, None)


def _larger_parts(part: Part) -> list[Part]:
    """The parts that we ship with more cores than this one, the smallest first."""
    shipped = (load_part(name) for name in part_names())
    return sorted((one for one in shipped if one.cores > part.cores), key=lambda one: one.cores)
