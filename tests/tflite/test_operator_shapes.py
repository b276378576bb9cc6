"""Shapes and slices, against NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import ModelError
from femtodriver.tflite.checked_operator import CheckBudget, CheckedOperator
from femtodriver.tflite.operator_shapes import broadcast, check_shapes, slices, strided_slice
from femtodriver.tflite.read_model import read_model
from tests.tflite.measure_reader import outcome
from tests.tflite.sample_models import one_operator
from tests.tflite.tflite_writer import Net, Table, write

SIZES = st.integers(1, 5)
BOUND = st.integers(-7, 7)


def first_operator(root: Table) -> CheckedOperator:
    model = read_model(write(root))
    return CheckedOperator(0, model.graphs[0].operators[0], model.graphs[0].tensors, CheckBudget())


@given(
    st.lists(st.tuples(SIZES, BOUND, BOUND, st.sampled_from((-2, -1, 1, 2, 3))), min_size=1, max_size=3),
    st.integers(0, 7),
    st.integers(0, 7),
)
def test_slices_take_what_numpy_takes(rows: list[tuple[int, int, int, int]], begin_mask: int, end_mask: int) -> None:
    shape, begins, ends, steps = (list(column) for column in zip(*rows, strict=True))
    masks: dict[str, Any] = {"begin_mask": begin_mask % (1 << len(shape)), "end_mask": end_mask % (1 << len(shape))}
    op = first_operator(one_operator("STRIDED_SLICE", [shape], [1], constants=[begins, ends, steps], **masks))
    for axis in range(len(shape)):
        assert (slices(op)[axis].start is None) == bool(masks["begin_mask"] >> axis & 1)
    assert list(strided_slice(op)) == [np.zeros(shape)[tuple(slices(op))].shape]


@given(st.lists(SIZES, max_size=3), st.lists(SIZES, max_size=3))
def test_shapes_are_broadcast_as_numpys(first: list[int], second: list[int]) -> None:
    op = first_operator(one_operator("ADD", [first, second], [1]))
    try:
        wanted = np.broadcast_shapes(tuple(first), tuple(second))
    except ValueError:
        with pytest.raises(ModelError, match="must fit each other"):
            broadcast(op)
        return
    assert list(broadcast(op)) == [wanted]
    if wanted != (1,):
        with pytest.raises(ModelError, match="output 0 must be of shape"):
            check_shapes(op, broadcast)


@pytest.mark.parametrize(
    ("size", "filter_size", "stride", "dilation", "same", "valid"),
    [
        (7, 3, 1, 1, 7, 5),
        (7, 3, 2, 1, 4, 3),
        (8, 2, 3, 1, 3, 3),
        (7, 3, 1, 2, 7, 3),
        (5, 5, 4, 1, 2, 1),
        (9, 1, 4, 1, 3, 3),
    ],
)
@pytest.mark.parametrize("padding", [0, 1])
def test_windows_of_a_convolution(
    size: int, filter_size: int, stride: int, dilation: int, same: int, valid: int, padding: int
) -> None:
    net = Net()
    given, result = net.tensor([1, size, 1, 1]), net.tensor([1, valid if padding else same, 1, 1], scale=1.0)
    filters = net.tensor([1, filter_size, 1, 1], data=np.ones((1, filter_size, 1, 1), np.int8))
    net.operator(
        "CONV_2D", [given, filters, -1], [result], padding=padding, stride_w=1, stride_h=stride, dilation_h=dilation
    )
    assert outcome(write(net.model([given], [result]))) == ("loaded", "")
