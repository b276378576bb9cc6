"""What ``rescale`` must give, in whole numbers and fractions of any size: written from the definition alone."""

from __future__ import annotations

from fractions import Fraction
from math import floor

BITS = {"double": 31, "exact": 53, "single": 31}
_HALF = Fraction(1, 2)


def rescaled(mode: str, x: int, multiplier: int, exponent: int) -> int:
    """The result for one accumulator, before it is clamped."""
    real = Fraction(multiplier) * Fraction(2) ** (exponent - BITS[mode])
    if mode == "single":
        return floor(x * real + _HALF)
    if mode == "exact":
        return away_from_zero(as_float64(x * real))
    first = floor(Fraction(x * 2 ** max(exponent, 0) * multiplier, 1 << 31) + _HALF)
    return away_from_zero(Fraction(first, 1 << max(-exponent, 0)))


def away_from_zero(number: Fraction) -> int:
    """To the nearest, halves away from 0."""
    return floor(number + _HALF) if number >= 0 else -floor(_HALF - number)


def as_float64(number: Fraction) -> Fraction:
    """Rounded to 53 bits, halves to even; exponents have no limits."""
    if not number:
        return number
    top = abs(number).numerator.bit_length() - abs(number).denominator.bit_length()
    top += abs(number) >= Fraction(2) ** top
    unit = Fraction(2) ** (top - 53)
    return round(number / unit) * unit
