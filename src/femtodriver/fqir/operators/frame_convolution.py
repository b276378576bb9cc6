"""frame_conv2d: a convolution over a picture that is whole within one frame.

A picture is [rows, columns, channels], a weight [outputs, kernel rows, kernel columns, channels / groups]. Cells around
the picture are 0. Results are sums, to be scaled by another operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import Count, Width
from femtodriver.fqir.operators.exact_matmul import FixedMatrix, Known, squared_norm
from femtodriver.fqir.operators.example import Example, ShapeForm
from femtodriver.fqir.operators.lowering_interface import Build, Value
from femtodriver.fqir.operators.operator import Operator, Shape, Shapes, rule

PictureKernel = Callable[[Int64Array], Int64Array]

RESULTS_TOGETHER = 512
"""Results that are computed side by side, if channels allow: what comes next then takes few instructions."""

_GROUP = 8  # outputs of a product that is repeated come in whole groups of the machine


def _example(side: int, channels: int, outputs: int, kernel: int, groups: int = 1) -> Example:
    kind = "depthwise" if groups > 1 else f"to {outputs} channels"
    return Example(
        f"{side} x {side} cells of {channels} channels, {kernel} x {kernel} kernel, {kind}",
        {
            "x": (side, side, channels),
            "weight": (outputs, kernel, kernel, channels // groups),
            "bias": (outputs,),
        },
        {"groups": groups, **{f"pad_{side}": kernel // 2 for side in ("top", "bottom", "left", "right")}},
        weights={"weight": 8, "bias": 16},
        types={"out": "int32"},
    )


class FrameConv2d(Operator):
    """Sat(bias + sum of weight * x, bw) for each window of a picture; cells outside of it are 0."""

    name = "frame_conv2d"
    inputs = ("x", "weight", "bias?")
    forms = (
        ShapeForm("x[5, 4, c] weight[o, 2, 3, c] bias[o]", ("weight", "bias"), {"groups": "1"}),
        ShapeForm("x[3, 6, c] weight[o, 1, 1, c] bias[o]", ("weight", "bias"), {"groups": "1"}),
        ShapeForm("x[4, 5, c] weight[c, 3, 2, 1] bias[c]", ("weight", "bias"), {"groups": "c"}),
    )
    examples = (_example(8, 16, 16, 3), _example(8, 16, 16, 1), _example(8, 16, 16, 3, 16))
    stride_h = Count(usual=(1, 2), typical=1)
    stride_w = Count(usual=(1, 2), typical=1)
    dilation_h = Count(usual=(1, 2), typical=1)
    dilation_w = Count(usual=(1, 2), typical=1)
    pad_top = Count(0, usual=(0, 2), typical=0)
    pad_bottom = Count(0, usual=(0, 2), typical=0)
    pad_left = Count(0, usual=(0, 2), typical=0)
    pad_right = Count(0, usual=(0, 2), typical=0)
    groups = Count()
    bw = Width(typical=32)

    @rule
    def ranks(self, shapes: Shapes) -> str | None:
        """x must have three axes and weight four"""
        ranks = len(shapes["x"]), len(shapes["weight"])
        return None if ranks == (3, 4) and 0 not in shapes["weight"] else f"{ranks[0]} and {ranks[1]}"

    @rule
    def channels_fit(self, shapes: Shapes) -> str | None:
        """weight must have the channels of x, or one where groups is the number of channels and of outputs"""
        channels, outputs, depth = shapes["x"][2], shapes["weight"][0], shapes["weight"][3]
        wanted = (1, channels) if self.groups == 1 else (channels, 1)
        fits = (self.groups, depth) == wanted and (self.groups == 1 or outputs == channels)
        return None if fits else f"{list(shapes['weight'])} for x of {list(shapes['x'])} and {self.groups} groups"

    @rule
    def kernel_fits(self, shapes: Shapes) -> str | None:
        """the kernel must fit into the padded picture"""
        return None if min(self._counts(shapes)) > 0 else f"{list(shapes['weight'])} for x of {list(shapes['x'])}"

    @rule
    def bias_fits(self, shapes: Shapes) -> str | None:
        """bias must have one element for each output"""
        outputs = shapes["weight"][0]
        return None if shapes.get("bias", (outputs,)) == (outputs,) else f"{list(shapes['bias'])} for {outputs}"

    def _counts(self, shapes: Shapes) -> tuple[int, int]:
        """Windows along rows and columns; 0 or less if the kernel does not fit."""
        (height, width), (rows, columns) = shapes["x"][:2], shapes["weight"][1:3]
        reach_h, reach_w = (rows - 1) * self.dilation_h + 1, (columns - 1) * self.dilation_w + 1
        return (
            (height + self.pad_top + self.pad_bottom - reach_h) // self.stride_h + 1,
            (width + self.pad_left + self.pad_right - reach_w) // self.stride_w + 1,
        )

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return ((*self._counts(shapes), shapes["weight"][0]),)

    def work(self, shapes: Shapes, results: Sequence[Shape]) -> int:
        return prod(results[0][:2]) * prod(shapes["weight"]) + 1

    def scratch(self, shapes: Shapes) -> int:
        return 2 * prod(self._counts(shapes)) * prod(shapes["weight"][1:3]) * shapes["x"][2]

    def windows(self, x: Int64Array, kernel: tuple[int, int]) -> Int64Array:
        """All windows, [row, column, kernel row, kernel column, channel]; a view."""
        sides = ((self.pad_top, self.pad_bottom), (self.pad_left, self.pad_right), (0, 0))
        reach = ((kernel[0] - 1) * self.dilation_h + 1, (kernel[1] - 1) * self.dilation_w + 1)
        found = np.lib.stride_tricks.sliding_window_view(np.pad(x, sides), reach, axis=(0, 1))
        chosen = found[:: self.stride_h, :: self.stride_w, :, :: self.dilation_h, :: self.dilation_w]
        return np.asarray(chosen.transpose(0, 1, 3, 4, 2))

    def kernel(self, weight: Int64Array) -> PictureKernel:
        """Products with one weight: a picture -> sums [row, column, output]."""
        size = (weight.shape[1], weight.shape[2])
        if self.groups != 1:
            factors = weight[..., 0].transpose(1, 2, 0)
            return lambda x: np.einsum("rckmo,kmo->rco", self.windows(x, size), factors)
        return self.full_kernel(self.matrix(weight), size)

    @staticmethod
    def matrix(weight: Int64Array) -> FixedMatrix:
        """The weight as a matrix [outputs, cells of the kernel * channels]."""
        return FixedMatrix(weight.reshape(weight.shape[0], -1))

    def full_kernel(self, matrix: FixedMatrix, size: tuple[int, int]) -> PictureKernel:
        """Products of every output channel with all input channels."""

        def products(x: Int64Array) -> Int64Array:
            windows = self.windows(x, size)
            rows = windows.reshape(prod(windows.shape[:2]), -1)
            # a window holds each element of the picture at most once, so its norm is at most that of the picture
            return matrix.times_rows(rows, squared_norm(x)).reshape(*windows.shape[:2], -1)

        return products

    def evaluate(self, x: Int64Array, weight: Int64Array, bias: Int64Array | int = 0) -> Int64Array:
        return fixed.saturate(self.kernel(weight)(x) + bias, self.bw)

    def specialised(self, known: Known) -> Callable[..., Any]:
        if "weight" not in known:
            return self.evaluate
        weight = known.values["weight"]
        if self.groups != 1:
            kernel = self.kernel(weight)
        else:
            matrix = known.prepared("weight", self.matrix, "frame convolution matrix")
            kernel = self.full_kernel(matrix, (weight.shape[1], weight.shape[2]))
        return lambda x, _, bias=0: fixed.saturate(kernel(x) + bias, self.bw)

    def lower(self, build: Build) -> None:
        given = dict(zip(self.arguments, self.shaped(build), strict=True))
        weight = build.known(given["weight"][0])
        if weight is None:
            raise self.place.unsupported("weight must be a constant, not a computed value", "Make it a parameter.")
        weight = weight.reshape(given["weight"][1])
        bias = given["bias"][0] if "bias" in given else 0
        if self.groups == 1:
            self.give(build, self._lower_full(build, *given["x"], weight, bias))
        else:
            self.give(build, self._lower_depthwise(build, *given["x"], weight, bias))

    def _taps(self, row: int, height: int, weight: Int64Array) -> list[tuple[int, int]]:
        """Kernel rows that lie in the picture for an output row, each with the row of the picture."""
        found = [(step, row * self.stride_h + step * self.dilation_h - self.pad_top) for step in range(weight.shape[1])]
        return [(step, place) for step, place in found if 0 <= place < height]

    def _lower_full(self, build: Build, x: Value, shape: Shape, weight: Int64Array, bias: Value | int) -> Value:
        """One matrix product per window; for a kernel of one cell, one instruction for many of them."""
        height, width = shape[:2]
        rows, columns = self._counts({"x": shape, "weight": weight.shape})
        if self._is_pointwise(weight) and not weight.shape[0] % _GROUP:
            return self._lower_pointwise(build, x, height * width, weight, bias)
        x, width, left = self._with_sides(build, x, shape, columns, weight)
        sums = []
        for row in range(rows):
            taps = self._taps(row, height, weight)
            for column in range(columns):
                start = column * self.stride_w - left
                parts = [part for tap in taps for part in self._row_parts(build, x, weight, tap, width, start)]
                empty = [(np.zeros((0, weight.shape[0]), np.int64), build.part(x, 0, 0))]
                sums.append(build.mac(parts or empty, bias, saturate=self.bw))
        return _side_by_side(build, sums, weight.shape[0])

    def _is_pointwise(self, weight: Int64Array) -> bool:
        padding = self.pad_top + self.pad_bottom + self.pad_left + self.pad_right
        return (*weight.shape[1:3], self.stride_h, self.stride_w, padding) == (1, 1, 1, 1, 0)

    def _lower_pointwise(self, build: Build, x: Value, cells: int, weight: Int64Array, bias: Value | int) -> Value:
        """Products of neighbouring cells with the same weights are one instruction."""
        outputs, channels = weight.shape[0], weight.shape[3]
        matrix, together = weight.reshape(outputs, channels).T, max(1, RESULTS_TOGETHER // outputs)
        results = []
        for first in range(0, cells, together):
            end = min(first + together, cells)
            part = build.part(x, first * channels, end * channels)
            tiled = _repeated(build, bias, end - first) if not isinstance(bias, int) else bias
            results.append(build.mac([(matrix, part)], tiled, saturate=self.bw, repeat=end - first))
        return build.cat(results)

    def _with_sides(
        self, build: Build, x: Value, shape: Shape, columns: int, weight: Int64Array
    ) -> tuple[Value, int, int]:
        """The picture with the columns around it that windows reach, its width, and what is still missing at the left.

        So that all windows have the same matrix.
        """
        height, width, channels = shape
        end = (columns - 1) * self.stride_w + (weight.shape[2] - 1) * self.dilation_w + 1 - self.pad_left
        right = max(0, end - width)
        if not self.pad_left and not right:
            return x, width, 0
        zero = build.constant(np.zeros(1, np.int64))
        sides = [build.spread(zero, count * channels) for count in (self.pad_left, right)]
        rows = [build.part(x, row * width * channels, (row + 1) * width * channels) for row in range(height)]
        whole = build.cat([piece for row in rows for piece in (sides[0], row, sides[1])])
        return build.in_one_piece(whole), self.pad_left + width + right, 0

    def _row_parts(
        self, build: Build, x: Value, weight: Int64Array, tap: tuple[int, int], width: int, column: int
    ) -> list[tuple[Int64Array, Value]]:
        """Weights and cells of one kernel row: in one piece unless it is dilated."""
        step, row = tap
        outputs, _, kernel, channels = weight.shape
        start = (row * width + column) * channels
        if self.dilation_w == 1:
            matrix = weight[:, step].reshape(outputs, -1).T
            return [(matrix, build.part(x, start, start + kernel * channels))]
        places = [start + number * self.dilation_w * channels for number in range(kernel)]
        return [
            (weight[:, step, number].T, build.part(x, place, place + channels)) for number, place in enumerate(places)
        ]

    def _lower_depthwise(self, build: Build, x: Value, shape: Shape, weight: Int64Array, bias: Value | int) -> Value:
        """Elementwise products of whole rows of the picture; columns between the windows are left out afterwards."""
        height, width, channels = shape
        rows, columns = self._counts({"x": shape, "weight": weight.shape})
        length = ((columns - 1) * self.stride_w + 1) * channels
        factors = self._repeated_factors(build, weight, width, length)
        start = bias if isinstance(bias, int) else _repeated(build, bias, length // channels)
        sums = []
        for row in range(rows):
            terms = []
            for step, place in self._taps(row, height, weight):
                for number, factor in factors[step]:
                    column = number * self.dilation_w - self.pad_left
                    first = (place * width + column) * channels
                    terms.append((_part_with_zeros(build, x, first, first + length), factor))
            sums.append(self._windows_of(build, self._sum(build, terms, start, length), channels))
        return _side_by_side(build, sums, channels)

    def _repeated_factors(
        self, build: Build, weight: Int64Array, width: int, length: int
    ) -> list[list[tuple[int, Value]]]:
        """For each kernel row, the weights of its columns, for all elements of a row; 0 beside the picture."""
        channels = weight.shape[0]
        columns = np.arange(length // channels)
        found = []
        for row in weight[..., 0].transpose(1, 2, 0):
            parts = []
            for number, factor in enumerate(row):
                places = columns + number * self.dilation_w - self.pad_left
                inside = (places >= 0) & (places < width)
                if inside.any():
                    parts.append((number, build.constant(np.where(inside[:, np.newaxis], factor, 0))))
            found.append(parts)
        return found

    def _sum(self, build: Build, terms: Sequence[tuple[Value, Value]], bias: Value | int, length: int) -> Value:
        if not terms:
            return build.constant(np.full(length, bias, np.int64)) if isinstance(bias, int) else bias
        return build.products(terms, bias, saturate=self.bw)

    def _windows_of(self, build: Build, row: Value, channels: int) -> Value:
        """Every so many columns of a row."""
        if self.stride_w == 1:
            return row
        cells = np.arange(build.size(row)).reshape(-1, channels)
        return build.take(row, cells[:: self.stride_w])


def _repeated(build: Build, value: Value, times: int) -> Value:
    known = build.known(value)
    return build.cat([value] * times) if known is None else build.constant(np.tile(known, times))


def _part_with_zeros(build: Build, x: Value, first: int, end: int) -> Value:
    """Elements first to end - 1; what is outside of the picture is 0."""
    size, zero = build.size(x), build.constant(np.zeros(1, np.int64))
    before, behind = max(0, min(end, 0) - first), max(0, end - max(first, size))
    inside = build.part(x, min(max(first, 0), size), max(0, min(end, size)))
    sides = [build.spread(zero, count) if count else build.part(x, 0, 0) for count in (before, behind)]
    return build.cat([sides[0], inside, sides[1]])


def _side_by_side(build: Build, results: Sequence[Value], channels: int) -> Value:
    """The results, many of them in one piece each, so that what reads them takes few instructions."""
    whole, together = build.cat(results), RESULTS_TOGETHER // channels * channels or channels
    size = build.size(whole)
    starts = range(0, size, together)
    return build.cat([build.in_one_piece(build.part(whole, first, min(first + together, size))) for first in starts])
