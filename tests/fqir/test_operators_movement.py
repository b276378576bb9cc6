"""Moving data, look-up tables, and the border to real numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_networks import applied, graph, network, node, run

from femtodriver.errors import InputError
from femtodriver.fqir.graph import Table
from femtodriver.fqir.operators.quantization import dequantize, quantize


def squares(bits: int) -> Table:
    addresses = np.arange(-(1 << bits - 1), 1 << bits - 1)
    return Table("square", addresses, addresses**2)


def test_lut_saturates_its_address() -> None:
    constants = {"shamt_address": 0, "bw_address": 8, "table": squares(8), "function": "square"}
    assert applied("lut", {"x": [3, -3, 127, -128, 500, -500]}, **constants) == [[9, 9, 16129, 16384, 16129, 16384]]


def test_lut_floors_a_shifted_address() -> None:
    constants = {"shamt_address": -2, "bw_address": 4, "table": squares(4), "function": None}
    assert applied("lut", {"x": [-1, 7, 40]}, **constants) == [[1, 1, 49]]


def test_copy() -> None:
    assert applied("copy", {"x": [1, -2]}) == [[1, -2]]


@pytest.mark.parametrize("dim", [0, -1])
def test_cat_joins_in_index_order(dim: int) -> None:
    assert applied("cat", {"x1": [3], "x0": [1, 2], "x2": [4]}, dim=dim) == [[1, 2, 3, 4]]


def test_cat_orders_by_number_not_by_text() -> None:
    assert applied("cat", {f"x{index}": [index] for index in range(12)}, dim=0) == [list(range(12))]


def test_cat_along_the_last_axis_of_matrices() -> None:
    assert applied("cat", {"x0": [[1], [2]], "x1": [[3], [4]]}, dim=-1) == [[[1, 3], [2, 4]]]


@pytest.mark.parametrize("dim", [-1, 0, 1])
def test_split_cuts_axis_0_and_ignores_dim(dim: int) -> None:
    assert applied("split", {"x": [1, 2, 3, 4, 5]}, 3, lengths=(2, 0, 3), dim=dim) == [[1, 2], [], [3, 4, 5]]


def test_split_of_a_matrix_cuts_rows_even_if_the_lengths_mean_columns() -> None:
    assert applied("split", {"x": [[1, 2, 3], [4, 5, 6]]}, 2, lengths=(1, 2), dim=-1) == [[[1, 2, 3]], [[4, 5, 6]]]


@pytest.mark.parametrize(
    ("size", "chunks", "expected"),
    [(6, 3, [[0, 1], [2, 3], [4, 5]]), (7, 3, [[0, 1, 2], [3, 4], [5, 6]]), (2, 3, [[0], [1], []])],
)
def test_chunk_gives_the_first_parts_the_rest(size: int, chunks: int, expected: Any) -> None:
    assert applied("chunk", {"x": list(range(size))}, chunks, chunks=chunks, dim=-1) == expected


def test_chunk_along_the_last_axis() -> None:
    assert applied("chunk", {"x": [[1, 2, 3], [4, 5, 6]]}, 2, chunks=2, dim=-1) == [[[1, 2], [4, 5]], [[3], [6]]]


def test_stack_makes_an_axis() -> None:
    assert applied("stack", {"x0": [1, 2], "x1": [3, 4]}, dim=0) == [[[1, 2], [3, 4]]]
    assert applied("stack", {"x0": [1, 2], "x1": [3, 4]}, dim=-1) == [[[1, 3], [2, 4]]]


@pytest.mark.parametrize("shape", [(3, 2), (-1, 2), (3, -1)])
def test_reshape_is_row_by_row(shape: tuple[int, ...]) -> None:
    assert applied("reshape", {"x": [1, 2, 3, 4, 5, 6]}, shape=shape) == [[[1, 2], [3, 4], [5, 6]]]


def test_transpose() -> None:
    assert applied("transpose", {"x": [[1, 2, 3]]}, dim0=0, dim1=1) == [[[1], [2], [3]]]
    assert applied("transpose", {"x": [1, 2, 3]}, dim0=0, dim1=1) == [[1, 2, 3]]


def test_fills() -> None:
    assert applied("constant_like", {"x": [1, 2, 3]}, imm=-7) == [[-7, -7, -7]]
    frame = graph(
        [node("zeros", {}, ["z"], shape=(2,)), node("constant", {}, ["c"], shape=(1, 2), value=5)], outputs=["z", "c"]
    )
    assert run(network(frame), {}) == [{"z": [0, 0], "c": [[5, 5]]}]


def test_quantize_floors_and_clamps_real_numbers() -> None:
    x = np.array([0.49, -0.01, 3.2, -3.2, np.inf, -np.inf], dtype=np.float32)
    assert quantize(x, -1, 3).tolist() == [0, -1, 3, -4, 3, -4]


def test_quantize_passes_integers_in_range_only() -> None:
    assert quantize(np.array([127, -128]), -7, 8).tolist() == [127, -128]
    with pytest.raises(InputError, match=r"quantize: integers must be from -128 to 127, not 128\."):
        quantize(np.array([0, 128]), -7, 8)
    with pytest.raises(InputError, match="must be finite or infinite, not NaN"):
        quantize(np.array([np.nan]), -7, 8)


def test_quantize_of_integers_inside_a_frame() -> None:
    assert applied("quantize", {"x": [5, -5]}, quanta=-3.0, bw=8) == [[5, -5]]


def test_dequantize_scales_by_a_power_of_two() -> None:
    result = dequantize(np.array([3, -1]), -2)
    assert result.dtype == np.float64
    assert result.tolist() == [0.75, -0.25]
