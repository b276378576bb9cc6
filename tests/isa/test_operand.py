"""Operands: bits and text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import AssemblyError
from femtodriver.isa import Kind, Operand, accumulator, fits_immediate, immediate, memory
from femtodriver.isa.operand import OPERAND_BITS
from tests.isa.isa_samples import operands


@given(operands)
@settings(deadline=None)
def test_bits_and_text_give_the_same_operand_back(operand: Operand) -> None:
    bits = operand.encode()
    assert 0 <= bits < 1 << OPERAND_BITS
    assert Operand.decode(bits) == operand
    assert Operand.parse(operand.text()) == operand


@given(st.integers(0, 2**OPERAND_BITS - 1))
@settings(deadline=None)
def test_any_bits_decode_to_what_encodes_to_them_or_are_refused(bits: int) -> None:
    try:
        operand = Operand.decode(bits)
    except AssemblyError:
        assert bits >> 22 > 4 or (bits >> 22 == 3 and bits >> 9 & 0x1FFF)
        return
    assert operand.encode() == bits


# Written by hand from docs/isa.md.
@pytest.mark.parametrize(
    ("operand", "bits", "text"),
    [
        (memory(0x1F0, 8), 0x1F0, "[0x1f0]:i8"),
        (memory(0x1F0, 16), 1 << 22 | 0x1F0, "[0x1f0]:i16"),
        (memory(0x7FFFF, 32, 7), 2 << 22 | 7 << 19 | 0x7FFFF, "[b7+0x7ffff]:i32"),
        (accumulator(127), 3 << 22 | 127, "a127"),
        (accumulator(0, 8), 3 << 22 | 1 << 7, "a0:i8"),
        (accumulator(1, 16), 3 << 22 | 2 << 7 | 1, "a1:i16"),
        (accumulator(1, 32), 3 << 22 | 3 << 7 | 1, "a1:i32"),
        (immediate(0), 4 << 22, "#0"),
        (immediate(-1), 4 << 22 | 0x3FFFFF, "#-1"),
        (immediate(2**21 - 1), 4 << 22 | 0x1FFFFF, "#2097151"),
    ],
)
def test_bits_and_text_are_those_of_the_document(operand: Operand, bits: int, text: str) -> None:
    assert operand.encode() == bits
    assert operand.text() == text


@pytest.mark.parametrize(
    ("operand", "sentence"),
    [
        (memory(-1, 8), "memory operand: address must be 0 to 524287, not -1."),
        (memory(1 << 19, 8), "memory operand: address must be 0 to 524287, not 524288."),
        (memory(0, 8, 8), "memory operand: base must be 0 to 7, not 8."),
        (memory(0, 8, -1), "memory operand: base must be 0 to 7, not -1."),
        (Operand(Kind.I8, 0, 16), "operand: memory operand's bits must match its kind, not 16."),
        (accumulator(128), "accumulator operand: row must be 0 to 127, not 128."),
        (accumulator(-1), "accumulator operand: row must be 0 to 127, not -1."),
        (accumulator(0, 24), "operand: accumulator width must be 8, 16, 32 or 64, not 24."),
        (immediate(1 << 21), "immediate operand: value must be -2097152 to 2097151, not 2097152."),
        (immediate(-(1 << 21) - 1), "immediate operand: value must be -2097152 to 2097151, not -2097153."),
    ],
)
def test_what_does_not_fit_is_refused(operand: Operand, sentence: str) -> None:
    with pytest.raises(AssemblyError) as caught:
        operand.encode()
    assert str(caught.value) == sentence


@pytest.mark.parametrize("code", [5, 6, 7])
def test_unknown_kinds_are_refused(code: int) -> None:
    with pytest.raises(AssemblyError, match=rf"^operand: kind must be 0 to 4, not {code}\.$"):
        Operand.decode(code << 22)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a-1",
        "a1:i64",
        "a1:i24",
        "[4]",
        "[4]:i64",
        "[-4]:i8",
        "[b8+4]:i8",
        "[0xG]:i8",
        "#",
        "#1.5",
        "#0x10",
        "x",
    ],
)
def test_malformed_operands_are_refused(text: str) -> None:
    with pytest.raises(AssemblyError, match=r"^operand: must be \[address\]:iN, aROW, aROW:iN or #NUMBER, not"):
        Operand.parse(text)


@given(st.integers(-(2**23), 2**23))
@settings(deadline=None)
def test_fits_immediate_says_what_encode_does(value: int) -> None:
    if fits_immediate(value):
        assert Operand.decode(immediate(value).encode()).value == value
    else:
        with pytest.raises(AssemblyError):
            immediate(value).encode()


def test_only_the_memory_kinds_are_in_memory() -> None:
    assert [memory(0, bits).in_memory for bits in (8, 16, 32)] == [True] * 3
    assert not accumulator(0).in_memory
    assert not immediate(0).in_memory
