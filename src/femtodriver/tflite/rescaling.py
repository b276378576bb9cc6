"""From the scales of tensors to the multipliers and limits of ``rescale`` (``fqir/operators/rescale.py``)."""

from __future__ import annotations

from math import floor, isfinite
from typing import Any

import numpy as np

from femtodriver.arrays import Float64Array, Int64Array
from femtodriver.fqir.operators.rounding_modes import LEAST_EXPONENT, MOST_EXPONENT, ROUNDING_BITS
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.network_in_making import CENTRED_BITS, LIMITS
from femtodriver.tflite.records import FileTensor
from femtodriver.tflite.value_rules import activation

REQUANTIZE = (TFLITE, XNNPACK) = ("tflite", "xnnpack")
"""Whose kernels are matched: the runtime's reference kernels, or its accelerated ones."""

_ACCUMULATOR_BITS = 32
_BEYOND = 1 << 16
_NONE, _RELU, _RELU_N1_TO_1, _RELU6 = range(4)


def product_multipliers(op: CheckedOperator, requantize: str) -> Float64Array:
    """From sums of input x weight to the output: one for all channels, or one for each.

    The reference kernels multiply in float64, the accelerated ones in float32.
    """
    source, result = activation(op, op.input()).scale[0], activation(op, op.output()).scale[0]
    weights = op.input(1).quantization
    if weights is None:
        raise op.refuse("weights must have a scale")
    if requantize == XNNPACK:
        found = np.asarray((source * weights.scale) / result, np.float64)
        if not np.isfinite(found).all():
            raise op.unsupported("the scales must give multipliers that float32 can hold", op.output())
        return found
    return np.asarray(np.float64(source) * weights.scale.astype(np.float64) / np.float64(result))


def rescale_constants(mode: str, reals: Float64Array) -> dict[str, Any]:
    """``mode``, ``multipliers`` and ``exponents`` of these real multipliers, each below 2**30."""
    bits = ROUNDING_BITS[mode]
    fractions, exponents = np.frexp(np.atleast_1d(reals))
    multipliers = np.floor(np.ldexp(fractions, bits) + (0.5 if bits < 53 else 0)).astype(np.int64)
    over = multipliers == 1 << bits
    multipliers, exponents = np.where(over, 1 << (bits - 1), multipliers), exponents + over
    tiny = exponents < LEAST_EXPONENT
    multipliers, exponents = np.where(tiny, 0, multipliers), np.where(tiny, 0, exponents)
    return {"mode": mode, "multipliers": _short(multipliers), "exponents": _short(exponents)}


def pair_constants(op: CheckedOperator, mode: str, real: float, bits: int) -> dict[str, Any]:
    """The same for values of so many bits, which a multiplier from 1 must not bring out of 32 bits."""
    most = min(_ACCUMULATOR_BITS - bits, MOST_EXPONENT)
    found = rescale_constants(mode, np.array([real if isfinite(real) else 2.0**MOST_EXPONENT]))
    if found["exponents"][0] > most:
        raise op.unsupported(
            f"the scales must give a multiplier below 2^{most} for the result, not {real:.6g}", op.output()
        )
    return found


def mean_constants(op: CheckedOperator, count: int, requantize: str) -> dict[str, Any]:
    """Constants of ``rescale`` from the sum of ``count`` values to their mean in another scale: the multiplier is a
    quotient of whole numbers, as the kernels divide. Accelerated ones round once where the scales differ."""
    source, result = (float(activation(op, tensor).scale[0]) for tensor in (op.input(), op.output()))
    mode = "single" if requantize == XNNPACK and source != result else "double"
    found = pair_constants(op, "double", source / result, CENTRED_BITS)
    (multiplier,), (exponent,) = found["multipliers"], found["exponents"]
    shift = min(count.bit_length() - 1, 32, 31 + exponent)
    return {"mode": mode, "multipliers": ((multiplier << shift) // count,), "exponents": (exponent - shift,)}


def centred_limits(op: CheckedOperator, tensor: FileTensor) -> dict[str, int]:
    """``low`` and ``high`` of a result: the limits of its type and of the fused activation, less the zero point."""
    found = activation(op, tensor, tuple(LIMITS))
    zero_point, scale = int(found.zero_point[0]), np.float32(found.scale[0])
    low, high = (limit - zero_point for limit in LIMITS[tensor.kind])
    fused = int(op.number("fused_activation")) if "fused_activation" in op.operator.options else _NONE
    fused = {"RELU": _RELU, "RELU6": _RELU6}.get(op.operator.name, fused)
    if fused in (_RELU, _RELU6):
        low = max(low, 0)
    if fused == _RELU6:
        high = min(high, _steps(6, scale))
    if fused == _RELU_N1_TO_1:
        low, high = max(low, -_steps(1, scale)), min(high, _steps(1, scale))
    return {"low": low, "high": high}


def _steps(real: int, scale: np.float32) -> int:
    """A positive real number in steps of the scale, halves away from 0; beyond all types if the scale is tiny."""
    return floor(min(float(np.float32(real) / scale), _BEYOND) + 0.5)


def _short(values: Int64Array) -> tuple[int, ...]:
    """One number for all channels where all are equal."""
    found = [int(value) for value in values]
    return tuple(found[:1] if len(set(found)) == 1 else found)
