"""The compiler's table of contents: every stage and pass by name, in order, verified and dumped in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from femtodriver.compiler.allocate import allocate
from femtodriver.compiler.emit import emit
from femtodriver.compiler.fasmir import Fasmir, fasmir_text
from femtodriver.compiler.fmir import Fmir
from femtodriver.compiler.fmir_text import fmir_text
from femtodriver.compiler.interpolate import fuse_interpolation
from femtodriver.compiler.link import link
from femtodriver.compiler.lowering import Lowering
from femtodriver.compiler.passes import choose_formats, drop_dead, fold_copies, split_rows
from femtodriver.compiler.place import place
from femtodriver.compiler.verify import verify
from femtodriver.errors import CapacityError, UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.text import network_text
from femtodriver.part import Part
from femtodriver.program.compiled import CompiledData

Dump = Callable[[str, str], None]
Pass = tuple[str, Callable[[Fmir], Fmir]]
MOST_MEMORY_BITS = 32
# Outputs of one matrix product at a time; the rest of the accumulator file holds temporaries.
MOST_MAC_ROWS = 512


@dataclass(frozen=True, eq=False)
class Compilation:
    """What the compiler made of a network: mapped IR, symbolic program, images with metadata."""

    fmir: Fmir
    fasmir: Fasmir
    data: CompiledData


def compile_network(network: Network, part: Part, dump: Dump | None = None, *, cores: int | None = None) -> Compilation:
    """Compile for a part; on one core if the network fits there, else on all of them, or on ``cores`` of them.

    ``dump(file name, text)`` gets every stage. UnsupportedError for what cannot be compiled, CapacityError for what
    does not fit.
    """
    _check(network)
    dump = dump or _ignore
    dump("00-fqir.txt", network_text(network))
    lowered = lower(network)
    lowered = run_passes(lowered, dump)
    attempts = [cores] if cores else [1] if part.cores == 1 else [1, part.cores]
    for cores in attempts:
        try:
            return _finish(lowered, part, cores, dump)
        except CapacityError:
            if cores == attempts[-1]:
                raise
    raise AssertionError


def lower(network: Network) -> Fmir:
    """FQIR -> FMIR, on core 0, straight from the operators; again with wider states until all values fit theirs."""
    initial = initial_state(network)
    widths: dict[str, int] = {}
    while True:
        lowering = Lowering(network, initial, widths)
        lowering.graph(network.frame)
        fmir = lowering.finish()
        if not lowering.too_narrow:
            verify(fmir)
            return fmir
        _check_widths(network, lowering.too_narrow)
        widths |= lowering.too_narrow


def _check_widths(network: Network, widths: Mapping[str, int]) -> None:
    for label, bits in widths.items():
        if bits > MOST_MEMORY_BITS:
            raise UnsupportedError(
                f"network {network.name!r}: {label} must hold values of at most {MOST_MEMORY_BITS} bits, not {bits}. "
                "Saturate the value before it is kept."
            )


def initial_state(network: Network) -> Mapping[str, npt.NDArray[np.int64]]:
    """Values of the states before the first frame."""
    reference = Reference(network)
    reference.reset()
    return {name: np.asarray(reference.values[name], np.int64) for name in network.state_names}


PASSES: tuple[Pass, ...] = (
    ("fuse-interpolation", fuse_interpolation),
    ("drop-dead", drop_dead),
    ("fold-copies", fold_copies),
    ("split-rows", partial(split_rows, most_rows=MOST_MAC_ROWS)),
    ("choose-formats", choose_formats),
)


def run_passes(fmir: Fmir, dump: Dump) -> Fmir:
    """All passes in order; every result is verified and dumped."""
    dump("01-lowered.fmir", fmir_text(fmir))
    for number, (name, run) in enumerate(PASSES, start=2):
        fmir = run(fmir)
        verify(fmir)
        dump(f"{number:02d}-{name}.fmir", fmir_text(fmir))
    return fmir


def _finish(fmir: Fmir, part: Part, cores: int, dump: Dump) -> Compilation:
    placed = place(fmir, cores)
    verify(placed)
    dump(f"{len(PASSES) + 2:02d}-placed.fmir", fmir_text(placed))
    maps = allocate(placed, part, MOST_MAC_ROWS)
    program = emit(placed, maps)
    dump(f"{len(PASSES) + 3:02d}-program.fasmir", fasmir_text(program))
    linked = link(placed, program, part)
    return Compilation(placed, program, CompiledData(linked.metadata, linked.images))


def _check(network: Network) -> None:
    if not network.inputs:
        raise UnsupportedError(
            f"network {network.name!r}: must have at least one input to start a frame, not none. "
            "Add an input; its value may be ignored."
        )


def _ignore(name: str, text: str) -> None:
    """No dump wanted."""
