"""Operators with many windows in one picture: CONV_2D, DEPTHWISE_CONV_2D, AVERAGE_POOL_2D, MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.fqir.graph import Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.mean_imports import SUM_BITS, divided, sum_of_rows
from femtodriver.tflite.movement_imports import taken
from femtodriver.tflite.network_in_making import LIMITS, NetworkInMaking
from femtodriver.tflite.picture_windows import padding, window_cells
from femtodriver.tflite.rescaling import centred_limits
from femtodriver.tflite.value_rules import activation

WEIGHT_BITS = 8


def picture_sums(op: CheckedOperator, net: NetworkInMaking, weights: AnyArray, bias: Int64Array, bits: int) -> Tensor:
    """Sums of all windows (rows, columns, outputs); ``weights`` are (outputs, kernel rows, kernel columns, channels).

    With one channel for several outputs, each output is made of its own channel.
    """
    groups = op.input().shape[3] if weights.shape[3] == 1 else 1
    if groups > 1 and weights.shape[0] != groups:
        weights, groups = _spread(weights, op.input().shape[3]), 1
    name = net.step_name(op.output(), "sums")
    inputs = {
        "x": _picture(op, net),
        "weight": net.parameter(f"{name} weights", weights, WEIGHT_BITS),
        "bias": net.parameter(f"{name} bias", bias, SUM_BITS),
    }
    constants = {**_geometry(op, weights.shape[1:3]), "groups": groups, "bw": bits}
    return net.inner(op, "frame_conv2d", inputs, name, op.output().shape[1:], SUM_BITS, **constants)


def average_pool(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The mean of the cells inside the picture, of the file's own numbers, halves away from 0."""
    filters = op.number("filter_height"), op.number("filter_width")
    cells = window_cells(op, filters)
    counts = np.repeat((cells >= 0).sum(axis=1), op.input().shape[3])
    if np.array_equal(cells, np.arange(prod(op.input().shape[:3]))[np.newaxis]):
        sums = sum_of_rows(op, net, net.value(op, op.input()), int(counts[0]))
    else:
        ones = np.ones((op.input().shape[3], *filters, 1), np.int64)
        bits = int(counts.max() * 255).bit_length() + 1
        picture = picture_sums(op, net, ones, np.zeros(len(ones), np.int64), bits)
        name = net.step_name(op.output(), "flat sums")
        sums = net.inner(op, "reshape", {"x": picture}, name, counts.shape, SUM_BITS, shape=counts.shape)
    divided(op, net, sums, counts)


def max_pool(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The maximum of the cells inside the picture."""
    channels = op.input().shape[3]
    cells = window_cells(op, (op.number("filter_height"), op.number("filter_width")))
    inside = cells.max(axis=1, keepdims=True)  # any cell of the window: a padding cell is one that is there twice
    taps = np.unique(np.where(cells >= 0, cells, inside), axis=1).T
    numbers = [(tap[:, np.newaxis] * channels + np.arange(channels)).reshape(-1) for tap in taps]
    x = net.value(op, op.input())
    parts = [taken(op, net, x, chosen, "cells") for chosen in numbers]
    while len(parts) > 1:
        pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)]
        parts = [
            net.inner(op, "vvmax", dict(zip("xy", pair, strict=True)), _step(op, net, "maximum"), pair[0].shape)
            if len(pair) == 2
            else pair[0]
            for pair in pairs
        ]
    _clamped(op, net, parts[0])


def _clamped(op: CheckedOperator, net: NetworkInMaking, x: Tensor) -> None:
    """The output, within the limits of its activation."""
    limits, zero_point = centred_limits(op, op.output()), int(activation(op, op.output()).zero_point[0])
    low, high = (limit - zero_point for limit in LIMITS[op.output().kind])
    for name, limit, outermost in (("vvmax", limits["low"], low), ("vvmin", limits["high"], high)):
        if limit != outermost:
            bound = net.parameter(_step(op, net, "limit"), np.array([limit]))
            x = net.inner(op, name, {"x": x, "y": bound}, _step(op, net, "clamped"), x.shape)
    net.node(op, "copy", {"x": x}, op.output())


def _picture(op: CheckedOperator, net: NetworkInMaking) -> Tensor:
    batch, *shape = op.input().shape
    if batch != 1:
        raise op.unsupported(f"the batch must be 1, not {batch}", op.input())
    name = net.step_name(op.output(), "picture")
    return net.inner(op, "reshape", {"x": net.value(op, op.input())}, name, tuple(shape), shape=tuple(shape))


def _geometry(op: CheckedOperator, filters: Sequence[int]) -> dict[str, int]:
    top, bottom, left, right = padding(op, filters)
    sizes = dict(zip("hw", op.input().shape[1:3], strict=True))
    around = {"h": top + bottom, "w": left + right}
    # one window is one window, however far away the next one would be
    strides = {axis: min(op.number(f"stride_{axis}"), sizes[axis] + around[axis]) for axis in "hw"}
    dilations = _dilations(op, filters)
    return {
        **{f"stride_{axis}": number for axis, number in strides.items()},
        **{f"dilation_{axis}": number for axis, number in dilations.items()},
        "pad_top": top,
        "pad_bottom": bottom,
        "pad_left": left,
        "pad_right": right,
    }


def _dilations(op: CheckedOperator, filters: Sequence[int]) -> dict[str, int]:
    """1 where the filter has one cell. UnsupportedError for those that lead out of the picture, or go with strides."""
    if "dilation_h" not in op.operator.options:
        return {"h": 1, "w": 1}
    found = {}
    for axis, size, length in zip("hw", op.input().shape[1:3], filters, strict=True):
        found[axis] = op.number(f"dilation_{axis}") if length > 1 else 1
        if found[axis] > size:
            raise op.unsupported(f"dilation_{axis} must be at most {size}, the size of the picture, not {found[axis]}")
    strides = max(op.number("stride_h"), op.number("stride_w"))
    if max(found.values()) > 1 and strides > 1:
        raise op.unsupported(f"strides must be 1 where there are dilations, not {strides}")
    return found


def _spread(weights: AnyArray, channels: int) -> Int64Array:
    """Weights for all channels, of which each output has only its own."""
    outputs = len(weights)
    found = np.zeros((*weights.shape[:3], channels), np.int64)
    found[np.arange(outputs), :, :, np.arange(outputs) // (outputs // channels)] = weights[..., 0]
    return found


def _step(op: CheckedOperator, net: NetworkInMaking, step: str) -> str:
    return net.step_name(op.output(), step)
