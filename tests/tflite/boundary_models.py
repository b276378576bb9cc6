"""Models whose sums lie beside the places at which results round, so that a wrong rule shows."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import AnyArray
from tests.tflite.tflite_writer import Net, write

CHANNELS = 96


def near_halves(random: np.random.Generator, multipliers: AnyArray) -> AnyArray:
    """int32 sums whose products with the multipliers are near halves: one for each."""
    halves = random.integers(-120, 120, len(multipliers)) + 0.5
    return np.asarray(np.rint(halves / multipliers) + random.integers(-1, 2, len(multipliers)), np.int32)


def weighted_model(name: str, seed: int) -> bytes:
    """CONV_2D or DEPTHWISE_CONV_2D of 2 x 2 cells, or FULLY_CONNECTED: an input of zeros gives the biases."""
    random = np.random.default_rng(seed)
    scale, result = (float(np.float32(random.uniform(0.01, 0.2))) for _ in range(2))
    scales = random.uniform(1e-4, 0.05, CHANNELS).astype(np.float32)
    products = np.float32(scale) * scales
    bias = near_halves(random, np.float64(scale) * scales.astype(np.float64) / np.float64(np.float32(result)))
    full = name != "DEPTHWISE_CONV_2D"
    net, depth = Net(), 1 if full else CHANNELS
    given = net.tensor([1, 2, 2, depth] if name != "FULLY_CONNECTED" else [1, 4], scale=scale, zero=-128)
    shape = {"CONV_2D": [CHANNELS, 1, 1, 1], "FULLY_CONNECTED": [CHANNELS, 4]}.get(name, [1, 1, 1, CHANNELS])
    data = random.integers(-127, 128, shape).astype(np.int8)
    weights = net.tensor(shape, scale=scales.tolist(), data=data, axis=0 if full else 3)
    biases = net.tensor([CHANNELS], "INT32", products.tolist(), data=bias)
    output = net.tensor([1, CHANNELS] if name == "FULLY_CONNECTED" else [1, 2, 2, CHANNELS], scale=result, zero=3)
    strides = {} if name == "FULLY_CONNECTED" else {"stride_h": 1, "stride_w": 1}
    options = {**strides, **({} if full else {"depth_multiplier": 1})}
    net.operator(name, [given, weights, biases], [output], **options)
    return write(net.model([given], [output]))


def pair_model(name: str, seed: int) -> bytes:
    """ADD, SUB or MUL of a tensor and a constant, each element with another one."""
    random = np.random.default_rng(seed)
    net, size = Net(), 256
    scales = [float(np.float32(random.uniform(0.01, 0.2))) for _ in range(3)]
    if name == "MUL":
        scales[2] *= 10
    zeros = random.integers(-128, 128, 3).tolist()
    given = net.tensor([1, size], scale=scales[0], zero=zeros[0])
    data = random.integers(-128, 128, (1, size)).astype(np.int8)
    other = net.tensor([1, size], scale=scales[1], zero=zeros[1], data=data)
    output = net.tensor([1, size], scale=scales[2], zero=zeros[2])
    net.operator(name, [given, other], [output])
    return write(net.model([given], [output]))
