"""Scales that are legal numbers, but beyond what float32 arithmetic can hold: taken or refused, never a traceback."""

from __future__ import annotations

import re

import numpy as np
import pytest

from femtodriver.errors import UnsupportedError
from femtodriver.tflite.import_network import import_network
from femtodriver.tflite.rescaling import REQUANTIZE, TFLITE, XNNPACK
from tests.tflite.tflite_writer import Net, write

SMALLEST, LARGEST = 1.2e-38, 3e38
RELU6 = 3


def _pair(name: str, first: float, second: float, result: float, **options: int) -> bytes:
    net = Net()
    given = [net.tensor([1, 4], scale=scale) for scale in (first, second)]
    output = net.tensor([1, 4], scale=result)
    net.operator(name, given, [output], **options)
    return write(net.model(given, [output]))


def _single(name: str, given_scale: float, result: float) -> bytes:
    net = Net()
    given, output = net.tensor([1, 4], scale=given_scale), net.tensor([1, 4], scale=result)
    net.operator(name, [given], [output])
    return write(net.model([given], [output]))


def _layer(source: float, weight: float, result: float) -> bytes:
    net = Net()
    given = net.tensor([1, 2], scale=source)
    weights = net.tensor([1, 2], scale=weight, data=np.array([[1, 2]], np.int8))
    output = net.tensor([1, 1], scale=result)
    net.operator("FULLY_CONNECTED", [given, weights, -1], [output], fused_activation=RELU6)
    return write(net.model([given], [output]))


@pytest.mark.parametrize("requantize", REQUANTIZE)
def test_a_limit_that_is_no_number_of_steps_limits_nothing(requantize: str) -> None:
    network = import_network(_layer(1e-20, 1e-18, SMALLEST), "net", requantize)
    (rescale,) = (node for node in network.frame.nodes if node.op == "rescale")
    assert rescale.constants["high"] == 127
    import_network(_single("RELU6", SMALLEST, SMALLEST), "net", requantize)


@pytest.mark.parametrize(
    ("data", "requantize"),
    [
        (_pair("MUL", LARGEST, LARGEST, LARGEST), TFLITE),
        (_pair("MUL", LARGEST, LARGEST, SMALLEST), XNNPACK),
        (_pair("ADD", LARGEST, LARGEST, SMALLEST), XNNPACK),
        (_pair("ADD", SMALLEST, SMALLEST, LARGEST), XNNPACK),
        (_layer(1e20, 1e20, 1e38), XNNPACK),
        (_single("QUANTIZE", LARGEST, SMALLEST), XNNPACK),
    ],
)
def test_multipliers_that_are_no_numbers_are_refused(data: bytes, requantize: str) -> None:
    with pytest.raises(UnsupportedError, match="scales"):
        import_network(data, "net", requantize)


def test_a_sum_in_steps_too_small_for_the_reference_kernels_is_refused() -> None:
    """They end the process for ADD, and shift by a negative number for SUB."""
    for name in ("ADD", "SUB"):
        with pytest.raises(UnsupportedError, match=re.escape("the output's scale must be above 1.90735e-06")):
            import_network(_pair(name, 1.0, 1e-6, 1e-6), "net")


def test_a_function_of_values_beyond_float32_is_that_of_infinity() -> None:
    import_network(_single("TANH", LARGEST, 1 / 128), "net")
