"""FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D: sums of products in 32 bits, then one ``rescale``."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.fqir.graph import Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.movement_imports import taken
from femtodriver.tflite.network_in_making import NetworkInMaking
from femtodriver.tflite.picture_imports import convolved
from femtodriver.tflite.picture_rows import joined
from femtodriver.tflite.picture_windows import window_cells
from femtodriver.tflite.rescaling import XNNPACK, centred_limits, product_multipliers, rescale_constants
from femtodriver.tflite.value_rules import activation

WEIGHT_BITS, BIAS_BITS = 8, 32


def fully_connected(op: CheckedOperator, net: NetworkInMaking) -> None:
    """Rows of the flattened input times weights (outputs, inputs)."""
    weights = op.constant(op.input(1), "weights")
    outputs, inputs = weights.shape
    rows = prod(op.input().shape) // inputs
    x = net.value(op, op.input())
    bias = biases(op, outputs)
    if rows == 1:
        sums = products(op, net, x, weights.T, bias)
    else:
        name = net.step_name(op.output(), "rows")
        matrix = net.inner(op, "reshape", {"x": x}, name, (rows, inputs), shape=(rows, inputs))
        sums = products(op, net, matrix, weights.T, np.tile(bias, (rows, 1)))
    rescaled(op, net, sums, "exact")


def convolution(op: CheckedOperator, net: NetworkInMaking) -> None:
    """One window: a product of the cells that are inside the picture with their weights; several: ``picture_sums``."""
    weights = op.constant(op.input(1), "weights")
    if _has_windows(op):
        _over_picture(op, net, weights)
        return
    inside, cells = _only_window(op)
    channels = weights.shape[3]
    numbers = (cells[:, np.newaxis] * channels + np.arange(channels)).reshape(-1)
    x = taken(op, net, net.value(op, op.input()), numbers, "window")
    matrix = weights.reshape(len(weights), -1, channels)[:, inside].reshape(len(weights), -1).T
    rescaled(op, net, products(op, net, x, matrix, biases(op, len(weights))), "double")


def depthwise_convolution(op: CheckedOperator, net: NetworkInMaking) -> None:
    """One window, channel by channel: each cell of it is a band of one ``temporal_conv2d``; several: as above."""
    weights = op.constant(op.input(1), "weights")
    if _has_windows(op):
        _over_picture(op, net, weights.transpose(3, 1, 2, 0))
        return
    inside, cells = _only_window(op)
    outputs, channels = weights.shape[3], op.input().shape[3]
    sources = np.arange(outputs) // (outputs // channels)
    numbers = (cells[:, np.newaxis] * channels + sources).reshape(-1)
    x = taken(op, net, net.value(op, op.input()), numbers, "window")
    filters = weights.reshape(-1, outputs)[inside]
    bias, name = biases(op, outputs), net.step_name(op.output(), "sums")
    inputs = {
        "input": x,
        "weight": net.parameter(f"{name} weights", filters.T[:, np.newaxis, :, np.newaxis], WEIGHT_BITS),
        "bias": net.parameter(f"{name} bias", bias, BIAS_BITS),
    }
    bits = sum_bits(op, filters, bias)
    sums = net.inner(
        op,
        "temporal_conv2d",
        inputs,
        name,
        (outputs,),
        BIAS_BITS,
        kernel_size_t=1,
        kernel_size_band=len(cells),
        d_band_in=outputs,
        n_band_in=len(cells),
        dilation_t=1,
        dilation_band=1,
        stride_band=1,
        padding_band=0,
        groups=outputs,
        shamt_bwred=0,
        shamt_bias=0,
        bw=bits,
    )
    rescaled(op, net, sums, "double")


def rescaled(op: CheckedOperator, net: NetworkInMaking, sums: Tensor, mode: str) -> None:
    """The operator's output from its sums; ``mode`` is how the reference kernels round."""
    constants = _scaling(op, net, mode)
    if len(sums.shape) > 1:
        name = net.step_name(op.output(), "rounded")
        rounded = net.inner(op, "rescale", {"x": sums}, name, sums.shape, **constants)
        net.node(op, "reshape", {"x": rounded}, op.output(), shape=(prod(sums.shape),))
        return
    net.node(op, "rescale", {"x": sums}, op.output(), **constants)


def _scaling(op: CheckedOperator, net: NetworkInMaking, mode: str) -> dict[str, Any]:
    """The constants of ``rescale`` from sums of products to the output."""
    found = rescale_constants("single" if net.requantize == XNNPACK else mode, product_multipliers(op, net.requantize))
    return {**found, **centred_limits(op, op.output())}


def biases(op: CheckedOperator, channels: int) -> Int64Array:
    """The bias of each channel; zeros if there is none."""
    if not op.has(2):
        return np.zeros(channels, np.int64)
    return op.constant(op.input(2), "the bias").astype(np.int64)


def products(op: CheckedOperator, net: NetworkInMaking, x: Tensor, matrix: AnyArray, bias: Int64Array) -> Tensor:
    """x (inputs) or (rows, inputs) times a matrix (inputs, outputs), plus a bias of the result's shape."""
    name = net.step_name(op.output(), "sums")
    inputs = {
        "bias": net.parameter(f"{name} bias", bias, BIAS_BITS),
        "x": x,
        "y": net.parameter(f"{name} weights", matrix, WEIGHT_BITS),
    }
    bits = sum_bits(op, matrix, bias)
    return net.inner(
        op, "addmm", inputs, name, bias.shape, BIAS_BITS, shamt_bias=0, shamt_bwred=0, bw_out=bits, rounded=False
    )


def sum_bits(op: CheckedOperator, filters: AnyArray, bias: Int64Array) -> int:
    """How many bits hold all sums; ``filters`` are (weights of a channel, channels)."""
    zero_point = int(activation(op, op.input()).zero_point[0])
    widest = max(127 - zero_point, zero_point + 128)
    sums = np.abs(filters.astype(np.int64)).sum(axis=0) * widest + np.abs(bias)
    return int(sums.max()).bit_length() + 1


def _has_windows(op: CheckedOperator) -> bool:
    return prod(op.output().shape[:3]) > 1


def _over_picture(op: CheckedOperator, net: NetworkInMaking, weights: AnyArray) -> None:
    """``weights`` are (outputs, rows, columns, channels)."""
    bias = biases(op, len(weights))
    bits = sum_bits(op, weights.reshape(len(weights), -1).T, bias)
    joined(op, net, convolved(op, net, weights, bias, bits, _scaling(op, net, "double")))


def _only_window(op: CheckedOperator) -> tuple[Int64Array, Int64Array]:
    """Cells of the filter that are inside the picture, and the cells of the picture that they meet, both by number."""
    windows = window_cells(op, op.input(1).shape[1:3])
    inside = np.flatnonzero(windows[0] >= 0)
    return inside, windows[0][inside]
