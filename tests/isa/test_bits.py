"""Bit fields and layouts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import AssemblyError
from femtodriver.isa.bits import BitField, Layout

bit_fields = st.builds(BitField, st.just("f"), st.integers(1, 24), st.booleans(), st.integers(-3, 3))


@given(bit_fields, st.data())
@settings(deadline=None)
def test_every_value_of_a_field_comes_back(entry: BitField, data: st.DataObject) -> None:
    value = data.draw(st.integers(entry.low, entry.high))
    bits = entry.encode("x", value)
    assert 0 <= bits < 1 << entry.width
    # Bits of the neighbour above must not matter.
    assert entry.decode("x", bits | 5 << entry.width) == value


@given(bit_fields)
@settings(deadline=None)
def test_a_field_has_as_many_values_as_its_bits_allow(entry: BitField) -> None:
    assert entry.high - entry.low + 1 == 1 << entry.width


@given(bit_fields)
@settings(deadline=None)
def test_the_neighbours_of_a_range_are_refused(entry: BitField) -> None:
    for value in (entry.low - 1, entry.high + 1):
        with pytest.raises(AssemblyError, match=rf"^x: f must be {entry.low} to {entry.high}, not {value}\.$"):
            entry.encode("x", value)


def test_a_declared_largest_value_is_enforced_both_ways() -> None:
    entry = BitField("f", 2, most=2)
    assert entry.encode("x", 2) == 2
    with pytest.raises(AssemblyError, match=r"^x: f must be 0 to 2, not 3\.$"):
        entry.encode("x", 3)
    with pytest.raises(AssemblyError, match=r"^x: f must be 0 to 2, not 3\.$"):
        entry.decode("x", 3)


def test_fields_lie_one_after_the_other_from_bit_0_up() -> None:
    layout = Layout(BitField("a", 4), BitField("b", 8, signed=True), BitField("c", 52), BitField("d", 64))
    assert layout.encode("x", {"a": 0xF, "b": -1}) == (0xFFF, 0)
    assert layout.encode("x", {"c": 1, "d": 9}) == (1 << 12, 9)


@pytest.mark.parametrize("widths", [(63,), (65,), (4, 59), (4, 61), (64, 63), (64, 65), ()])
def test_a_layout_with_a_hole_or_too_many_bits_fails(widths: tuple[int, ...]) -> None:
    total = sum(widths)
    with pytest.raises(AssemblyError, match=rf"^layout: the fields must fill 64 or 128 bits, not {total}\.$"):
        Layout(*(BitField(f"f{index}", width) for index, width in enumerate(widths)))


def test_two_fields_of_one_name_fail() -> None:
    with pytest.raises(AssemblyError, match="the field names must differ"):
        Layout(BitField("f", 32), BitField("f", 32))


@pytest.mark.parametrize("words", [(), (1,), (1, 2, 3)])
def test_decoding_wants_all_words(words: tuple[int, ...]) -> None:
    layout = Layout(BitField("a", 128))
    with pytest.raises(AssemblyError, match=rf"^x: must have 2 instruction words, not {len(words)}\.$"):
        layout.decode("x", words)
