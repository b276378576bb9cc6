"""A program and what it says about itself: completed when it is compiled, checked against a part when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from femtodriver.compiler.frontend.named_values import port_bits
from femtodriver.errors import ProgramError
from femtodriver.fqir.graph import Network
from femtodriver.inputs import InputSpec
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY, CompilerOrigin, Description, ModelOrigin
from femtodriver.program.digest import digest_of
from femtodriver.program.metadata import InputRecord, OutputRecord

# What a program is bound to; clock and voltage only change what it costs.
_GEOMETRY = tuple(entry.name for entry in fields(Part) if entry.name not in ("name", "sha256", "clock_hz", "voltage_v"))
Specs = tuple[InputSpec, ...]


def completed(
    data: CompiledData, description: Description, part: Part, model: ModelOrigin, compiler: CompilerOrigin
) -> tuple[CompiledData, Description]:
    """The compiler's program and description with what it does not know itself: part, model, compiler, digest,
    and that it is not encrypted."""
    told = replace(
        description,
        part=part.name,
        part_sha256=part.sha256,
        part_geometry=geometry(part),
        compiler=compiler,
        model=model,
    )
    metadata = {**data.metadata, "encrypted": False, KEY: told.table()}
    told = replace(told, digest=digest_of(metadata, data.mems_per_core))
    return CompiledData({**metadata, KEY: told.table()}, data.mems_per_core, data.files), told


def network_inputs(network: Network) -> Specs:
    """The inputs of a network before it is compiled. Errors as of the compiler, for types that it does not know."""
    return tuple(
        InputSpec(tensor.name, tensor.size, port_bits(tensor), tensor.shape, tensor.quanta) for tensor in network.inputs
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


def specs(data: CompiledData, told: Description | None, where: str) -> tuple[Specs, Specs]:
    """Inputs and outputs without padding: as wide as they were declared or, in a foreign program, as its records are.

    Raises ProgramError for a variable whose width a program of ours does not tell.
    """
    info = data.info()
    if told is None:
        return tuple(map(_stored, info.inputs)), tuple(map(_stored, info.outputs))
    return (
        tuple(_declared(record, told.input_bits, where) for record in info.inputs),
        tuple(_declared(record, told.output_bits, where) for record in info.outputs),
    )


def _stored(record: InputRecord | OutputRecord) -> InputSpec:
    return InputSpec(record.name, record.usable, record.bits)


def _declared(record: InputRecord | OutputRecord, bits: Mapping[str, int], where: str) -> InputSpec:
    if record.name not in bits:
        raise ProgramError(f"{where}: {KEY}: must tell the bits of {record.name!r:.60}. Compile the model again.")
    return InputSpec(record.name, record.usable, bits[record.name])
