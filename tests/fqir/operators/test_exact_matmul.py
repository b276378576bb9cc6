"""Products by floating-point BLAS are exact, or are not computed so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.fqir.operators.exact_matmul import FixedMatrix, squared_norm


def exact_product(matrix: list[list[int]], vector: list[int]) -> list[int]:
    sums = [sum(w * x for w, x in zip(row, vector, strict=True)) for row in matrix]
    return [(total + (1 << 63)) % (1 << 64) - (1 << 63) for total in sums]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.data())
def test_products_are_exact_whatever_the_magnitude(k: int, m: int, data: st.DataObject) -> None:
    bits = [data.draw(st.integers(1, 62)) for _ in range(2)]
    numbers = [st.integers(-(1 << b), (1 << b) - 1) for b in bits]
    matrix = data.draw(st.lists(st.lists(numbers[0], min_size=k, max_size=k), min_size=m, max_size=m))
    vector = data.draw(st.lists(numbers[1], min_size=k, max_size=k))
    prepared = FixedMatrix(np.array(matrix, dtype=np.int64))
    expected = exact_product(matrix, vector)
    array = np.array(vector, dtype=np.int64)
    assert prepared.times(array).tolist() == expected
    rows = array[np.newaxis]
    assert prepared.times_rows(rows, squared_norm(rows)).tolist() == [expected]


def test_the_float_path_ends_before_it_can_round() -> None:
    # 2**27 * 2**26 + 1 = 2**53 + 1 is no float64
    matrix = FixedMatrix(np.array([[1 << 27, 1]], dtype=np.int64))
    vector = np.array([1 << 26, 1], dtype=np.int64)
    assert matrix.times(vector).tolist() == [(1 << 53) + 1]
    assert squared_norm(vector) > matrix.reach


def test_the_float_path_serves_full_range_16_bit_weights() -> None:
    matrix = FixedMatrix(np.full((4, 1024), -32768, dtype=np.int64))
    vector = np.full(1024, -32768, dtype=np.int64)
    assert squared_norm(vector) < matrix.reach
    assert matrix.times(vector).tolist() == [1 << 40] * 4
