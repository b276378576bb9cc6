"""Assembly text."""

from __future__ import annotations

import pytest

from femtodriver.errors import AssemblyError
from femtodriver.isa import (
    ISA,
    SPECS,
    ControlInstruction,
    MatrixInstruction,
    VectorInstruction,
    accumulator,
    immediate,
    memory,
)


@pytest.mark.parametrize(
    ("text", "instruction"),
    [
        ("end", ControlInstruction(SPECS["end"])),
        ("  setb register=0x3 value=-5 ", ControlInstruction(SPECS["setb"], register=3, value=-5)),
        ("vadd a1, #3, [16]:i8", VectorInstruction(SPECS["vadd"], accumulator(1), immediate(3), memory(16, 8))),
        ("vadd a1,#3,[0x10]:i8", VectorInstruction(SPECS["vadd"], accumulator(1), immediate(3), memory(16, 8))),
        ("vpass a1, a2 length=9", VectorInstruction(SPECS["vpass"], accumulator(1), accumulator(2), length=9)),
        ("mac [0]:i8 rows=9 acc=4", MatrixInstruction(SPECS["mac"], memory(0, 8), 4, rows=9)),
    ],
)
def test_text_says_what_it_looks_like(
    text: str, instruction: VectorInstruction | ControlInstruction | MatrixInstruction
) -> None:
    assert ISA.parse(text) == instruction


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "assembly: the instruction must be one of the table's names, not ''."),
        ("nop", "assembly: the instruction must be one of the table's names, not 'nop'."),
        ("vadd a1", "vadd: a must be given."),
        ("mac [0]:i8", "mac: acc must be given."),
        ("vadd a1, a2, a3, a4", "vadd: unknown operands or options"),
        ("end thread=1 now=2", "end: unknown operands or options ['now']."),
        ("setb register=one", "setb: register must be a number, not 'one'."),
        ("setb register=1 register=2", "setb: every option must be given once, not ['register', 'register']."),
        ("end reserved=0", "end: unknown operands or options ['reserved']."),
        ("end opcode=3", "end: unknown operands or options ['opcode']."),
    ],
)
def test_malformed_text_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(AssemblyError) as caught:
        ISA.parse(text)
    assert str(caught.value).startswith(sentence)


def test_values_out_of_range_are_refused_when_encoded() -> None:
    with pytest.raises(AssemblyError, match=r"^setb: register must be 0 to 7, not 8\.$"):
        ISA.parse("setb register=8").encode()
