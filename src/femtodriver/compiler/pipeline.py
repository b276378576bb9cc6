"""The compiler's table of contents: every stage by name, in order, verified and dumped in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.build_threads import build_threads
from femtodriver.compiler.backend.capacity_errors import EveryLayoutError, FullError, check_operations
from femtodriver.compiler.backend.link import link
from femtodriver.compiler.backend.message_room import within_message_room
from femtodriver.compiler.backend.symbolic_program import Fasmir, fasmir_text
from femtodriver.compiler.capacity_advice import Change, with_advice
from femtodriver.compiler.compiler_options import (
    ACCUMULATORS,
    BANK_PAIRS,
    DEFAULT_OPTIONS,
    LATE_BIAS,
    REUSE,
    SIMPLIFY,
    Objective,
    Options,
)
from femtodriver.compiler.fmir.fmir_text import fmir_text
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.frontend.lower_network import lower_network
from femtodriver.compiler.layer_fates import layer_fates
from femtodriver.compiler.passes.compiler_pass import Pass
from femtodriver.compiler.placement.choose_cores import placements
from femtodriver.errors import CapacityError, UnsupportedError, UsageError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.graph_text import network_text
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import Description

Dump = Callable[[str, str], None]
"""Takes the file name and the text of a stage."""


# Passes join operations, and leave some out.
_TIMES_BEFORE_PASSES, _TIMES_AFTER_PASSES = 8, 2


@dataclass(frozen=True, eq=False)
class Compilation:
    """What the compiler made of a network: mapped IR, symbolic program, images with metadata, description."""

    fmir: Fmir
    fasmir: Fasmir
    data: CompiledData
    description: Description

    def __repr__(self) -> str:
        return f"<Compilation for {self.description.part or 'a part'}: {self.data!r}>"

    def _repr_html_(self) -> str:
        return self.data._repr_html_()


def compile_network(
    network: Network,
    part: Part,
    dump: Dump | None = None,
    options: Options = DEFAULT_OPTIONS,
    keep: Sequence[str] = (),
) -> Compilation:
    """Compile for a part; on one core if the network fits there and would gain little from more, else on all.

    ``keep``: names of FQIR tensors whose values stay readable in data memory when a frame has ended (debugging).
    ``dump`` gets every stage; without it no text is made. UnsupportedError for what cannot be compiled, CapacityError
    for what does not fit, UsageError for an option that the part cannot follow.
    """
    _check(network, part, options)
    _dump(dump, 0, "fqir.txt", partial(network_text, network))
    lowered = cache(
        partial(lower_network, network, reuse=options.allow(REUSE), simplify=options.allow(SIMPLIFY), keep=keep)
    )
    try:
        return _compiled(lowered(part), part, options, dump)
    except FullError as error:

        def attempt(other: Part, changed: Options, change: Change) -> Fasmir:
            return _compiled(change(lowered(other)), other, changed, None).fasmir

        raise with_advice(error, part, options, attempt) from None


def _compiled(lowered: Fmir, part: Part, options: Options, dump: Dump | None) -> Compilation:
    """The first layout of a lowered network that fits."""
    check_operations(lowered, part, _TIMES_BEFORE_PASSES)
    mapped = run_passes(lowered, part, options, dump)
    check_operations(mapped, part, _TIMES_AFTER_PASSES)
    errors: list[CapacityError] = []
    for placed in placements(mapped, part, options.cores, options.objective, options.deadline):
        try:
            return _make_program(lowered, placed, part, options, dump)
        except EveryLayoutError:
            raise
        except CapacityError as error:
            errors.append(error)
    full = [error for error in errors if isinstance(error, FullError)]
    raise min(full, key=lambda error: error.excess, default=errors[-1])


def run_passes(fmir: Fmir, part: Part, options: Options = DEFAULT_OPTIONS, dump: Dump | None = None) -> Fmir:
    """All passes before placement, in order (``passes/pass_order.py``); every result is verified and dumped."""
    _dump(dump, 1, "lowered.fmir", partial(fmir_text, fmir))
    return _run(_passes(options, placed=False), fmir, part, dump, 2)


def _passes(options: Options, *, placed: bool) -> list[Pass]:
    """The passes after placement, or those before it."""
    return [entry for entry in options.selected_passes() if entry.placed == placed]


def _run(passes: Sequence[Pass], fmir: Fmir, part: Part, dump: Dump | None, first: int) -> Fmir:
    """Passes in order; the first result is stage number ``first``."""
    for number, entry in enumerate(passes, start=first):
        fmir = entry.run(fmir, part)
        verify(fmir)
        _dump(dump, number, f"{entry.name}.fmir", partial(fmir_text, fmir))
    return fmir


def _make_program(lowered: Fmir, placed: Fmir, part: Part, options: Options, dump: Dump | None) -> Compilation:
    """From a placed network to images; CapacityError when they do not fit. ``lowered``: it before all passes."""
    number = len(_passes(options, placed=False)) + 2
    _dump(dump, number, "placed.fmir", partial(fmir_text, placed))
    placed = _run(_passes(options, placed=True), placed, part, dump, number + 1)
    # Values in different pairs of banks cost no waiting, but every pair that is used must stay powered.
    pairs = options.allow(BANK_PAIRS) and options.objective is not Objective.ENERGY
    maps = allocate(placed, part, accumulators=options.allow(ACCUMULATORS), bank_pairs=pairs)
    program = within_message_room(partial(build_threads, placed, maps, late_bias=options.allow(LATE_BIAS)), part)
    _dump(dump, len(options.selected_passes()) + 3, "program.fasmir", partial(fasmir_text, program))
    fates = layer_fates(lowered, placed, part)
    return Compilation(placed, program, *link(placed, program, part, fates))


def _check(network: Network, part: Part, options: Options) -> None:
    if options.cores is not None and options.cores > part.cores:
        raise UsageError(f"compiler option cores: must be at most {part.cores} for {part.name}, not {options.cores}.")
    if not network.inputs:
        raise UnsupportedError(
            f"network {network.name!r}: must have at least one input to start a frame, not none. "
            "Add an input; its value may be ignored."
        )


def _dump(dump: Dump | None, number: int, name: str, text: Callable[[], str]) -> None:
    """Hand over a stage's text, which is only made if it is wanted."""
    if dump is not None:
        dump(f"{number:02d}-{name}", text())
