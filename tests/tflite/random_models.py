"""Random small models, the same for the same seed, and frames for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from femtodriver.arrays import AnyArray
from tests.tflite.growing_net import NONE, RELU, RELU6, SAME, VALID, Carried, GrowingNet, window_counts
from tests.tflite.tflite_writer import write

MOST_ELEMENTS = 400
_ACTIVATIONS = (NONE, NONE, RELU, RELU, RELU6)


@dataclass(frozen=True)
class RandomModel:
    """A file, with the name of its input and the frames to give it: (frames, elements), int8."""

    data: bytes
    input: str
    frames: AnyArray
    operators: tuple[str, ...]


Layer = Callable[[GrowingNet, Carried], Carried | None]
"""Adds operators after a tensor; the result, or None if there is no such layer for its shape."""


def _activation(net: GrowingNet) -> int:
    return _ACTIVATIONS[net.whole(0, len(_ACTIVATIONS) - 1)]


def _kernel(net: GrowingNet, source: Carried, most: int = 3) -> tuple[int, int]:
    height, width = (min(most, size) for size in source.shape[1:3])
    return net.whole(1, height), net.whole(1, width)


def _picture(source: Carried) -> bool:
    return len(source.shape) == 4


def _convolution(net: GrowingNet, source: Carried) -> Carried | None:
    if not _picture(source):
        return None
    dilated = net.draw(0, 1) < 0.2
    kernel, padding = _kernel(net, source), net.whole(SAME, VALID)
    strides = (1, 1) if dilated else (net.whole(1, 2), net.whole(1, 2))
    dilations = (net.whole(1, 2), net.whole(1, 2)) if dilated else (1, 1)
    if min(window_counts(source.shape, kernel, strides, dilations, padding)) < 1:
        return None
    outputs, activation = net.whole(1, 10), _activation(net)
    return net.convolution(
        source, kernel, outputs, strides=strides, dilations=dilations, padding=padding, activation=activation
    )


def _depthwise(net: GrowingNet, source: Carried) -> Carried | None:
    if not _picture(source) or source.shape[3] > 12:
        return None
    kernel, padding, stride = _kernel(net, source), net.whole(SAME, VALID), net.whole(1, 2)
    return net.depthwise(
        source,
        kernel,
        multiplier=net.whole(1, 2),
        strides=(stride, stride),
        padding=padding,
        activation=_activation(net),
    )


def _fully_connected(net: GrowingNet, source: Carried) -> Carried | None:
    return net.fully_connected(source, net.whole(1, 12), _activation(net))


def _pool(net: GrowingNet, source: Carried) -> Carried | None:
    if not _picture(source):
        return None
    name = ("AVERAGE_POOL_2D", "MAX_POOL_2D")[net.whole(0, 1)]
    kernel = _kernel(net, source)
    return net.pool(
        name, source, kernel, stride=net.whole(1, 2), padding=net.whole(SAME, VALID), activation=_activation(net)
    )


def _mean(net: GrowingNet, source: Carried) -> Carried | None:
    if len(source.shape) < 3:
        return None
    choices = ([1, 2], [1], [2]) if _picture(source) else ([1],)
    return net.mean(source, choices[net.whole(0, len(choices) - 1)], net.draw(0, 1) < 0.5)


def _pair(net: GrowingNet, source: Carried) -> Carried | None:
    name = ("ADD", "SUB", "MUL")[net.whole(0, 2)]
    others = [one for one in net.values if one.shape == source.shape]
    second = others[net.whole(0, len(others) - 1)] if others else source
    return net.pair(name, source, second, _activation(net))


def _branch(net: GrowingNet, source: Carried) -> Carried | None:
    """Two ways that are added, as residual networks have them."""
    if not _picture(source):
        return None
    way = net.convolution(source, (1, 1), source.shape[3], activation=RELU)
    return net.pair("ADD", source, way, _activation(net))


def _concatenation(net: GrowingNet, source: Carried) -> Carried | None:
    if not _picture(source):
        return None
    other = net.convolution(source, (1, 1), net.whole(1, 4), like=source)
    parts = [source, other] if net.draw(0, 1) < 0.5 else [other, source]
    return net.concatenation(parts, 3)


def _pad(net: GrowingNet, source: Carried) -> Carried | None:
    counts = [[0, 0], *([net.whole(0, 2), net.whole(0, 2)] for _ in source.shape[1:])]
    shape = [size + sum(pair) for size, pair in zip(source.shape, counts, strict=True)]
    return net.copy("PAD", source, shape, [counts]) if prod(shape) <= MOST_ELEMENTS else None


def _reshape(net: GrowingNet, source: Carried) -> Carried | None:
    size = prod(source.shape)
    divisors = [number for number in range(1, size + 1) if size % number == 0]
    height = divisors[net.whole(0, len(divisors) - 1)]
    return net.copy("RESHAPE", source, [1, height, 1, size // height], [], new_shape=(1, height, 1, -1))


def _slice(net: GrowingNet, source: Carried) -> Carried | None:
    axis = net.whole(1, len(source.shape) - 1)
    size = source.shape[axis]
    step = (1, 1, 2, -1)[net.whole(0, 3)]
    begin = [0] * len(source.shape)
    begin[axis] = net.whole(0, size - 1)
    steps = [step if place == axis else 1 for place in range(len(source.shape))]
    every = (1 << len(source.shape)) - 1
    count = len(range(size)[begin[axis] :: step])
    shape = [count if place == axis else one for place, one in enumerate(source.shape)]
    lists = [begin, [0] * len(begin), steps]
    return net.copy("STRIDED_SLICE", source, shape, lists, begin_mask=every - (1 << axis), end_mask=every)


def _split(net: GrowingNet, source: Carried) -> Carried | None:
    axis = len(source.shape) - 1
    size = source.shape[axis]
    if size < 2:
        return None
    first = net.whole(1, size - 1)
    parts = net.split(source, axis, [first, size - first])
    return parts[net.whole(0, 1)] if net.draw(0, 1) < 0.7 else net.concatenation(parts[::-1], axis)


def _table(net: GrowingNet, source: Carried) -> Carried | None:
    name, scale, zero = (("LOGISTIC", 1 / 256, -128), ("TANH", 1 / 128, 0))[net.whole(0, 1)]
    return net.single(name, source, scale, zero)


def _rescaled(net: GrowingNet, source: Carried) -> Carried | None:
    name = ("RELU", "RELU6", "QUANTIZE")[net.whole(0, 2)]
    scale = source.scale if net.draw(0, 1) < 0.3 else source.scale * net.draw(0.3, 2.5)
    return net.single(name, source, scale, net.zero_point(RELU))


def _memory(net: GrowingNet, source: Carried) -> Carried | None:
    if not _picture(source) or prod(source.shape) > MOST_ELEMENTS // 4:
        return None
    whole = net.memory(source, net.whole(1, 3))
    return net.convolution(whole, (net.whole(1, whole.shape[1]), 1), net.whole(1, 8), padding=VALID, activation=RELU)


LAYERS: Sequence[tuple[Layer, float]] = (
    (_convolution, 4),
    (_depthwise, 3),
    (_fully_connected, 1),
    (_pool, 2),
    (_mean, 1),
    (_pair, 3),
    (_branch, 1),
    (_concatenation, 1),
    (_pad, 1),
    (_reshape, 0.5),
    (_slice, 1),
    (_split, 1),
    (_table, 1),
    (_rescaled, 1.5),
    (_memory, 1.5),
)


def random_model(seed: int, layers: int | None = None, *, all_outputs: bool = False) -> RandomModel:
    """A model of 1 to 6 layers (or so many); ``all_outputs``: every computed tensor is an output of the network."""
    random = np.random.default_rng(seed)
    net = GrowingNet(random)
    shape = [1, net.whole(1, 6), net.whole(1, 6), net.whole(1, 6)]
    given = net.input(shape, net.draw(0.02, 0.2), net.whole(-128, 127))
    value = given
    weights = np.array([weight for _, weight in LAYERS])
    for _ in range(layers or net.whole(1, 6)):
        value = _next(net, value, weights)
    outputs = net.values if all_outputs else _outputs(net, value)
    data = write(net.model([given], outputs))
    return RandomModel(data, f"t{given.index}", _frames(random, given), tuple(net.names))


def _next(net: GrowingNet, value: Carried, weights: AnyArray) -> Carried:
    """One more layer, of a kind that the value's shape allows."""
    while True:
        layer, _ = LAYERS[int(net.random.choice(len(LAYERS), p=weights / weights.sum()))]
        found = layer(net, value)
        if found is not None:
            return found


def _outputs(net: GrowingNet, last: Carried) -> list[Carried]:
    """The last value, and now and then one from inside."""
    inner = [one for one in net.values if one is not last]
    return [last, inner[net.whole(0, len(inner) - 1)]] if inner and net.draw(0, 1) < 0.3 else [last]


def _frames(random: np.random.Generator, given: Carried) -> AnyArray:
    """Zeros, the two ends of the type, and random values, wide and narrow."""
    size = prod(given.shape)
    ends = [np.full(size, end) for end in (given.zero, -128, 127)]
    wide = random.integers(-128, 128, (3, size))
    narrow = np.clip(given.zero + random.integers(-9, 10, (2, size)), -128, 127)
    return np.concatenate([ends, wide, narrow]).astype(np.int8)
