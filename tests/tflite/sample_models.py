"""Small models that between them have every operator which is understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.tflite.tflite_writer import Net, Table

SIGMOID = (1 / 256, -128)
TANH = (1 / 128, 0)


def weights(net: Net, shape: Sequence[int], axis: int, scales: int) -> int:
    """int8 weights with a scale for each channel."""
    data = (np.arange(np.prod(shape)) % 7 - 3).astype(np.int8)
    return net.tensor(shape, scale=[0.25] * scales, data=data, axis=axis)


def bias(net: Net, size: int) -> int:
    return net.tensor([size], "INT32", [0.125] * size, data=np.arange(size, dtype=np.int32))


def one_operator(
    name: str,
    inputs: Sequence[Sequence[int]],
    output: Sequence[int],
    *,
    to: tuple[float, int] = (0.5, 0),
    constants: Sequence[Any] = (),
    first: bool = False,
    **options: Any,
) -> Table:
    """A model of one operator: ``inputs`` and ``output`` are shapes, ``constants`` follow them (``first``: precede)."""
    net = Net()
    given = [net.tensor(shape) for shape in inputs]
    lists = [net.constant(values) for values in constants]
    result = net.tensor(output, scale=to[0], zero=to[1])
    net.operator(name, [*lists, *given] if first else [*given, *lists], [result], **options)
    return net.model(given, [result])


def fully_connected(**options: Any) -> Table:
    net = Net()
    given, result = net.tensor([1, 4]), net.tensor([1, 3], scale=1.0)
    net.operator("FULLY_CONNECTED", [given, weights(net, [3, 4], 0, 3), bias(net, 3)], [result], **options)
    return net.model([given], [result])


def convolution(**options: Any) -> Table:
    net = Net()
    given, result = net.tensor([1, 5, 4, 2]), net.tensor([1, 2, 2, 3], scale=1.0)
    known = {"padding": 1, "stride_w": 2, "stride_h": 2, "fused_activation": 1, **options}
    net.operator("CONV_2D", [given, weights(net, [3, 3, 2, 2], 0, 3), bias(net, 3)], [result], **known)
    return net.model([given], [result])


def depthwise(**options: Any) -> Table:
    net = Net()
    given, result = net.tensor([1, 5, 4, 2]), net.tensor([1, 5, 4, 4], scale=1.0)
    known = {"padding": 0, "stride_w": 1, "stride_h": 1, "depth_multiplier": 2, **options}
    net.operator("DEPTHWISE_CONV_2D", [given, weights(net, [1, 3, 3, 4], 3, 4)], [result], **known)
    return net.model([given], [result])


def retyped(name: str, kinds: tuple[str, str]) -> Table:
    """QUANTIZE and DEQUANTIZE."""
    net = Net()
    given, result = (net.tensor([1, 4], kind, None if kind == "FLOAT32" else 0.5) for kind in kinds)
    net.operator(name, [given], [result])
    return net.model([given], [result])


def parts(name: str) -> Table:
    """SPLIT and SPLIT_V, in two parts."""
    net = Net()
    given = net.tensor([1, 6])
    sizes = [3, 3] if name == "SPLIT" else [2, 4]
    results = [net.tensor([1, size]) for size in sizes]
    axis = net.constant(-1)
    inputs = [axis, given] if name == "SPLIT" else [given, net.constant([2, -1]), axis]
    net.operator(name, inputs, results, num_splits=2)
    return net.model([given], results)


def streaming() -> Table:
    """A variable of two rows: read, joined with the input, cut, assigned."""
    net = Net()
    given = net.tensor([1, 1, 3])
    handle = net.tensor([], "RESOURCE", None)
    old, whole, new = net.tensor([1, 2, 3]), net.tensor([1, 3, 3]), net.tensor([1, 2, 3])
    lists = [net.constant(values) for values in ([0, 1, 0], [0, 0, 0], [1, 1, 1])]
    net.operator("CALL_ONCE", [], [], init_subgraph_index=1)
    net.operator("VAR_HANDLE", [], [handle], container="", shared_name="rows")
    net.operator("READ_VARIABLE", [handle], [old])
    net.operator("CONCATENATION", [old, given], [whole], axis=1)
    net.operator("STRIDED_SLICE", [whole, *lists], [new], begin_mask=5, end_mask=7)
    net.operator("ASSIGN_VARIABLE", [handle, new], [])
    start = net.beside()
    inner = start.tensor([], "RESOURCE", None)
    rows = start.tensor([1, 2, 3], data=np.zeros((1, 2, 3), np.int8))
    start.operator("VAR_HANDLE", [], [inner], container="", shared_name="rows")
    start.operator("ASSIGN_VARIABLE", [inner, rows], [])
    return net.model([given], [whole], start.graph([], []))


def samples() -> Mapping[str, Table]:
    """{name: model}, made anew, so that a test may change them."""
    pool: dict[str, Any] = {"padding": 0, "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 3}
    return {
        "ADD": one_operator("ADD", [[1, 4], [1, 4]], [1, 4], fused_activation=3),
        "SUB": one_operator("SUB", [[1, 4], [1, 4]], [1, 4]),
        "MUL": one_operator("MUL", [[1, 2, 4], [4]], [1, 2, 4]),
        "AVERAGE_POOL_2D": one_operator("AVERAGE_POOL_2D", [[1, 5, 4, 2]], [1, 3, 2, 2], **pool),
        "MAX_POOL_2D": one_operator("MAX_POOL_2D", [[1, 5, 4, 2]], [1, 2, 2, 2], **{**pool, "padding": 1}),
        "CONV_2D": convolution(),
        "DEPTHWISE_CONV_2D": depthwise(),
        "FULLY_CONNECTED": fully_connected(),
        "QUANTIZE": retyped("QUANTIZE", ("FLOAT32", "INT8")),
        "DEQUANTIZE": retyped("DEQUANTIZE", ("INT8", "FLOAT32")),
        "LOGISTIC": one_operator("LOGISTIC", [[1, 4]], [1, 4], to=SIGMOID),
        "TANH": one_operator("TANH", [[1, 4]], [1, 4], to=TANH),
        "SOFTMAX": one_operator("SOFTMAX", [[1, 4]], [1, 4], to=SIGMOID, beta=1.0),
        "RELU": one_operator("RELU", [[1, 4]], [1, 4], to=(0.25, -128)),
        "RELU6": one_operator("RELU6", [[1, 4]], [1, 4]),
        "RESHAPE": one_operator("RESHAPE", [[1, 4]], [2, 2], new_shape=(2, -1)),
        "PAD": one_operator("PAD", [[1, 4]], [1, 7], constants=[[[0, 0], [1, 2]]]),
        "MEAN": one_operator("MEAN", [[1, 3, 4]], [1, 4], constants=[[-2]], keep_dims=False),
        "SPLIT": parts("SPLIT"),
        "SPLIT_V": parts("SPLIT_V"),
        "streaming": streaming(),
    }
