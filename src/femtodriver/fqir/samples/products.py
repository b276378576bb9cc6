"""Samplers of sums of products: matrices, convolutions, gmac_v2, sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from femtodriver.fqir.graph import Tensor
from femtodriver.fqir.samples.draw import Draw, Sampler


def _factors(draw: Draw) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """x and y of a product, and its shape: a vector and a matrix, usually a parameter, in both orientations."""
    vector = draw.vector()
    if draw.chance(0.05):  # one element, repeated by ones as producers write it
        count = draw.integer(1, 20)
        return draw.like((1,)), draw.parameter((1, count), 8, np.ones((1, count), np.int64)), (count,)
    size, other = vector.size, draw.pick([draw.size(), draw.integer(16, 80), draw.integer(32, 100)])
    bits = 24 if draw.chance(0.01) else draw.pick([4, 8, 8, 16])
    if draw.chance(0.07):  # the matrix is computed too
        size, other = min(size, 6), draw.integer(1, 9)
        vector = draw.like((size,))
        matrix = draw.like((size, other))
        return vector, matrix, (other,)
    if draw.chance(0.05):  # two matrices
        rows = draw.integer(1, 4)
        return draw.like((rows, size)), draw.parameter((size, other), bits), (rows, other)
    if draw.chance(0.5):
        return vector, draw.parameter((size, other), bits), (other,)
    return draw.parameter((other, size), bits), vector, (other,)


def matmul(draw: Draw) -> None:
    """A matrix product."""
    x, y, _ = _factors(draw)
    bw = draw.width()
    draw.node("matmul", {"x": x, "y": y}, [bw], {"shamt_bwred": draw.shift(-14, 1), "bw_out": bw, **draw.rounded()})


def addmm(draw: Draw) -> None:
    """A matrix product with a bias."""
    x, y, shape = _factors(draw)
    bias = draw.parameter(shape[:1]) if draw.chance(0.6) else draw.like(draw.pick([shape[:1], shape, (1,)]))
    bw = draw.width()
    constants = {"shamt_bias": draw.shift(-4, 12), "shamt_bwred": draw.shift(-14, 1), "bw_out": bw, **draw.rounded()}
    draw.node("addmm", {"bias": bias, "x": x, "y": y}, [bw], constants)


def total(draw: Draw) -> None:
    """A sum along axes."""
    x = draw.value(lambda tensor: len(tensor.shape) > 0)
    rank = len(x.shape)
    axes = [axis - rank if draw.chance(0.5) else axis for axis in range(rank) if draw.chance(0.6)]
    dim: Any = tuple(axes) if len(axes) != 1 or draw.chance(0.5) else axes[0]
    bw = draw.width()
    constants = {"dim": dim, "keepdim": draw.chance(0.5), "shamt_bwred": draw.shift(), "bw": bw}
    draw.node("sum", {"x": x}, [bw], constants)


def gmac(draw: Draw) -> None:
    """Several products and scaled values, split into parts; shapes equal, or a single element."""
    first = draw.value()
    pairs, singles = draw.integer(0, 3), draw.integer(0, 3)
    singles = singles or int(pairs == 0)

    def operand() -> Tensor:
        if draw.chance(0.2):
            return first
        return draw.like((1,)) if draw.chance(0.1) and first.size else draw.like(first.shape)

    inputs = {f"x_vv_{index}": operand() for index in range(pairs)}
    inputs |= {f"y_vv_{index}": operand() for index in range(pairs)}
    inputs |= {f"x_vi_{index}": operand() for index in range(singles)}
    parts = _parts(draw)
    constants = {
        "shamts_vv": tuple(draw.shift(-16, 4) for _ in range(pairs)),
        "shamts_vi": tuple(draw.shift(-12, 6) for _ in range(singles)),
        "immediates_vi": tuple(draw.immediate() for _ in range(singles)),
        "bits_out": parts,
    }
    names = list(inputs)
    draw.generator.shuffle(names)
    draw.node("gmac_v2", {name: inputs[name] for name in names}, parts, constants)


def _parts(draw: Draw) -> tuple[int, ...]:
    usual = [(16,), (8,), (24,), (13, 12), (9, 16), (9, 8), (8, 9, 9), (7, 7, 7), (32,)]
    if draw.chance(0.8):
        return draw.pick(usual)
    return tuple(draw.integer(2, 32) for _ in range(draw.integer(1, 4)))


def conv(draw: Draw) -> None:
    """A convolution over time and bands, dense or depthwise."""
    kernel_t, dilation_t = draw.pick([1, 1, 2, 3, 4]), draw.integer(1, 3)
    frame = draw.vector(1) if draw.chance(0.5) else draw.like((draw.pick([1, 4, 6, 8, 12, 20, 24]),))
    bands = draw.pick([count for count in range(1, frame.size + 1) if frame.size % count == 0][:6])
    kernel_b, dilation_b, padding = draw.integer(1, 3), draw.integer(1, 2), draw.integer(0, 1)
    if (kernel_b - 1) * dilation_b >= bands + 2 * padding:
        kernel_b = 1
    channels = frame.size // bands
    depthwise = draw.chance(0.4)
    outputs, groups = (channels, channels) if depthwise else (draw.integer(1, 20), 1)
    weight = draw.parameter((outputs, channels // groups, kernel_b, kernel_t), draw.pick([4, 8, 8, 16]))
    inputs = {"input": frame, "weight": weight}
    if draw.chance(0.6):
        inputs["bias"] = draw.parameter((outputs,)) if draw.chance(0.8) else draw.like((outputs,))
    rows = (kernel_t - 1) * dilation_t
    if rows or draw.chance(0.1):
        inputs["buffer"] = draw.state((rows * frame.size,))
    bw = draw.width()
    constants = {
        "kernel_size_t": kernel_t,
        "kernel_size_band": kernel_b,
        "d_band_in": channels,
        "n_band_in": bands,
        "dilation_t": dilation_t,
        "dilation_band": dilation_b,
        "stride_band": draw.integer(1, 2),
        "padding_band": padding,
        "groups": groups,
        "shamt_bwred": draw.shift(-11, 0),
        "shamt_bias": draw.shift(-1, 8) if "bias" in inputs or draw.chance(0.3) else None,
        "bw": bw,
    }
    draw.node("temporal_conv2d", inputs, [bw], constants)
    if "buffer" in inputs and draw.chance(0.3):
        draw.update(inputs["buffer"], frame.bits or 32)


SAMPLERS: dict[str, tuple[Sampler, float]] = {
    "matmul": (matmul, 2.0),
    "addmm": (addmm, 2.0),
    "sum": (total, 0.5),
    "gmac_v2": (gmac, 2.0),
    "temporal_conv2d": (conv, 1.0),
}
