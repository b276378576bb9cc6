"""Weights and biases: their types, scales and zero points, and sums that must stay within 32 bits."""

from __future__ import annotations

from math import frexp

import numpy as np

from femtodriver.arrays import AnyArray, Float64Array, Int64Array
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.records import FileTensor, Quantization

MAX_ACCUMULATOR = (1 << 31) - 1
MAX_SHIFT = 30
# A bias is rounded to units of the products, so its scale is theirs but for the rounding of float32.
_BIAS_TOLERANCE = 1e-2


def check_weights(op: CheckedOperator, source: Quantization, result: Quantization, axis: int) -> None:
    """An error for weights or a bias that mean nothing with these quantizations of input and output.

    ``axis``: the dimension of the weights that counts the channels of the output.
    """
    weights = op.input(1)
    constant = _constant(op, weights, "weights", "INT8")
    found = _weight_quantization(op, weights, axis)
    channels = weights.shape[axis]
    op.budget.take(channels, op.where)
    products = float(source.scale[0]) * found.scale.astype(np.float64)
    bias = _bias(op, products) if op.has(2) else np.zeros(1, np.int64)
    largest = _magnitudes(op, constant, axis) * _widest(source) + np.abs(bias)
    _check_range(op, largest, products / float(result.scale[0]))


def _constant(op: CheckedOperator, tensor: FileTensor, what: str, kind: str) -> AnyArray:
    if tensor.kind != kind:
        raise op.unsupported(f"{what} must be {kind}, not {tensor.kind}", tensor)
    return op.constant(tensor, what)


def _weight_quantization(op: CheckedOperator, weights: FileTensor, axis: int) -> Quantization:
    found = weights.quantization
    if found is None:
        raise op.refuse(f"weights, tensor {weights.index}, must have a scale")
    if len(found.scale) > 1 and found.axis != axis:
        raise op.refuse(f"scales of the weights must be along dimension {axis}, not {found.axis}")
    if found.zero_point.any():
        raise op.refuse("zero points of the weights must be 0")
    return found


def _bias(op: CheckedOperator, products: Float64Array) -> Int64Array:
    tensor = op.input(2)
    values = _constant(op, tensor, "the bias", "INT32")
    found = tensor.quantization
    if found is None or len(found.scale) not in (1, len(products)):
        raise op.refuse(f"the bias must have {len(products)} scales, as the weights")
    off = np.abs(found.scale.astype(np.float64) - products) > _BIAS_TOLERANCE * products
    if off.any():
        place = int(np.argmax(off))
        scale = float(found.scale[place % len(found.scale)])
        raise op.refuse(
            f"scales of the bias must be those of input x weights, {products[place]:.6g} for channel {place}, "
            f"not {scale:.6g}"
        )
    return values.astype(np.int64)


def _widest(source: Quantization) -> int:
    """The largest magnitude of an input less its zero point."""
    zero = int(source.zero_point[0])
    return max(127 - zero, zero + 128)


def _magnitudes(op: CheckedOperator, weights: AnyArray, axis: int) -> Int64Array:
    """The sum of the weights' magnitudes for each channel."""
    op.budget.take(weights.size, op.where)
    others = tuple(number for number in range(weights.ndim) if number != axis)
    return np.asarray(np.abs(weights.astype(np.int16)).sum(axis=others, dtype=np.int64))


def _check_range(op: CheckedOperator, largest: Int64Array, multipliers: Float64Array) -> None:
    """Sums must fit 32 bits, also after the shift to the left that comes with a multiplier from 1."""
    shift = max(frexp(float(multipliers.max()))[1], 0)
    if shift > MAX_SHIFT:
        raise op.refuse(
            f"input scale x weight scale / output scale must be below 2^{MAX_SHIFT}, not {multipliers.max():.6g}"
        )
    place = int(np.argmax(largest))
    most = int(largest[place]) << shift
    if most > MAX_ACCUMULATOR:
        shifted = f", shifted left by {shift}," if shift else ""
        raise op.refuse(f"sums of channel {place}{shifted} must be below {MAX_ACCUMULATOR + 1}, not reach {most}")
