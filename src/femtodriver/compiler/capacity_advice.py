"""What would make a network fit: tried out before it is recommended."""

from __future__ import annotations

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.capacity_errors import DataMemoryError, with_ways_out
from femtodriver.compiler.compiler_options import ACCUMULATORS, Options
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.placement.choose_cores import placed
from femtodriver.errors import CapacityError
from femtodriver.part import Part, load_part

LARGEST_PART = "spu001x4"


def with_advice(error: DataMemoryError, mapped: Fmir, part: Part, options: Options) -> CapacityError:
    """The error with what would fit; ``mapped`` is the network before it is placed."""
    larger = load_part(LARGEST_PART)
    if part.cores >= larger.cores:
        return with_ways_out(error, None, None)
    try:
        maps = allocate(placed(mapped, larger.cores), larger, accumulators=options.allow(ACCUMULATORS))
    except CapacityError:
        maps = None
    return with_ways_out(error, larger, maps)
