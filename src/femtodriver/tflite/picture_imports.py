"""Operators with many windows in one picture: CONV_2D, DEPTHWISE_CONV_2D, AVERAGE_POOL_2D, MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.fqir.graph import Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.mean_imports import SUM_BITS, divided, sum_of_rows
from femtodriver.tflite.movement_imports import taken
from femtodriver.tflite.network_in_making import LIMITS, NetworkInMaking
from femtodriver.tflite.picture_rows import by_rows
from femtodriver.tflite.picture_strip import Strip
from femtodriver.tflite.picture_windows import check_cells, padding, strip_cells, window_cells
from femtodriver.tflite.rescaling import centred_limits
from femtodriver.tflite.value_rules import activation

WEIGHT_BITS = 8


def convolved(
    op: CheckedOperator,
    net: NetworkInMaking,
    weights: AnyArray,
    bias: Int64Array,
    bits: int,
    scaled: Mapping[str, Any] | None = None,
) -> list[Tensor]:
    """Windows of a picture, in flat pieces; ``weights`` are (outputs, kernel rows, kernel columns, channels).

    With one channel for several outputs, each output is made of its own channel. ``bits`` hold all sums. ``scaled``:
    constants of ``rescale``; None for the sums themselves.
    """
    if op.input().shape[0] != 1:
        raise op.unsupported(f"the batch must be 1, not {op.input().shape[0]}", op.input())
    groups = op.input().shape[3] if weights.shape[3] == 1 else 1
    if groups > 1 and weights.shape[0] != groups:
        weights, groups = _spread(weights, op.input().shape[3]), 1
    name = net.step_name(op.output(), "sums")
    parameters = {
        "weight": net.parameter(f"{name} weights", weights, WEIGHT_BITS),
        "bias": net.parameter(f"{name} bias", bias, SUM_BITS),
    }
    whole, geometry = _geometry(op, weights.shape[1:3])
    constants = {**geometry, "groups": groups, "bw": bits}

    def rows(x: Tensor, strip: Strip) -> Tensor:
        shape = (strip.rows, *op.input().shape[2:])
        picture = net.inner(op, "reshape", {"x": x}, _step(op, net, "picture"), shape, shape=shape)
        pads = {"pad_top": strip.above, "pad_bottom": strip.below}
        results = (strip.results, *op.output().shape[2:])
        made = net.inner(
            op,
            "frame_conv2d",
            {"x": picture, **parameters},
            _step(op, net, "sums"),
            results,
            SUM_BITS,
            **constants,
            **pads,
        )
        if scaled is not None:
            made = net.inner(op, "rescale", {"x": made}, _step(op, net, "rounded"), results, **scaled)
        flat = (prod(results),)
        return net.inner(op, "reshape", {"x": made}, _step(op, net, "flat"), flat, made.bits or SUM_BITS, shape=flat)

    return by_rows(op, net, whole, rows)


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
        pieces = convolved(op, net, ones, np.zeros(len(ones), np.int64), bits)
        sums = pieces[0]
        if len(pieces) > 1:
            inputs = {f"x{place}": piece for place, piece in enumerate(pieces)}
            sums = net.inner(op, "cat", inputs, _step(op, net, "sums"), counts.shape, SUM_BITS, dim=0)
    divided(op, net, sums, counts)


def max_pool(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The maximum of the cells inside the picture."""
    if op.input().shape[0] != 1:
        raise op.unsupported(f"the batch must be 1, not {op.input().shape[0]}", op.input())
    filters = op.number("filter_height"), op.number("filter_width")
    check_cells(op, filters)

    def rows(x: Tensor, strip: Strip) -> Tensor:
        return _maximum(op, net, x, strip_cells(op, filters, strip))

    pieces = by_rows(op, net, _geometry(op, filters)[0], rows)
    whole = pieces[0]
    if len(pieces) > 1:
        inputs = {f"x{place}": piece for place, piece in enumerate(pieces)}
        whole = net.inner(op, "cat", inputs, _step(op, net, "maxima"), (prod(op.output().shape),), dim=0)
    _clamped(op, net, whole)


def _maximum(op: CheckedOperator, net: NetworkInMaking, x: Tensor, cells: Int64Array) -> Tensor:
    """Of cells [windows, cells of the filter], -1 for none, channel by channel."""
    channels = op.input().shape[3]
    inside = cells.max(axis=1, keepdims=True)  # any cell of the window: a padding cell is one that is there twice
    taps = np.unique(np.where(cells >= 0, cells, inside), axis=1).T
    numbers = [(tap[:, np.newaxis] * channels + np.arange(channels)).reshape(-1) for tap in taps]
    parts = [taken(op, net, x, chosen, "cells") for chosen in numbers]
    while len(parts) > 1:
        pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)]
        parts = [
            net.inner(op, "vvmax", dict(zip("xy", pair, strict=True)), _step(op, net, "maximum"), pair[0].shape)
            if len(pair) == 2
            else pair[0]
            for pair in pairs
        ]
    return parts[0]


def _clamped(op: CheckedOperator, net: NetworkInMaking, x: Tensor) -> None:
    """The output, within the limits of its activation."""
    limits, zero_point = centred_limits(op, op.output()), int(activation(op, op.output()).zero_point[0])
    low, high = (limit - zero_point for limit in LIMITS[op.output().kind])
    for name, limit, outermost in (("vvmax", limits["low"], low), ("vvmin", limits["high"], high)):
        if limit != outermost:
            bound = net.parameter(_step(op, net, "limit"), np.array([limit]))
            x = net.inner(op, name, {"x": x, "y": bound}, _step(op, net, "clamped"), x.shape)
    net.node(op, "copy", {"x": x}, op.output())


def _geometry(op: CheckedOperator, filters: Sequence[int]) -> tuple[Strip, dict[str, int]]:
    """The rows of the picture, and the constants of ``frame_conv2d`` that hold for all of them."""
    top, bottom, left, right = padding(op, filters)
    height, width = op.input().shape[1:3]
    # one window is one window, however far away the next one would be
    strides = {"h": min(op.number("stride_h"), height + top + bottom)}
    strides["w"] = min(op.number("stride_w"), width + left + right)
    dilations = _dilations(op, filters)
    reach = (filters[0] - 1) * dilations["h"] + 1
    whole = Strip(0, height, op.output().shape[1], top, bottom, strides["h"], reach)
    return whole, {
        **{f"stride_{axis}": number for axis, number in strides.items()},
        **{f"dilation_{axis}": number for axis, number in dilations.items()},
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
