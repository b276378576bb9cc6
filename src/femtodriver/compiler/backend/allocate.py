"""Where everything is on each core: accumulator rows, addresses in data memory, tables."""

from __future__ import annotations

from femtodriver.compiler.backend.core_map import CoreMap
from femtodriver.compiler.backend.lifetimes import lifetimes
from femtodriver.compiler.backend.place_in_accumulators import place_in_accumulators
from femtodriver.compiler.backend.place_in_data_memory import place_in_data_memory
from femtodriver.compiler.backend.place_tables import place_tables
from femtodriver.compiler.fmir.ir import Fmir, Op, walk, writes
from femtodriver.isa.limits import ACCUMULATOR_BITS
from femtodriver.part import Part


def allocate(fmir: Fmir, part: Part, *, accumulators: bool = True, bank_pairs: bool = True) -> dict[int, CoreMap]:
    """A map per used core; CapacityError when accumulators, data memory or table memory overflow.

    Without ``accumulators`` only values that memory elements cannot hold are there; without ``bank_pairs`` all
    buffers follow one another.
    """
    cores = sorted({0} | {op.core for op in walk(fmir.ops)} | {buffer.core for buffer in fmir.buffers.values()})
    return {core: _allocate_core(fmir, part, core, accumulators, bank_pairs) for core in cores}


def _allocate_core(fmir: Fmir, part: Part, core: int, accumulators: bool, bank_pairs: bool) -> CoreMap:
    places = CoreMap(core)
    ops = [op for op in walk(fmir.ops) if op.core == core or _lands_on(fmir, op, core)]
    lives = lifetimes(fmir, core)
    wide = {name: life for name, life in lives.items() if fmir.buffers[name].bits == ACCUMULATOR_BITS}
    place_in_accumulators(fmir, part, ops, lives if accumulators else wide, places)
    place_tables(fmir, part, ops, places)
    place_in_data_memory(fmir, part, ops, lives, places, bank_pairs=bank_pairs)
    return places


def _lands_on(fmir: Fmir, op: Op, core: int) -> bool:
    return any(fmir.buffers[view.buffer].core == core for view in writes(op))
