"""The I/O specification of a compiled program, from its records and from what it says about itself."""

from __future__ import annotations

from collections.abc import Mapping

from femtodriver.iospec import IOSpec, SpecVariable
from femtodriver.iospec.spec_fields import MOST_SCALE
from femtodriver.iospec.spec_records import INPUT, OUTPUT
from femtodriver.program.description import Description, VariableForm
from femtodriver.program.metadata import InputRecord, OutputRecord, ProgramInfo
from femtodriver.program.packing import elements_per_word

LATCH = "latch"


def program_iospec(info: ProgramInfo, told: Description | None) -> IOSpec:
    """The specification: one sequence of all outputs and, as the reference writes it, one for each latched input.

    ``told`` None, of a foreign program: widths are those of the stored elements, and no input is latched.
    """
    spec = IOSpec()
    inputs, outputs = (told.input_forms, told.output_forms) if told else (None, None)
    for record in info.inputs:
        form = (inputs or {}).get(record.name, VariableForm())
        comments = {LATCH: bool(form.latched)}
        spec.add_variable(INPUT, _variable(record, told.input_bits if told else {}, form, comments))
    for output in info.outputs:
        form = (outputs or {}).get(output.name, VariableForm())
        spec.add_variable(OUTPUT, _variable(output, told.output_bits if told else {}, form, {}))
    latched = [name for name, one in spec.inputs.items() if one.comments[LATCH]]
    spec.add_signature([name for name in spec.inputs if name not in latched], latched, list(spec.outputs))
    return spec


def stored_entries(record: InputRecord | OutputRecord) -> dict[str, int]:
    """What a record says beyond name, length and precision, as entries of a specification."""
    found = {
        "padded_length": record.words * elements_per_word(record.bits),
        "length_64b_words": record.words,
        "core_id": record.core,
    }
    if isinstance(record, InputRecord):
        return {**found, "pc": record.pc_val}
    return {**found, "mailbox_id": record.mailbox_id}


def _variable(
    record: InputRecord | OutputRecord, bits: Mapping[str, int], form: VariableForm, comments: Mapping[str, object]
) -> SpecVariable:
    scale = _scale(form.quanta)
    return SpecVariable(
        record.name,
        record.usable,
        bits.get(record.name, record.bits),
        scale=scale,
        zero_pt=None if scale is None else _zero_point(form),
        comments=comments,
        **stored_entries(record),
    )


def _scale(quanta: object) -> float | None:
    """What one step of an integer stands for, where that is known and a specification can say it."""
    if isinstance(quanta, bool) or not isinstance(quanta, (int, float)):
        return None
    scale = 2.0**quanta
    return scale if 0 < scale < MOST_SCALE else None


def _zero_point(form: VariableForm) -> int:
    return form.zero_point if isinstance(form.zero_point, int) else 0
