"""A program and what it says about itself: completed when it is compiled, checked against a part when it is loaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, replace

from femtodriver.compiler.frontend.named_values import port_bits
from femtodriver.errors import ProgramError
from femtodriver.fqir.graph import Network, Tensor
from femtodriver.inputs import InputSpec
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY, CompilerOrigin, Description, ModelOrigin, VariableForm
from femtodriver.program.digest import digest_of

# A program does not depend on these entries of its part: rates only change what it costs.
_RATES = {"name", "sha256", "clock_hz", "voltage_v", "link_bits", "link_hz", "link_kind", "link_source"}
_GEOMETRY = tuple(entry.name for entry in fields(Part) if entry.name not in _RATES)


def completed(
    data: CompiledData,
    description: Description,
    network: Network,
    part: Part,
    model: ModelOrigin,
    compiler: CompilerOrigin,
    latched: Collection[str] = (),
) -> tuple[CompiledData, Description]:
    """The compiler's program and description with what it does not know itself: axes and quanta of inputs and outputs,
    which inputs are latched, part, model, compiler, digest, and that it is not encrypted."""
    told = replace(
        description,
        input_forms=_forms(network.inputs, latched),
        output_forms=_forms(network.outputs),
        part=part.name,
        part_sha256=part.sha256,
        part_geometry=geometry(part),
        compiler=compiler,
        model=model,
    )
    metadata = {**data.metadata, "encrypted": False, KEY: told.table()}
    told = replace(told, digest=digest_of(metadata, data.mems_per_core))
    return CompiledData({**metadata, KEY: told.table()}, data.mems_per_core, data.files), told


def _forms(tensors: Sequence[Tensor], latched: Collection[str] = ()) -> dict[str, VariableForm]:
    """What can be said of them."""
    found = {
        tensor.name: VariableForm(
            _axes(tensor),
            tensor.quanta,
            tensor.zero_point,
            tensor.name in latched or None,
            tensor.other_names or None,
        )
        for tensor in tensors
    }
    return {name: form for name, form in found.items() if form != VariableForm()}


def _axes(tensor: Tensor) -> tuple[int, ...]:
    return tensor.shape if len(tensor.shape) > 1 else ()


def network_inputs(network: Network) -> tuple[InputSpec, ...]:
    """The inputs of a network before it is compiled. Errors as of the compiler, for types that it does not know."""
    return _specs(network.inputs)


def network_outputs(network: Network) -> tuple[InputSpec, ...]:
    """The outputs, likewise."""
    return _specs(network.outputs)


def _specs(tensors: Sequence[Tensor]) -> tuple[InputSpec, ...]:
    return tuple(
        InputSpec(
            tensor.name,
            tensor.size,
            port_bits(tensor),
            _axes(tensor),
            tensor.quanta,
            tensor.zero_point,
            other_names=tensor.other_names,
        )
        for tensor in tensors
    )


def geometry(part: Part) -> dict[str, int]:
    """The sizes of a part that a program depends on."""
    return {name: getattr(part, name) for name in _GEOMETRY}


def check_part(told: Description, part: Part, where: str) -> None:
    """ProgramError unless the part has the sizes that the program was compiled for."""
    wanted = told.part_geometry or {}
    for name, size in geometry(part).items():
        if wanted.get(name) != size:
            raise ProgramError(
                f"{where}: the part must have {name} {wanted.get(name)}, as {told.part!r:.60} has, for which this "
                f"program was compiled, not {size} as {part.name!r} has. Give its part with --hw-config."
            )
