"""Inputs and outputs of a compiled program, as the program describes them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from femtodriver.errors import ProgramError
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY, Description, VariableForm
from femtodriver.program.metadata import InputRecord, OutputRecord

Specs = tuple[InputSpec, ...]


def program_specs(data: CompiledData, told: Description | None, where: str) -> tuple[Specs, Specs]:
    """Inputs and outputs without padding, in the order of the program: as they were declared or, in a foreign program
    (``told`` None), as its records are.

    Axes and quanta are unknown in foreign programs, and in those that were compiled before programs stated them.
    Raises ProgramError for a variable whose width one of our programs does not state, or whose axes contradict its
    length.
    """
    info = data.info()
    if told is None:
        return tuple(map(_stored, info.inputs)), tuple(map(_stored, info.outputs))
    inputs, outputs = told.input_forms or {}, told.output_forms or {}
    return (
        tuple(_declared(record, told.input_bits, inputs, where) for record in info.inputs),
        tuple(_declared(record, told.output_bits, outputs, where) for record in info.outputs),
    )


def _stored(record: InputRecord | OutputRecord) -> InputSpec:
    return InputSpec(record.name, record.usable, record.bits)


def _declared(
    record: InputRecord | OutputRecord, bits: Mapping[str, int], forms: Mapping[str, VariableForm], where: str
) -> InputSpec:
    if record.name not in bits:
        raise ProgramError(f"{where}: {KEY}: must state the bits of {record.name!r:.60}. Compile the model again.")
    form = forms.get(record.name, VariableForm())
    if form.shape and math.prod(form.shape) != record.usable:
        raise ProgramError(
            f"{where}: {KEY}: the axes of {record.name!r:.60} must have {record.usable} elements in all, not "
            f"{math.prod(form.shape)}. Compile the model again."
        )
    quanta = form.quanta if isinstance(form.quanta, (int, float)) else None
    zero_point = form.zero_point if isinstance(form.zero_point, int) else None
    latched = bool(form.latched)
    others = form.other_names or ()
    return InputSpec(record.name, record.usable, bits[record.name], form.shape, quanta, zero_point, latched, others)
