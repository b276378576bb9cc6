"""A small int8 network that grows layer by layer, with scales that keep its values spread over their type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from femtodriver.tflite.builtin_names import BUILTIN_NAMES
from tests.tflite.tflite_writer import Net, Table

NONE, RELU, RELU6 = 0, 1, 3
SAME, VALID = 0, 1
SPREAD = 40.0  # of the integers that a layer should give


@dataclass(frozen=True)
class Carried:
    """A computed tensor: its number, shape and quantization."""

    index: int
    shape: tuple[int, ...]
    scale: float
    zero: int


@dataclass
class GrowingNet:
    """``values`` are all computed tensors so far, in order; ``random`` decides about everything."""

    random: np.random.Generator
    net: Net = field(default_factory=Net)
    values: list[Carried] = field(default_factory=list)
    start: Net | None = None

    def draw(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """From ``low`` to ``high``, both possible."""
        return int(self.random.integers(low, high + 1))

    def input(self, shape: Sequence[int], scale: float = 0.1, zero: int = -128) -> Carried:
        return Carried(self.net.tensor(shape, scale=scale, zero=zero), tuple(shape), scale, zero)

    def tensor(self, shape: Sequence[int], scale: float, zero: int, kind: str = "INT8") -> Carried:
        scale = float(np.float32(scale))
        found = Carried(self.net.tensor(shape, kind, scale, zero), tuple(shape), scale, zero)
        self.values.append(found)
        return found

    @property
    def names(self) -> list[str]:
        """The operators, in their order."""
        return [BUILTIN_NAMES[int(code[3].value)] for code in self.net.codes]

    def zero_point(self, activation: int = NONE) -> int:
        """Often -128 behind a RELU, as real models have it."""
        return -128 if activation != NONE and self.draw(0, 1) < 0.7 else self.whole(-128, 127) // 2

    def weights(self, shape: Sequence[int], axis: int, fan_in: int, source: Carried) -> tuple[list[int], float]:
        """Numbers of weights and bias, and the spread of the sums in real units."""
        channels = shape[axis]
        data = np.clip(np.rint(self.random.normal(0, 45, shape)), -127, 127).astype(np.int8)
        count = channels if self.draw(0, 1) < 0.8 else 1
        scales = (0.01 * self.random.uniform(0.5, 2.0, count)).astype(np.float32)
        weights = self.net.tensor(shape, scale=scales.tolist(), data=data, axis=axis)
        spread = 45 * 60 * fan_in**0.5
        bias = np.rint(self.random.normal(0, spread, channels)).astype(np.int32)
        units = (np.float32(source.scale) * scales).tolist()
        numbers = [weights, self.net.tensor([channels], "INT32", units, data=bias)]
        return numbers, spread * source.scale * float(scales.mean())

    def out_scale(self, spread: float) -> float:
        """A scale for values of this spread; now and then one so small that the multiplier is 1 or more."""
        return spread / SPREAD * self.draw(0.7, 1.5)

    def convolution(
        self,
        source: Carried,
        kernel: tuple[int, int],
        outputs: int,
        *,
        strides: tuple[int, int] = (1, 1),
        dilations: tuple[int, int] = (1, 1),
        padding: int = SAME,
        activation: int = NONE,
        like: Carried | None = None,
    ) -> Carried:
        """CONV_2D; ``like`` gives its quantization."""
        fan_in = prod(kernel) * source.shape[3]
        inputs, spread = self.weights([outputs, *kernel, source.shape[3]], 0, fan_in, source)
        size = window_counts(source.shape, kernel, strides, dilations, padding)
        scale, zero = (like.scale, like.zero) if like else (self.out_scale(spread), self.zero_point(activation))
        result = self.tensor([1, *size, outputs], scale, zero)
        self.net.operator(
            "CONV_2D",
            [source.index, *inputs],
            [result.index],
            **_places(strides, dilations, padding, activation),
        )
        return result

    def depthwise(
        self,
        source: Carried,
        kernel: tuple[int, int],
        *,
        multiplier: int = 1,
        strides: tuple[int, int] = (1, 1),
        dilations: tuple[int, int] = (1, 1),
        padding: int = SAME,
        activation: int = NONE,
    ) -> Carried:
        """DEPTHWISE_CONV_2D."""
        outputs = source.shape[3] * multiplier
        inputs, spread = self.weights([1, *kernel, outputs], 3, prod(kernel), source)
        size = window_counts(source.shape, kernel, strides, dilations, padding)
        result = self.tensor([1, *size, outputs], self.out_scale(spread), self.zero_point(activation))
        options = {**_places(strides, dilations, padding, activation), "depth_multiplier": multiplier}
        self.net.operator("DEPTHWISE_CONV_2D", [source.index, *inputs], [result.index], **options)
        return result

    def fully_connected(self, source: Carried, outputs: int, activation: int = NONE) -> Carried:
        """FULLY_CONNECTED on all elements."""
        size = prod(source.shape)
        inputs, spread = self.weights([outputs, size], 0, size, source)
        result = self.tensor([1, outputs], self.out_scale(spread), self.zero_point(activation))
        self.net.operator("FULLY_CONNECTED", [source.index, *inputs], [result.index], fused_activation=activation)
        return result

    def pool(self, name: str, source: Carried, kernel: tuple[int, int], **places: int) -> Carried:
        """AVERAGE_POOL_2D, MAX_POOL_2D: ``places`` are stride (both), padding and activation."""
        stride, padding = places.get("stride", 1), places.get("padding", VALID)
        size = window_counts(source.shape, kernel, (stride, stride), (1, 1), padding)
        result = self.tensor([1, *size, source.shape[3]], source.scale, source.zero)
        options = {"filter_height": kernel[0], "filter_width": kernel[1], "stride_h": stride, "stride_w": stride}
        fused = places.get("activation", NONE)
        self.net.operator(name, [source.index], [result.index], padding=padding, fused_activation=fused, **options)
        return result

    def mean(self, source: Carried, axes: Sequence[int], keep: bool = False) -> Carried:
        """MEAN; sometimes without a change of scale."""
        kept = [1 if axis in axes else size for axis, size in enumerate(source.shape)]
        shape = kept if keep else [size for axis, size in enumerate(source.shape) if axis not in axes]
        same = self.draw(0, 1) < 0.3
        scale, zero = (source.scale, source.zero) if same else (source.scale * self.draw(0.3, 1), self.zero_point())
        result = self.tensor(shape, scale, zero)
        self.net.operator("MEAN", [source.index, self.net.constant(list(axes))], [result.index], keep_dims=keep)
        return result

    def pair(self, name: str, first: Carried, second: Carried, activation: int = NONE) -> Carried:
        """ADD, SUB, MUL."""
        scale = first.scale * second.scale * 60 if name == "MUL" else (first.scale + second.scale) * self.draw(0.5, 1)
        result = self.tensor(first.shape, scale, self.zero_point(activation))
        self.net.operator(name, [first.index, second.index], [result.index], fused_activation=activation)
        return result

    def single(self, name: str, source: Carried, scale: float, zero: int, **options: float) -> Carried:
        """An operator on elements with a quantization of its own."""
        result = self.tensor(source.shape, scale, zero)
        self.net.operator(name, [source.index], [result.index], **options)
        return result

    def copy(
        self, name: str, source: Carried, shape: Sequence[int], constants: Sequence[object], **options: object
    ) -> Carried:
        """PAD, RESHAPE, STRIDED_SLICE."""
        result = self.tensor(shape, source.scale, source.zero)
        lists = [self.net.constant(one) for one in constants]
        self.net.operator(name, [source.index, *lists], [result.index], **options)
        return result

    def concatenation(self, parts: Sequence[Carried], axis: int) -> Carried:
        """Parts of one quantization."""
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        result = self.tensor(shape, parts[0].scale, parts[0].zero)
        self.net.operator("CONCATENATION", [part.index for part in parts], [result.index], axis=axis)
        return result

    def split(self, source: Carried, axis: int, sizes: Sequence[int]) -> list[Carried]:
        """SPLIT where the sizes are equal, else SPLIT_V."""
        shapes = [[*source.shape[:axis], size, *source.shape[axis + 1 :]] for size in sizes]
        results = [self.tensor(shape, source.scale, source.zero) for shape in shapes]
        place = self.net.constant(axis)
        if len(set(sizes)) == 1:
            inputs, name = [place, source.index], "SPLIT"
        else:
            inputs, name = [source.index, self.net.constant([*sizes[:-1], -1]), place], "SPLIT_V"
        self.net.operator(name, inputs, [one.index for one in results], num_splits=len(sizes))
        return results

    def memory(self, source: Carried, rows: int) -> Carried:
        """The last ``rows`` rows (axis 1) of earlier frames before those of this one, as streaming models keep them."""
        if self.start is None:
            self.start = self.net.beside()
            self.net.operator("CALL_ONCE", [], [], init_subgraph_index=1)
        name = f"state{len(self.values)}"
        shape = [source.shape[0], rows, *source.shape[2:]]
        handle = self.net.tensor([], "RESOURCE", None)
        old, new = (self.net.tensor(shape, scale=source.scale, zero=source.zero) for _ in range(2))
        held, cut = (Carried(one, tuple(shape), source.scale, source.zero) for one in (old, new))
        self.net.operator("VAR_HANDLE", [], [handle], container="", shared_name=name)
        self.net.operator("READ_VARIABLE", [handle], [old])
        whole = self.concatenation([held, source], 1)
        zeros, ones = [0] * len(shape), [1] * len(shape)
        lists = [self.net.constant(one) for one in ([0, source.shape[1], *zeros[2:]], zeros, ones)]
        every = (1 << len(shape)) - 1
        self.net.operator("STRIDED_SLICE", [whole.index, *lists], [cut.index], begin_mask=every - 2, end_mask=every)
        self.net.operator("ASSIGN_VARIABLE", [handle, new], [])
        self._begin(name, shape, source)
        return whole

    def _begin(self, name: str, shape: Sequence[int], source: Carried) -> None:
        assert self.start is not None
        inner = self.start.tensor([], "RESOURCE", None)
        data = np.full(shape, source.zero, np.int8)
        if self.draw(0, 1) < 0.3:
            data = self.random.integers(-128, 128, shape).astype(np.int8)
        rows = self.start.tensor(shape, scale=source.scale, zero=source.zero, data=data)
        self.start.operator("VAR_HANDLE", [], [inner], container="", shared_name=name)
        self.start.operator("ASSIGN_VARIABLE", [inner, rows], [])

    def model(self, inputs: Sequence[Carried], outputs: Sequence[Carried]) -> Table:
        """The root of the file."""
        others = [] if self.start is None else [self.start.graph([], [])]
        return self.net.model([one.index for one in inputs], [one.index for one in outputs], *others)


def window_counts(
    shape: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], padding: int
) -> list[int]:
    """How many windows there are along height and width; not positive where the kernel does not fit."""
    if padding == SAME:
        return [-(-size // stride) for size, stride in zip(shape[1:3], strides, strict=True)]
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    rows = zip(shape[1:3], reach, strides, strict=True)
    return [(size - length) // stride + 1 for (size, length, stride) in rows]


def _places(strides: tuple[int, int], dilations: tuple[int, int], padding: int, activation: int) -> dict[str, int]:
    return {
        "padding": padding,
        "stride_h": strides[0],
        "stride_w": strides[1],
        "dilation_h": dilations[0],
        "dilation_w": dilations[1],
        "fused_activation": activation,
    }
