"""Moving data, look-up tables, and the border to real numbers."""

from __future__ import annotations

from typing import Any

import pytest

from femtodriver.errors import ModelError
from tests.fqir.small_networks import applied, graph, network, node, run


def test_copy() -> None:
    assert applied("copy", {"x": [1, -2]}) == [[1, -2]]


@pytest.mark.parametrize("dim", [0, -1])
def test_cat_joins_in_index_order(dim: int) -> None:
    assert applied("cat", {"x1": [3], "x0": [1, 2], "x2": [4]}, dim=dim) == [[1, 2, 3, 4]]


def test_cat_orders_by_number_not_by_text() -> None:
    assert applied("cat", {f"x{index}": [index] for index in range(12)}, dim=0) == [list(range(12))]


def test_cat_along_the_last_axis_of_matrices() -> None:
    assert applied("cat", {"x0": [[1], [2]], "x1": [[3], [4]]}, dim=-1) == [[[1, 3], [2, 4]]]


def test_take_counts_elements_row_by_row() -> None:
    assert applied("take", {"x": [[1, 2], [3, 4]]}, indices=(3, 0, 0)) == [[4, 1, 1]]
    assert applied("take", {"x": [5]}, indices=()) == [[]]


def test_take_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="indices must be below the number of elements of x, not 2 for 2 elements"):
        applied("take", {"x": [1, 2]}, indices=(0, 2))


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
