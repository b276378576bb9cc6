"""Arithmetic of ranges, against all numbers in them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from femtodriver import fixed
from femtodriver.fqir.operators.ranges import Range, bits_of, hull, of_bits, product, shifted

SMALL = [(low, high) for low in range(-5, 6) for high in range(low, 6)]


@pytest.mark.parametrize(
    ("values", "bits"), [((0, 0), 1), ((-1, 0), 1), ((0, 1), 2), ((-128, 127), 8), ((-129, 0), 9), ((0, 128), 9)]
)
def test_bits_of_a_range(values: Range, bits: int) -> None:
    assert bits_of(values) == bits


@pytest.mark.parametrize("bits", range(1, 40))
def test_a_range_of_bits_has_these_bits(bits: int) -> None:
    assert bits_of(of_bits(bits)) == bits


def test_hull() -> None:
    assert hull((1, 2)) == (1, 2)
    assert hull((0, 1), (-5, -4), (0, 0)) == (-5, 1)


def test_products_are_all_inside_and_reach_both_ends() -> None:
    for one, other in itertools.product(SMALL, SMALL):
        found = [x * y for x in range(one[0], one[1] + 1) for y in range(other[0], other[1] + 1)]
        assert product(one, other) == (min(found), max(found))


@pytest.mark.parametrize("amount", [-7, -2, -1, 0, 1, 3])
def test_shifted_values_are_inside_rounded_or_not(amount: int) -> None:
    for low, high in SMALL:
        numbers = np.arange(low, high + 1)
        for rounded in (False, True):
            found = fixed.round_shift(numbers, amount, rounded)
            assert shifted((low, high), amount)[0] <= found.min()
            assert shifted((low, high), amount)[1] >= found.max()
