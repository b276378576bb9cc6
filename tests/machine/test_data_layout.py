"""Addresses of data memory and the banks behind them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import MachineFault
from femtodriver.machine.data_layout import DataLayout
from tests.machine.machine_bench import SMALL

LAYOUT = DataLayout.of(SMALL)


def test_sizes_are_those_of_the_part() -> None:
    assert (LAYOUT.banks, LAYOUT.bank_words, LAYOUT.words) == (8, 64, 512)


def test_elements_and_words_at_an_address() -> None:
    assert LAYOUT.elements(0x20, 3, 16) == slice(16, 19)
    assert LAYOUT.elements(0xFFC, 1, 32) == slice(1023, 1024)
    assert LAYOUT.word_range(0x18, 4) == slice(3, 7)
    assert LAYOUT.word_range(0x1000, 0) == slice(512, 512)


@pytest.mark.parametrize(
    ("address", "length", "bits", "sentence"),
    [
        (1, 1, 16, "address 0x1: must be a multiple of 2 for 16-bit elements."),
        (0xFFE, 3, 8, "address 0xffe: 3 elements of 8 bits must end at or before 0x1000, the end of data memory."),
        (-2, 1, 16, "address -0x2: 1 elements of 16 bits must end at or before 0x1000, the end of data memory."),
    ],
)
def test_elements_that_are_not_there(address: int, length: int, bits: int, sentence: str) -> None:
    with pytest.raises(MachineFault) as caught:
        LAYOUT.elements(address, length, bits)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("address", "length", "sentence"),
    [
        (4, 1, "address 0x4: must be a multiple of 8 for a word transfer."),
        (0xFF8, 2, "address 0xff8: 2 words must end inside data memory."),
    ],
)
def test_words_that_are_not_there(address: int, length: int, sentence: str) -> None:
    with pytest.raises(MachineFault) as caught:
        LAYOUT.word_range(address, length)
    assert str(caught.value) == sentence


@given(st.integers(0, 4000), st.integers(0, 96))
def test_bytes_are_accessed_word_by_word(address: int, size: int) -> None:
    touched = {byte // 8 for byte in range(address, address + size)}
    expected = [0] * 8
    for word in touched:
        expected[2 * (word // 128) + word % 2] += 1
    if size:
        assert LAYOUT.accesses_of_bytes(address, size).tolist() == expected


@given(st.integers(0, 512), st.integers(0, 512))
@settings(deadline=None)
def test_bank_accesses_against_one_word_at_a_time(first: int, end: int) -> None:
    expected = [0] * 8
    for word in range(first, end):
        expected[2 * (word // 128) + word % 2] += 1
    assert LAYOUT.accesses(first, end).tolist() == expected
    each = LAYOUT.accesses_each(np.array([first, 3]), np.array([max(first, end), 3]))
    assert each.tolist() == [expected, [0] * 8]


@pytest.mark.parametrize(("first", "end"), [(-1, 2), (511, 513), (600, 601)])
def test_bank_accesses_outside_are_faults(first: int, end: int) -> None:
    with pytest.raises(MachineFault, match="must lie inside data memory"):
        LAYOUT.accesses(first, end)
