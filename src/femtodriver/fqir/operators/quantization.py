"""The border between real numbers and integers: quantize in QUANT, dequantize in DEQUANT."""

from __future__ import annotations

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import AnyArray, Float64Array, Int64Array
from femtodriver.errors import InputError
from femtodriver.fqir.operators.constant_kinds import Exponent, Width
from femtodriver.fqir.operators.operator import Elementwise


def quantize(x: AnyArray, quanta: float, bits: int) -> Int64Array:
    """Integers of ``bits`` bits for real numbers x of any shape: floor(x / 2**quanta), clamped.

    Integers pass if they are in range, else InputError; so for NaN.
    """
    low, high = fixed.limits(bits)
    if x.dtype.kind != "f":
        outside = x[(x < low) | (x > high)]
        if outside.size:
            raise InputError(
                f"quantize: integers must be from {low} to {high}, not {outside.flat[0]}. Scale the input."
            )
        return np.asarray(x, dtype=np.int64)
    if np.isnan(x).any():
        raise InputError("quantize: numbers must be finite or infinite, not NaN. Clean the input.")
    with np.errstate(over="ignore"):
        steps = np.floor(x.astype(np.float64) / 2.0**quanta)
    return np.asarray(np.clip(steps, low, high), dtype=np.int64)


def dequantize(x: Int64Array, quanta: float) -> Float64Array:
    """Real numbers x * 2**quanta (float64) for integers of any shape."""
    return np.asarray(x.astype(np.float64) * 2.0**quanta, dtype=np.float64)


class Quantize(Elementwise):
    """clamp(floor(x / 2**quanta)) to ``bw`` bits; integers in range pass unchanged."""

    name = "quantize"
    inputs = ("x",)
    host_only = True
    quanta = Exponent()
    bw = Width()

    def evaluate(self, x: AnyArray) -> Int64Array:
        return quantize(x, self.quanta, self.bw)


class Dequantize(Elementwise):
    """float64(x) * 2**quanta. Belongs to DEQUANT, which is not part of a frame."""

    name = "dequantize"
    inputs = ("x",)
    refusal = "it makes real numbers, which belong to DEQUANT"
    quanta = Exponent()
