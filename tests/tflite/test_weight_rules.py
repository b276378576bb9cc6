"""Sums that just fit 32 bits, and those that just do not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tflite.measure_reader import outcome
from tests.tflite.tflite_writer import Net, write

MOST = (1 << 31) - 1


def layer(weights: list[list[int]], bias: list[int], zero: int, out_scale: float) -> tuple[str, str]:
    """The outcome of a FULLY_CONNECTED whose products have the scale 1/8."""
    net = Net()
    matrix, added = np.array(weights, np.int8), np.array(bias, np.int32)
    given, result = net.tensor([1, matrix.shape[1]], zero=zero), net.tensor([1, len(added)], scale=out_scale)
    constant = net.tensor(matrix.shape, scale=0.25, data=matrix)
    net.operator("FULLY_CONNECTED", [given, constant, net.tensor(added.shape, "INT32", 0.125, data=added)], [result])
    return outcome(write(net.model([given], [result])))


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("zero", "widest"), [(-128, 255), (127, 255), (0, 128), (-1, 128), (10, 138)])
def test_the_largest_sum_is_that_of_the_magnitudes(zero: int, widest: int, sign: int) -> None:
    sums = widest * (127 + 128)
    assert layer([[0, 0], [127, -128]], [5, sign * (MOST - sums)], zero, 1.0) == ("loaded", "")
    verdict, text = layer([[0, 0], [127, -128]], [5, sign * (MOST - sums + 1)], zero, 1.0)
    assert verdict == "refused"
    assert "sums of channel 1 must be below 2147483648, not reach 2147483648" in text


@pytest.mark.parametrize(("out_scale", "shift"), [(0.2, 0), (0.125, 1), (0.07, 1), (0.0625, 2), (0.125 / 3, 2)])
def test_a_multiplier_from_1_shifts_sums_to_the_left(out_scale: float, shift: int) -> None:
    room = (MOST >> shift) - 255
    assert layer([[1]], [room], -128, out_scale) == ("loaded", "")
    verdict, text = layer([[1]], [room + 1], -128, out_scale)
    assert verdict == "refused"
    assert "sums of channel 0" in text
