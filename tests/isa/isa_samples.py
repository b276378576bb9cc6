"""Hypothesis strategies for legal instructions, and one example of every instruction."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from femtodriver.isa import ISA, Instruction, Operand, Spec, accumulator, immediate, memory

FAMILY_OF: dict[str, type[Instruction]] = {spec.name: cls for cls, specs in ISA.table for spec in specs}
ALL: tuple[Spec, ...] = tuple(spec for _, specs in ISA.table for spec in specs)

operands: st.SearchStrategy[Operand] = st.one_of(
    st.builds(memory, st.integers(0, 2**19 - 1), st.sampled_from((8, 16, 32)), st.integers(0, 7)),
    st.builds(accumulator, st.integers(0, 127), st.sampled_from((8, 16, 32, 64))),
    st.builds(immediate, st.integers(-(2**21), 2**21 - 1)),
)


def field_names(spec: Spec) -> list[str]:
    """Fields that an instruction looks at."""
    names = [entry.name for entry in fields(FAMILY_OF[spec.name])[1:]]
    return names if spec.uses is None else [name for name in names if name in spec.uses]


def instructions(spec: Spec) -> st.SearchStrategy[Instruction]:
    """Legal instructions of a row of the table: every field that is in use takes every value."""
    cls = FAMILY_OF[spec.name]
    ranges = {entry.name: entry for entry in cls.layout.fields}
    types = {entry.name: entry.type for entry in fields(cls)}
    arguments: dict[str, st.SearchStrategy[Any]] = {}
    for name in field_names(spec):
        whole = st.integers(ranges[name].low, spec.most.get(name, ranges[name].high))
        arguments[name] = operands if types[name] == "Operand" else whole
    return st.fixed_dictionaries(arguments).map(lambda values: cls(spec, **values))


def example(spec: Spec) -> Instruction:
    """A fixed example: every field that is in use has a value of its own."""
    values: dict[str, Any] = {}
    shown = iter((accumulator(5), memory(0x12340, 16, 3), memory(0x7F, 8)))
    ranges = {entry.name: entry for entry in FAMILY_OF[spec.name].layout.fields}
    alone = sum(entry.type == "Operand" for entry in fields(FAMILY_OF[spec.name])) == 1
    for number, entry in enumerate(fields(FAMILY_OF[spec.name])[1:], start=3):
        if entry.name not in field_names(spec):
            continue
        if entry.type == "Operand":
            values[entry.name] = memory(0x300, 32) if alone else next(shown)
        else:
            values[entry.name] = -number if entry.name in spec.most else min(7 * number, ranges[entry.name].high)
    return FAMILY_OF[spec.name](spec, **values)
