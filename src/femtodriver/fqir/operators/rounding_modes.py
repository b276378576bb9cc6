"""Ways to scale accumulators down to a few bits: the same real number, rounded by different rules.

A channel multiplies by R = multiplier * 2**(exponent - bits), where ``bits`` is the precision of the rule's multipliers
(``ROUNDING_BITS``): what ``math.frexp`` gives for R, as an integer of so many bits. Accumulators have 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from femtodriver.arrays import Int64Array

ROUNDING_BITS: Mapping[str, int] = {"double": 31, "exact": 53, "single": 31}
LEAST_EXPONENT, MOST_EXPONENT = -31, 30

_HALF = 1 << 30


def double(x: Int64Array, multipliers: Int64Array, exponents: Int64Array) -> Int64Array:
    """Two steps: to the nearest of 2**31 parts, halves upward; then to the nearest of 2**-exponent, halves away from 0.

    x * 2**exponent must fit 32 bits where the exponent is above 0.
    """
    first = ((x << np.maximum(exponents, 0)) * multipliers + _HALF) >> 31
    right = np.maximum(-exponents, 0)
    return np.asarray((first + ((1 << right) >> 1) - ((first < 0) & (right > 0))) >> right)


def single(x: Int64Array, multipliers: Int64Array, exponents: Int64Array) -> Int64Array:
    """One step on integers, halves upward."""
    right = 31 - exponents
    return np.asarray((x * multipliers + (1 << (right - 1))) >> right)


def exact(x: Int64Array, multipliers: Int64Array, exponents: Int64Array) -> Int64Array:
    """The product in float64, halves away from 0."""
    product = x.astype(np.float64) * np.ldexp(multipliers.astype(np.float64), exponents - ROUNDING_BITS["exact"])
    whole = np.trunc(product)
    away = np.copysign(np.abs(product - whole) >= 0.5, product)
    return np.asarray(whole + away, np.int64)


ROUNDING_RULES: Mapping[str, Callable[[Int64Array, Int64Array, Int64Array], Int64Array]] = {
    "double": double,
    "exact": exact,
    "single": single,
}
"""Results, not clamped, of accumulators [..., channels] with multipliers and exponents [channels]; all int64."""
