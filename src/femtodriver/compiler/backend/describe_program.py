"""What the compiler knows about a program for reports and debuggers; execution never looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from femtodriver.compiler.backend.symbolic_program import Fasmir
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.network_interface import MappedState, StatePart
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.isa.limits import ISA_NAME
from femtodriver.program.description import (
    SCHEMA,
    CoreMemory,
    DescribedLayer,
    Description,
    KeptPlace,
    LayerFate,
    SourceRange,
)
from femtodriver.program.program_states import POSITION_BYTES, ProgramState, StatePlace


def describe(
    fmir: Fmir,
    program: Fasmir,
    source_map: Mapping[int, Sequence[SourceRange]],
    metadata: Mapping[str, Any],
    fates: Mapping[int, LayerFate],
) -> Description:
    """The description of a linked program, without part, compiler and model; ``metadata`` has the used words, ``fates``
    those of the layers without instructions."""
    cores = _cores(source_map)
    return Description(
        schema=SCHEMA,
        isa=ISA_NAME,
        input_bits={port.name: port.bits for port in program.inputs},
        output_bits={port.name: port.bits for port in program.outputs},
        layers=tuple(
            _layer(layer, cores.get(number, set()), fates.get(number)) for number, layer in enumerate(program.layers)
        ),
        source_map={core: tuple(ranges) for core, ranges in source_map.items()},
        memory={core: _memory(core, places.usage, metadata) for core, places in program.maps.items()},
        kept={
            name: KeptPlace(
                core=0,
                address=program.maps[0].address[buffer],
                bits=fmir.buffers[buffer].bits,
                length=fmir.buffers[buffer].length,
            )
            for name, buffer in fmir.kept.items()
        },
        states={name: _state(state, fmir, program) for name, state in fmir.states.items()},
    )


def _state(state: MappedState, fmir: Fmir, program: Fasmir) -> ProgramState:
    """Where a state is in data memory."""
    places = tuple(_place(part, fmir, program) for part in state.parts_in(fmir.buffers))
    return ProgramState(state.length, state.low, state.high, places)


def _place(part: StatePart, fmir: Fmir, program: Fasmir) -> StatePlace:
    buffer = fmir.buffers[part.buffer]
    addresses = program.maps[buffer.core].address
    first = addresses[part.buffer] + part.offset * buffer.bits // 8
    position = None
    if buffer.position is not None:  # only whole lines are circular, so the part is all of it
        position = addresses[buffer.position.buffer] + POSITION_BYTES * buffer.position.offset
    return StatePlace(part.first, part.length, buffer.core, first, buffer.bits, position)


def _cores(source_map: Mapping[int, Sequence[SourceRange]]) -> dict[int, set[int]]:
    """The cores that have instructions of each layer."""
    found: dict[int, set[int]] = {}
    for core, ranges in source_map.items():
        for _, _, layer in ranges:
            found.setdefault(layer, set()).add(core)
    return found


def _layer(layer: SourceLayer, cores: set[int], fate: LayerFate | None) -> DescribedLayer:
    return DescribedLayer(
        layer.name,
        layer.op,
        layer.source,
        core=next(iter(cores)) if len(cores) == 1 else None,
        elements=layer.elements,
        module=layer.origin.module or None,
        step=layer.origin.step or None,
        line=layer.origin.line or None,
        fate=fate,
    )


def _memory(core: int, usage: Mapping[str, int], metadata: Mapping[str, Any]) -> CoreMemory:
    words = metadata["inst_counts"][core]
    return CoreMemory(
        **usage,
        instructions=8 * words,
        dm_used_words_per_bank=tuple(metadata["data_bank_sizes"][core].values()),
        tm_used_words=sum(metadata["table_bank_sizes"][core].values()),
        im_used_words=words,
    )
