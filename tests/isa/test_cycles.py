"""The cycle rules against tables written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.isa import cycles
from femtodriver.isa.cycles import BankLoad


# One pass multiplies 8 bits by 16 bits.
@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        (8, 8, 1),
        (8, 16, 1),
        (1, 16, 1),
        (2, 9, 1),
        (9, 9, 2),
        (16, 16, 2),
        (8, 17, 2),
        (8, 32, 2),
        (16, 32, 4),
        (24, 24, 6),
        (32, 32, 8),
        (8, 64, 4),
        (64, 64, 32),
    ],
)
def test_passes(one: int, other: int, count: int) -> None:
    assert cycles.passes(one, other) == cycles.passes(other, one) == count


@given(st.integers(1, 64), st.integers(1, 64))
@settings(deadline=None)
def test_passes_cover_the_product_and_grow_with_it(one: int, other: int) -> None:
    count = cycles.passes(one, other)
    assert count * 8 * 16 >= one * other
    assert count <= cycles.passes(one + 1, other)


def load(length: int, busiest: int, first_reads: int = 1, last_writes: int = 1, second_reads: int = 0) -> BankLoad:
    """The load of one part."""
    return BankLoad(((length, busiest),), first_reads, second_reads, last_writes)


@pytest.mark.parametrize(
    ("length", "passes", "busiest", "expected"),
    [
        (1, 1, 0, 3 + 1),
        (8, 1, 0, 3 + 1),
        (9, 1, 0, 3 + 2),
        (64, 1, 8, 3 + 8),
        (64, 1, 12, 3 + 12),
        (64, 2, 12, 3 + 16),
        (64, 2, 20, 3 + 20 + 1),
        (4096, 1, 0, 3 + 512),
    ],
)
def test_vector(length: int, passes: int, busiest: int, expected: int) -> None:
    assert cycles.vector(8, passes, load(length, busiest)) == expected


def test_the_first_and_the_last_elements_are_waited_for() -> None:
    assert cycles.vector(8, 1, load(64, 8, first_reads=3)) == 3 + 8 + 2
    assert cycles.vector(8, 1, load(64, 8, last_writes=2)) == 3 + 8 + 1
    assert cycles.lookup(8, 2, load(64, 8, 2, 3)) == 4 + 16 + 1 + 2
    assert cycles.vector(8, 1, load(64, 8, 2, second_reads=4)) == 3 + 8 + 2
    assert cycles.vector(8, 1, load(64, 12, 2, second_reads=4)) == 3 + 12 + 1
    assert cycles.vector(8, 4, load(64, 12, 2, second_reads=4)) == 3 + 32 + 1


def test_each_part_takes_as_long_as_the_slower_of_lanes_and_banks() -> None:
    parts = BankLoad(((16, 9), (24, 2), (8, 5)))
    assert cycles.vector(8, 1, parts) == 3 + 9 + 3 + 5
    assert cycles.vector(8, 4, parts) == 3 + 9 + 12 + (5 + 3)


@pytest.mark.parametrize(
    ("length", "copies", "busiest", "expected"),
    [
        (1, 1, 1, 4 + 1),
        (32, 1, 4, 4 + 16),
        (16, 2, 3, 4 + 4),
        (16, 4, 2, 4 + 2),
        (16, 4, 9, 4 + 9),
        (16, 2, 9, 4 + 9 + 1),
        (17, 4, 0, 4 + 3),
        (3, 1, 9, 4 + 9 + 1),
    ],
)
def test_lookup(length: int, copies: int, busiest: int, expected: int) -> None:
    assert cycles.lookup(8, copies, load(length, busiest)) == expected


@pytest.mark.parametrize(
    ("length", "copies", "tables", "busiest", "expected"),
    [
        (1, 1, 1, 1, 5 + 1),
        (64, 4, 1, 1, 5 + 8),
        (64, 4, 2, 12, 5 + 16),
        (64, 4, 2, 18, 5 + 18 + 1),
        (9, 1, 2, 1, 5 + 9),
    ],
)
def test_interpolate(length: int, copies: int, tables: int, busiest: int, expected: int) -> None:
    assert cycles.interpolate(8, copies, tables, load(length, busiest)) == expected


@pytest.mark.parametrize(
    ("lanes_end", "scan", "mask", "busiest", "expected"),
    [
        (0, 1, 0, 1, 4 + 1),
        (100, 16, 3, 58, 4 + 100),
        (3, 16, 9, 9, 4 + 16),
        (3, 4, 5, 9, 4 + 9),
        (3, 4, 10, 9, 4 + 10),
    ],
)
def test_matrix(lanes_end: int, scan: int, mask: int, busiest: int, expected: int) -> None:
    assert cycles.matrix(lanes_end, scan, mask, busiest) == expected
    assert cycles.matrix(lanes_end, scan, mask, busiest, first_reads=2) == expected + 1


def test_the_small_ones() -> None:
    assert [cycles.transfer(words) for words in (0, 1, 100)] == [2, 3, 102]
    assert (cycles.control(False), cycles.control(True)) == (1, 2)
    assert (cycles.element(False), cycles.element(True)) == (3, 5)
    assert cycles.THREAD_SWITCH == 2


def test_no_instruction_outruns_the_fetch_of_its_words() -> None:
    """Two instruction words are fetched per cycle, and a branch or a thread switch begins with a fetch."""
    assert cycles.vector(8, 1, load(1, 0)) >= 2
    assert cycles.lookup(8, 4, load(1, 0)) >= 2
    assert cycles.interpolate(8, 1, 1, load(1, 0)) >= 2
    assert cycles.matrix(0, 1, 0, 1) >= 2
    assert min(cycles.transfer(0), cycles.control(False), cycles.element(False)) >= 1
