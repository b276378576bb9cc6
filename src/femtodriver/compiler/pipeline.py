"""The compiler's table of contents: every stage and pass by name, in order, verified and dumped in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.build_threads import emit
from femtodriver.compiler.backend.capacity_errors import DataMemoryError, with_ways_out
from femtodriver.compiler.backend.link import link
from femtodriver.compiler.backend.symbolic_program import Fasmir, fasmir_text
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.fmir_text import fmir_text
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.frontend.lower_graph import Lowering
from femtodriver.compiler.passes.basic import choose_formats, drop_dead, fold_copies, split_rows
from femtodriver.compiler.passes.fuse_interpolation import fuse_interpolation
from femtodriver.compiler.passes.pack_operations import pack
from femtodriver.compiler.placement.estimate_cycles import estimate
from femtodriver.compiler.placement.place_on_cores import place
from femtodriver.errors import CapacityError, UnsupportedError, UsageError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.graph_text import network_text
from femtodriver.fqir.reference import Reference
from femtodriver.isa.limits import MAX_ELEMENT_BITS
from femtodriver.part import Part, load_part
from femtodriver.program.compiled_data import CompiledData

Dump = Callable[[str, str], None]
Pass = tuple[str, Callable[[Fmir], Fmir]]
# A network is shared out over more cores than it needs if each does at least this part of what one does alone.
LEAST_EFFICIENCY = 0.75
DEFAULT_OPTIONS = Options()
LARGEST_PART = "spu001x4"
# Outputs of one matrix product at a time; the rest of the accumulator file holds temporaries.
MOST_MAC_ROWS = 512


@dataclass(frozen=True, eq=False)
class Compilation:
    """What the compiler made of a network: mapped IR, symbolic program, images with metadata."""

    fmir: Fmir
    fasmir: Fasmir
    data: CompiledData


def compile_network(
    network: Network,
    part: Part,
    dump: Dump | None = None,
    options: Options = DEFAULT_OPTIONS,
    keep: Sequence[str] = (),
) -> Compilation:
    """Compile for a part; on one core if the network fits there and would gain little from more, else on all.

    ``keep``: names of FQIR tensors whose values stay readable in data memory when a frame has ended (debugging).
    ``dump(file name, text)`` gets every stage. UnsupportedError for what cannot be compiled, CapacityError for what
    does not fit, UsageError for an option that the part cannot follow.
    """
    _check(network, part, options)
    dump = dump or _ignore
    dump("00-fqir.txt", network_text(network))
    lowered = run_passes(lower(network, options, keep), options, dump)
    *attempts, last = _placements(lowered, part, options)
    for placed in attempts:
        with suppress(CapacityError):
            return _finish(placed, part, options, dump)
    try:
        return _finish(last, part, options, dump)
    except DataMemoryError as error:
        raise _with_advice(error, lowered, part, options) from None


def _with_advice(error: DataMemoryError, fmir: Fmir, part: Part, options: Options) -> CapacityError:
    """The error with what would fit, tried out on the largest part that we know."""
    larger = load_part(LARGEST_PART)
    if part.cores >= larger.cores:
        return with_ways_out(error, None, None)
    try:
        maps = allocate(_placed(fmir, larger.cores), larger, MOST_MAC_ROWS, accumulators=options.accumulators)
    except CapacityError:
        maps = None
    return with_ways_out(error, larger, maps)


def _placements(fmir: Fmir, part: Part, options: Options) -> list[Fmir]:
    """Placements to try: the quickest that is productive, then by number of cores; the last is the most spacious."""
    if options.cores is not None or part.cores == 1:
        return [_placed(fmir, options.cores or 1)]
    by_cores = {cores: _placed(fmir, cores) for cores in range(1, part.cores + 1)}
    cycles = {cores: estimate(placed, part) for cores, placed in by_cores.items()}
    productive = [cores for cores in by_cores if cycles[cores] * cores <= cycles[1] / LEAST_EFFICIENCY]
    best = min(productive, key=lambda cores: (cycles[cores], cores))
    return [by_cores[best], *(by_cores[cores] for cores in by_cores if cores != best), by_cores[part.cores]]


def _placed(fmir: Fmir, cores: int) -> Fmir:
    placed = place(fmir, cores)
    verify(placed)
    return placed


def lower(network: Network, options: Options = DEFAULT_OPTIONS, keep: Sequence[str] = ()) -> Fmir:
    """FQIR -> FMIR, on core 0, straight from the operators; again with wider states until all values fit theirs."""
    initial = initial_state(network)
    widths: dict[str, int] = {}
    while True:
        lowering = Lowering(network, initial, widths, reuse=options.reuse, keep=keep)
        lowering.graph(network.frame)
        fmir = lowering.finish()
        if not lowering.too_narrow:
            verify(fmir)
            return fmir
        _check_widths(network, lowering.too_narrow)
        widths |= lowering.too_narrow


def _check_widths(network: Network, widths: Mapping[str, int]) -> None:
    for label, bits in widths.items():
        if bits > MAX_ELEMENT_BITS:
            raise UnsupportedError(
                f"network {network.name!r}: {label} must hold values of at most {MAX_ELEMENT_BITS} bits, not {bits}. "
                "Saturate the value before it is kept."
            )


def initial_state(network: Network) -> Mapping[str, Int64Array]:
    """Values of the states before the first frame."""
    reference = Reference(network)
    reference.reset()
    return {name: np.asarray(reference.values[name], np.int64) for name in network.state_names}


def passes(options: Options) -> tuple[Pass, ...]:
    """The passes in order; switched-off ones are left out."""
    table: tuple[tuple[str, Callable[[Fmir], Fmir], bool], ...] = (
        ("fuse-interpolation", fuse_interpolation, options.fuse_interpolation),
        ("drop-dead", drop_dead, options.drop_dead),
        ("fold-copies", fold_copies, options.fold_copies),
        ("pack", pack, options.pack),
        ("split-rows", partial(split_rows, most_rows=MOST_MAC_ROWS), True),
        ("pack-weights", choose_formats, options.pack_weights),
    )
    return tuple((name, run) for name, run, wanted in table if wanted)


def run_passes(fmir: Fmir, options: Options, dump: Dump) -> Fmir:
    """All passes in order; every result is verified and dumped."""
    dump("01-lowered.fmir", fmir_text(fmir))
    for number, (name, run) in enumerate(passes(options), start=2):
        fmir = run(fmir)
        verify(fmir)
        dump(f"{number:02d}-{name}.fmir", fmir_text(fmir))
    return fmir


def _finish(placed: Fmir, part: Part, options: Options, dump: Dump) -> Compilation:
    number = len(passes(options)) + 2
    dump(f"{number:02d}-placed.fmir", fmir_text(placed))
    maps = allocate(placed, part, MOST_MAC_ROWS, accumulators=options.accumulators)
    program = emit(placed, maps)
    dump(f"{number + 1:02d}-program.fasmir", fasmir_text(program))
    linked = link(placed, program, part)
    return Compilation(placed, program, CompiledData(linked.metadata, linked.images))


def _check(network: Network, part: Part, options: Options) -> None:
    if options.cores is not None and options.cores > part.cores:
        raise UsageError(f"compiler option cores: must be at most {part.cores} for {part.name}, not {options.cores}.")
    if not network.inputs:
        raise UnsupportedError(
            f"network {network.name!r}: must have at least one input to start a frame, not none. "
            "Add an input; its value may be ignored."
        )


def _ignore(name: str, text: str) -> None:
    """No dump wanted."""
