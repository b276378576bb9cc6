"""The numbers of the instruction set agree with what its fields take, and with the document."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from femtodriver.errors import AssemblyError
from femtodriver.isa import ISA, SPECS, Instruction, Operand, accumulator, limits, memory
from tests.isa.isa_samples import example

DOCUMENT = (Path(__file__).parents[2] / "docs" / "isa.md").read_text("utf-8")


def changed(name: str, **changes: Any) -> Instruction:
    return replace(example(SPECS[name]), **changes)


# (instruction, field, smallest, largest): one entry per limit that a field states.
RANGES = [
    ("signal", "core", 0, limits.MAX_CORES - 1),
    ("signal", "thread", 0, limits.MAX_THREADS - 1),
    ("send", "core", 0, limits.MAX_CORES - 1),
    ("send", "length", 0, limits.MAX_MESSAGE_WORDS),
    ("send", "address", 0, limits.MAX_DATA_BYTES - 1),
    ("out", "target", 0, limits.MAX_MAILBOX),
    ("jump", "target", 0, limits.MAX_PC),
    ("bez", "target", 0, limits.MAX_PC),
    ("setb", "register", 0, limits.BASE_REGISTERS - 1),
    ("movb", "source", 0, limits.BASE_REGISTERS - 1),
    ("setb", "value", -limits.MAX_BASE_VALUE - 1, limits.MAX_BASE_VALUE),
    ("vadd", "length", 1, limits.MAX_VECTOR_ELEMENTS),
    ("lut", "length", 1, limits.MAX_VECTOR_ELEMENTS),
    ("interp", "length", 1, limits.MAX_VECTOR_ELEMENTS),
    ("vadd", "shift", limits.MIN_SHIFT, limits.MAX_SHIFT),
    ("vadd", "shift_a", limits.MIN_SHIFT, limits.MAX_SHIFT),
    ("vadd", "bits", 1, limits.ACCUMULATOR_BITS),
    ("lut", "table", 0, limits.MAX_TABLE_WORDS - 1),
    ("interp", "slope", 0, limits.MAX_TABLE_WORDS - 1),
    ("lut", "bank", 0, limits.MAX_TABLE_BANKS - 1),
    ("interp", "offset_bank", 0, limits.MAX_TABLE_BANKS - 1),
    ("lut", "ways", 0, limits.MAX_TABLE_COPIES.bit_length() - 1),
    ("lut", "bits", 1, limits.MAX_TABLE_ADDRESS_BITS),
    ("mac", "columns", 1, limits.MAX_MATRIX_COLUMNS),
    ("mac", "rows", 1, limits.MAX_MATRIX_ROWS),
    ("mac", "acc", 0, limits.MAX_ACCUMULATOR_ROWS - 1),
    ("mac", "width", 0, len(limits.WEIGHT_BITS) - 1),
    ("mac", "weights", 0, limits.MAX_DATA_BYTES // 8 - 1),
    ("mac", "mask", 0, limits.MAX_DATA_BYTES // 8 - 1),
]


@pytest.mark.parametrize(("name", "field", "least", "most"), RANGES)
def test_a_field_takes_what_its_limit_says_and_no_more(name: str, field: str, least: int, most: int) -> None:
    for value in (least, most):
        assert ISA.decode(changed(name, **{field: value}).encode())
    for value in (least - 1, most + 1):
        with pytest.raises(AssemblyError):
            changed(name, **{field: value}).encode()


@pytest.mark.parametrize(
    ("legal", "illegal"),
    [
        (memory(limits.MAX_DATA_BYTES - 1, 8), memory(limits.MAX_DATA_BYTES, 8)),
        (accumulator(limits.MAX_ACCUMULATOR_ROWS - 1), accumulator(limits.MAX_ACCUMULATOR_ROWS)),
        (memory(0, 8, limits.BASE_REGISTERS - 1), memory(0, 8, limits.BASE_REGISTERS)),
    ],
)
def test_operands_take_what_their_limits_say_and_no_more(legal: Operand, illegal: Operand) -> None:
    assert Operand.decode(legal.encode()) == legal
    with pytest.raises(AssemblyError):
        illegal.encode()


def test_fields_of_one_name_have_one_range_in_every_format() -> None:
    """But for the target of a message, which may be a mailbox, the bits of a clip and of an address, and lengths."""
    ranges: dict[str, set[tuple[int, int]]] = {}
    for family, _ in ISA.table:
        names = {entry.name for entry in fields(family)}
        for entry in family.layout.fields:
            if entry.name in names:
                ranges.setdefault(entry.name, set()).add((entry.low, entry.high))
    assert {name for name, found in ranges.items() if len(found) > 1} == {"bits", "length", "target"}


def test_the_document_is_of_this_instruction_set() -> None:
    assert DOCUMENT.startswith(f"# The open SPU: instruction set `{limits.ISA_NAME}`\n")
    assert f"open-spu/{limits.ISA_VERSION}" == limits.ISA_NAME


@pytest.mark.parametrize(
    "sentence",
    [
        f"dependency counts of {limits.COUNT_BITS} bits",
        f"{limits.MAX_THREADS} threads per core",
        f"words of {limits.TABLE_WORD_BITS} bits",
        f"b1 to b{limits.BASE_REGISTERS - 1} of {limits.BASE_REGISTER_BITS} bits",
        f"rows of {limits.GROUP_SIZE} lanes of {limits.ACCUMULATOR_BITS} bits",
        f"dependency count of each thread, 1 to {limits.MAX_COUNT}",
    ],
)
def test_numbers_in_the_prose_of_the_document_are_those_of_the_code(sentence: str) -> None:
    assert sentence in DOCUMENT.replace("\n  ", " ").replace("\n", " ")
