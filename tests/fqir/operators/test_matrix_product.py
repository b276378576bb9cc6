"""Matrix products: both orientations, bias, rounding, and the exactness of the fast path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fqir.small_networks import applied

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
