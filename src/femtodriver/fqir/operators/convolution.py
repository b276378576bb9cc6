"""temporal_conv2d: a convolution over time and frequency bands, one frame per call.

A frame is a vector, band by band: element band * d_band_in + channel. The weight is [cout, cin/groups, kb, kt],
time index 0 the oldest frame. The history (buffer rows, then the frame) is gathered into one row per output
band, so that all bands are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import Count, OptionalShift, ShiftAmount, Width
from femtodriver.fqir.operators.exact_matmul import FixedMatrix, Known, squared_norm
from femtodriver.fqir.operators.example import Example, ShapeForm
from femtodriver.fqir.operators.lowering_interface import Build, Value
from femtodriver.fqir.operators.operator import Operator, Ranges, Shape, Shapes, rule
from femtodriver.fqir.operators.ranges import Range, hull, of_bits

Kernel = Callable[[Int64Array, Int64Array], Int64Array]


_HISTORY = "input[n_band_in * d_band_in] buffer[(kernel_size_t - 1) * dilation_t * n_band_in * d_band_in]"


def _example(bands: int, channels: int, outputs: int, groups: int) -> Example:
    """A kernel of 3 x 3 on frames of so many bands of so many channels."""
    kind = "depthwise" if groups > 1 else f"to {outputs} channels"
    frame = bands * channels
    return Example(
        f"{bands} bands of {channels} channels, 3 x 3 kernel, {kind}",
        {"input": (frame,), "weight": (outputs, channels // groups, 3, 3), "bias": (outputs,), "buffer": (2 * frame,)},
        {"d_band_in": channels, "n_band_in": bands, "padding_band": 1, "groups": groups},
        weights={"weight": 8, "bias": 8},
    )


class TemporalConv2d(Operator):
    """Sat(A(A(bias, shamt_bias) + sum of weight * taps, shamt_bwred), bw) for each output band; always floors."""

    name = "temporal_conv2d"
    inputs = ("input", "weight", "bias?", "buffer?")
    updates = ("buffer",)
    forms = (
        ShapeForm(
            f"{_HISTORY} weight[cout, d_band_in, kernel_size_band, kernel_size_t] bias[cout]",
            ("weight", "bias"),
            {"groups": "1"},
        ),
        ShapeForm(
            f"{_HISTORY} weight[d_band_in, 1, kernel_size_band, kernel_size_t] bias[d_band_in]",
            ("weight", "bias"),
            {"groups": "d_band_in"},
        ),
    )
    examples = (_example(4, 8, 8, 1), _example(16, 16, 16, 1), _example(16, 16, 16, 16))
    kernel_size_t = Count(usual=(1, 4), typical=3)
    kernel_size_band = Count(typical=3)
    d_band_in = Count(usual=(1, 12))
    n_band_in = Count(usual=(1, 6))
    dilation_t = Count(typical=1)
    dilation_band = Count(usual=(1, 2), typical=1)
    stride_band = Count(usual=(1, 2), typical=1)
    padding_band = Count(0, usual=(0, 1))
    groups = Count()
    shamt_bwred = ShiftAmount(typical=-7, usual=(-11, 0))
    shamt_bias = OptionalShift("bias", usual=(-1, 8), typical=4)
    bw = Width()

    @property
    def frame_size(self) -> int:
        """Elements of one frame."""
        return self.n_band_in * self.d_band_in

    @property
    def buffer_rows(self) -> int:
        """Frames that the buffer holds, oldest first."""
        return (self.kernel_size_t - 1) * self.dilation_t

    @property
    def output_bands(self) -> int:
        """Number of positions of the kernel along the padded bands; 0 or less if it does not fit."""
        reach = (self.kernel_size_band - 1) * self.dilation_band
        return -(-(self.n_band_in + 2 * self.padding_band - reach) // self.stride_band)

    @property
    def depthwise(self) -> bool:
        """Whether each channel is convolved on its own."""
        return self.groups != 1

    @rule
    def input_fits(self, shapes: Shapes) -> str | None:
        """input must be a vector of n_band_in * d_band_in elements"""
        return None if shapes["input"] == (self.frame_size,) else f"{list(shapes['input'])} for [{self.frame_size}]"

    @rule
    def weight_fits(self, shapes: Shapes) -> str | None:
        """weight must be [cout, d_band_in / groups, kernel_size_band, kernel_size_t]"""
        expected = (self.d_band_in // self.groups, self.kernel_size_band, self.kernel_size_t)
        weight = shapes["weight"]
        fits = len(weight) == 4 and weight[1:] == expected and weight[0] > 0
        return None if fits else f"{list(weight)} for [cout, {', '.join(map(str, expected))}]"

    @rule
    def groups_known(self, shapes: Shapes) -> str | None:
        """groups must be 1, or the number of input channels and of output channels"""
        channels = {self.groups, self.d_band_in, shapes["weight"][0]}
        if not self.depthwise or len(channels) == 1:
            return None
        return f"{self.groups} for {self.d_band_in} and {shapes['weight'][0]} channels"

    @rule
    def kernel_fits(self, shapes: Shapes) -> str | None:
        """the kernel must fit into the padded bands"""
        reach = (self.kernel_size_band - 1) * self.dilation_band + 1
        return None if self.output_bands > 0 else f"{reach} bands of {self.n_band_in + 2 * self.padding_band}"

    @rule
    def buffer_fits(self, shapes: Shapes) -> str | None:
        """buffer must hold (kernel_size_t - 1) * dilation_t frames, and may be absent only if that is none"""
        expected = (self.buffer_rows * self.frame_size,)
        if "buffer" not in shapes:
            return "absent" if self.buffer_rows else None
        return None if shapes["buffer"] == expected else f"{list(shapes['buffer'])} for {list(expected)}"

    @rule
    def bias_fits(self, shapes: Shapes) -> str | None:
        """bias must have one element for each output channel, and a shift"""
        if "bias" not in shapes:
            return None
        if self.shamt_bias is None:
            return "without shamt_bias"
        channels = shapes["weight"][0]
        return None if shapes["bias"] == (channels,) else f"{list(shapes['bias'])} for {channels} channels"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        output = (self.output_bands * shapes["weight"][0],)
        return (output, shapes["buffer"]) if "buffer" in shapes else (output,)

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        output = of_bits(self.bw)
        return (output, hull(ranges["input"], ranges["buffer"])) if "buffer" in ranges else (output,)

    def work(self, shapes: Shapes, results: Sequence[Shape]) -> int:
        return self.output_bands * prod(shapes["weight"]) + 1

    def scratch(self, shapes: Shapes) -> int:
        return 2 * self.output_bands * self.kernel_size_t * self.kernel_size_band * self.d_band_in

    @cached_property
    def gather(self) -> npt.NDArray[np.intp]:
        """Index into the history and one zero after it: [output band, tap, band of the kernel, channel]."""
        steps = np.arange(self.kernel_size_band) * self.dilation_band - self.padding_band
        bands = np.arange(self.output_bands)[:, np.newaxis] * self.stride_band + steps
        frames = np.arange(self.kernel_size_t)[:, np.newaxis, np.newaxis] * self.dilation_t * self.frame_size
        channels = np.arange(self.d_band_in)
        index = bands[:, np.newaxis, :, np.newaxis] * self.d_band_in + frames + channels
        padding = (bands < 0) | (bands >= self.n_band_in)
        zero = (self.buffer_rows + 1) * self.frame_size
        return np.where(padding[:, np.newaxis, :, np.newaxis], zero, index).astype(np.intp)

    def kernel(self, weight: Int64Array) -> Kernel:
        """Products with one weight: (history with a zero at the end, aligned bias) -> [output band, cout]."""
        if self.depthwise:
            factors = weight[:, 0].transpose(2, 1, 0)  # [tap, band of the kernel, channel]
            return lambda history, bias: (history.take(self.gather) * factors).sum(axis=(1, 2)) + bias
        return self.full_kernel(self.matrix(weight))

    @staticmethod
    def matrix(weight: Int64Array) -> FixedMatrix:
        """The weight as a matrix [cout, tap * band of the kernel * channel]."""
        return FixedMatrix(weight.transpose(0, 3, 2, 1).reshape(weight.shape[0], -1))

    def full_kernel(self, matrix: FixedMatrix) -> Kernel:
        """Products of every output channel with all input channels."""
        index = self.gather.reshape(self.output_bands, -1)
        # a row holds each element of the history at most once, so its norm is at most that of the history
        return lambda history, bias: matrix.times_rows(history.take(index), squared_norm(history)) + bias

    def aligned_bias(self, bias: Int64Array | None) -> Int64Array:
        """The bias in the scale of the products: shifted, neither rounded nor clamped; 0 without bias."""
        if bias is None or self.shamt_bias is None:
            return np.zeros(1, dtype=np.int64)
        return fixed.shift(bias, self.shamt_bias)

    def apply(self, kernel: Kernel, frame: Int64Array, buffer: Int64Array | None, bias: Int64Array) -> tuple[Any, ...]:
        """Output and new buffer (if there is one) of one frame."""
        past = (frame,) if buffer is None else (buffer, frame)
        history = np.concatenate((*past, np.zeros(1, dtype=np.int64)))
        output = fixed.saturate(fixed.shift(kernel(history, bias), self.shamt_bwred), self.bw).reshape(-1)
        return (output,) if buffer is None else (output, history[self.frame_size : -1])

    def evaluate(self, *values: Int64Array) -> tuple[Int64Array, ...]:
        given = dict(zip(self.arguments, values, strict=True))
        bias = self.aligned_bias(given.get("bias"))
        return self.apply(self.kernel(given["weight"]), given["input"], given.get("buffer"), bias)

    def specialised(self, known: Known) -> Callable[..., Any]:
        if "weight" not in known or ("bias" in self.arguments and "bias" not in known):
            return self.evaluate
        if self.depthwise:
            kernel = self.kernel(known.values["weight"])
        else:
            kernel = self.full_kernel(known.prepared("weight", self.matrix, "convolution matrix"))
        bias = self.aligned_bias(known.values.get("bias"))
        buffered = "buffer" in self.arguments
        return lambda *values: self.apply(kernel, values[0], values[-1] if buffered else None, bias)

    def lower(self, build: Build) -> None:
        """One matrix product per output band; padding bands are left out, not multiplied by zero."""
        given = dict(zip(self.arguments, self.taken(build), strict=True))
        weight = build.known(given["weight"])
        if weight is None:
            raise self.place.unsupported("weight must be a constant, not a computed value", "Make it a parameter.")
        weight = weight.reshape(build.shape(self.node.inputs["weight"].name))
        history = build.cat([given[name] for name in ("buffer", "input") if name in given])
        bias = given.get("bias", 0)
        lower_band = self._lower_depthwise if self.depthwise else self._lower_band
        bands = [lower_band(build, band, weight, history, bias) for band in range(self.output_bands)]
        self.give(build, build.cat(bands))
        if "buffer" in given:
            shifted = build.part(history, self.frame_size, build.size(history))
            build.bind(self.node.inputs["buffer"].name, shifted)

    def _taps(self, band: int) -> Iterator[tuple[int, int, int]]:
        """Time index, band index of the kernel and first element of the history of each tap that is not padding."""
        first = band * self.stride_band - self.padding_band
        for tap in range(self.kernel_size_t):
            for step in range(self.kernel_size_band):
                place = first + step * self.dilation_band
                if 0 <= place < self.n_band_in:
                    yield tap, step, tap * self.dilation_t * self.frame_size + place * self.d_band_in

    def _lower_band(self, build: Build, band: int, weight: Int64Array, history: Value, bias: Value | int) -> Value:
        taps = list(self._taps(band))
        weights = [weight[:, :, step, tap].T for tap, step, _ in taps] or [np.zeros((0, weight.shape[0]), np.int64)]
        x = build.cat([build.part(history, start, start + self.d_band_in) for _, _, start in taps])
        return build.mac(
            [(np.concatenate(weights), x)],
            bias,
            bias_shift=self.shamt_bias or 0,
            shift=self.shamt_bwred,
            saturate=self.bw,
        )

    def _lower_depthwise(self, build: Build, band: int, weight: Int64Array, history: Value, bias: Value | int) -> Value:
        """Elementwise products of channels; the sums are wide, so few channels at a time."""
        pieces = []
        for first in range(0, self.d_band_in, build.wide_elements):
            end = min(first + build.wide_elements, self.d_band_in)
            start = bias if isinstance(bias, int) else build.part(bias, first, end)
            total = start if isinstance(start, int) else build.vec("vpass", start, shift_a=self.shamt_bias or 0)
            for tap, step, place in self._taps(band):
                x = build.part(history, place + first, place + end)
                product = build.vec("vmul", x, build.constant(weight[first:end, 0, step, tap]))
                total = build.vec("vadd", product, total)
            if isinstance(total, int):
                total = build.constant(np.zeros(end - first, np.int64))
            pieces.append(build.vec("vpass", total, shift=self.shamt_bwred, saturate=self.bw))
        return build.cat(pieces)
