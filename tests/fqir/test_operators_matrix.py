"""Matrix products: both orientations, bias, rounding, and the exactness of the fast path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import applied

from femtodriver.fqir.operators.exact_matmul import FixedMatrix, squared_norm

MATMUL: dict[str, Any] = {"shamt_bwred": 0, "bw_out": 16, "rounded": False}
ADDMM: dict[str, Any] = {"shamt_bias": 0, **MATMUL}


@pytest.mark.parametrize("parameters", [(), ("y",)])
def test_matmul_with_weights_in_by_out(parameters: tuple[str, ...]) -> None:
    arrays = {"x": [1, 2], "y": [[1, 2, 3], [4, 5, 6]]}
    assert applied("matmul", arrays, parameters=parameters, **MATMUL) == [[9, 12, 15]]


@pytest.mark.parametrize("parameters", [(), ("x",)])
def test_matmul_with_weights_out_by_in(parameters: tuple[str, ...]) -> None:
    arrays = {"x": [[1, 2], [3, 4], [5, 6]], "y": [1, -1]}
    assert applied("matmul", arrays, parameters=parameters, **MATMUL) == [[-1, -1, -1]]


@pytest.mark.parametrize("parameters", [(), ("y",)])
def test_matmul_of_two_matrices(parameters: tuple[str, ...]) -> None:
    arrays = {"x": [[1, 2], [3, 4]], "y": [[1, 0], [1, 1]]}
    assert applied("matmul", arrays, parameters=parameters, **MATMUL) == [[[3, 2], [7, 4]]]


def test_matmul_rounds_or_floors_and_saturates() -> None:
    arrays = {"x": [1], "y": [[3, -3, 1000, -1000]]}
    assert applied("matmul", arrays, **{**MATMUL, "shamt_bwred": -1, "bw_out": 8}) == [[1, -2, 127, -128]]
    assert applied("matmul", arrays, **{**MATMUL, "shamt_bwred": -1, "bw_out": 8, "rounded": True}) == [
        [2, -1, 127, -128]
    ]


@pytest.mark.parametrize("parameters", [(), ("y",), ("y", "bias")])
def test_addmm_rounds_the_bias_and_the_result(parameters: tuple[str, ...]) -> None:
    # bias 3 >> 1 rounded = 2; (4 + 2) = 6, 6 >> 2 rounded = 2. Floors: 1, 5, 1.
    arrays = {"bias": [3], "x": [2, 1], "y": [[1], [2]]}
    rounded = {**ADDMM, "shamt_bias": -1, "shamt_bwred": -2}
    assert applied("addmm", arrays, parameters=parameters, **{**rounded, "rounded": True}) == [[2]]
    assert applied("addmm", arrays, parameters=parameters, **rounded) == [[1]]


def test_addmm_clamps_the_shifted_bias_to_32_bits() -> None:
    arrays = {"bias": [1 << 20], "x": [1], "y": [[0]]}
    assert applied("addmm", arrays, **{**ADDMM, "shamt_bias": 20, "shamt_bwred": -20}) == [[2047]]


def test_addmm_bias_runs_along_axis_0_of_a_matrix() -> None:
    arrays = {"bias": [10, 20], "x": [[1, 0], [0, 1]], "y": [[1, 2], [3, 4]]}
    assert applied("addmm", arrays, **ADDMM) == [[[11, 12], [23, 24]]]


def exact_product(matrix: list[list[int]], vector: list[int]) -> list[int]:
    sums = [sum(w * x for w, x in zip(row, vector, strict=True)) for row in matrix]
    return [(total + (1 << 63)) % (1 << 64) - (1 << 63) for total in sums]


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
