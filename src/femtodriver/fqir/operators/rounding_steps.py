"""One multiplication and shift that rounds as another rule does, wherever the result matters.

The rules of ``rounding_modes`` never fall as x grows, so all that is to know of one are its steps: from which x on its
result is at least k, for the few k that are left after clamping. ``(x * m + 2**(s-1)) >> s`` is the same function if
its steps lie at the same places: two inequalities for m at each step. A multiplier of 31 bits nearly always satisfies
all of them; where none does, a few single x have results that are one off, and are listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.rounding_modes import ROUNDING_BITS, ROUNDING_RULES

FACTOR_BITS = 31
_MOST_FACTOR = (1 << FACTOR_BITS) - 1
# The largest accumulator above and below 0 as a distance from 0.
_REACH = {1: (1 << 31) - 1, -1: 1 << 31}
_MOST_ODD_BITS = 63
_MOST_SHIFT = 62
_STEPS_AT_ONCE = 1 << 18


@dataclass(frozen=True, eq=False)
class LinearRounding:
    """``clamp((x * factors + 2**(shift-1)) >> shift)``, plus ``corrections[channel][x]`` for the x that it has.

    ``factors``: int64 [channels], each below 2**31.
    """

    factors: Int64Array
    shift: int
    corrections: tuple[Mapping[int, int], ...]


@dataclass(frozen=True, eq=False)
class _Steps:
    """At which distance from 0 (``at``, int64 [k, channels]) results reach the numbers ``k`` on one side of 0.

    One more than the largest accumulator stands for never.
    """

    side: int
    k: Int64Array
    at: Int64Array

    def odd(self, shift: int) -> Int64Array:
        """(2k - 1) * 2**shift, as a column."""
        return ((2 * self.k - 1) << shift)[:, np.newaxis]

    def bounds(self, shift: int) -> tuple[Int64Array, Int64Array]:
        """The smallest and largest factor of each channel that has these steps; none if the first is larger.

        Halves are rounded upward: 2 * x * factor >= odd reaches k above 0, and > odd reaches -k below.
        """
        odd, reached, before = self.odd(shift), self.at <= _REACH[self.side], self.at - 1
        upward = self.side > 0
        least = _ceil(odd, 2 * self.at) if upward else odd // (2 * self.at) + 1
        divisor = 2 * np.maximum(before, 1)
        most = _ceil(odd, divisor) - 1 if upward else odd // divisor
        return (
            np.where(reached, least, 0).max(axis=0, initial=0),
            np.where(before > 0, most, _MOST_FACTOR).min(axis=0, initial=_MOST_FACTOR),
        )

    def of_factors(self, factors: Int64Array, shift: int) -> Int64Array:
        """Where these factors reach k."""
        odd, twice = self.odd(shift), 2 * np.maximum(factors, 1)
        found = _ceil(odd, twice) if self.side > 0 else odd // twice + 1
        never = _REACH[self.side] + 1
        return np.asarray(np.where(factors > 0, np.minimum(found, never), never))


def linear_rounding(
    mode: str, multipliers: Int64Array, exponents: Int64Array, low: int, high: int, most: int
) -> LinearRounding | None:
    """The linear form of a rule for results from ``low`` to ``high``.

    None if a channel has more than ``most`` corrections, as when multipliers differ too much for a common shift.
    """
    reals = np.ldexp(multipliers.astype(np.float64), exponents - ROUNDING_BITS[mode])
    shift = min(FACTOR_BITS - int(np.frexp(reals.max())[1]), _MOST_SHIFT)
    width = max(1, _STEPS_AT_ONCE // max(1, high, -low))
    parts = [slice(first, first + width) for first in range(0, len(multipliers), width)]
    found = [_linear_part(mode, multipliers[part], exponents[part], shift, low, high, most) for part in parts]
    factors, corrections = [], []
    for part in found:
        if part is None:
            return None
        factors.append(part[0])
        corrections += part[1]
    return LinearRounding(np.concatenate(factors), shift, tuple(corrections))


def _linear_part(
    mode: str, multipliers: Int64Array, exponents: Int64Array, shift: int, low: int, high: int, most: int
) -> tuple[Int64Array, list[Mapping[int, int]]] | None:
    sides = [
        _steps(mode, multipliers, exponents, side, np.arange(max(least, 0) + 1, last + 1))
        for side, least, last in ((1, low, high), (-1, -high, -low))
    ]
    least, largest = np.zeros(len(multipliers), np.int64), np.full(len(multipliers), _MOST_FACTOR)
    usable = []
    for steps in sides:
        fits = 2 * steps.k - 1 < 1 << max(0, _MOST_ODD_BITS - shift)
        if (steps.at[~fits] <= _REACH[steps.side]).any():
            return None
        usable.append(_Steps(steps.side, steps.k[fits], steps.at[fits]))
        bounds = usable[-1].bounds(shift)
        least, largest = np.maximum(least, bounds[0]), np.minimum(largest, bounds[1])
    nearest = np.minimum(_scaled(multipliers, exponents + shift - ROUNDING_BITS[mode]), _MOST_FACTOR)
    factors = np.where(least <= largest, np.clip(nearest, least, largest), nearest)
    corrections: list[dict[int, int]] = [defaultdict(int) for _ in multipliers]
    for steps in usable:
        ours = steps.of_factors(factors, shift)
        for row, channel in zip(*np.nonzero(ours != steps.at), strict=True):
            wanted, given = int(steps.at[row, channel]), int(ours[row, channel])
            if abs(wanted - given) > most:
                return None
            for x in range(min(wanted, given), max(wanted, given)):
                corrections[channel][steps.side * x] += steps.side * (1 if wanted < given else -1)
    if max(map(len, corrections), default=0) > most:
        return None
    return factors, [dict(sorted(found.items())) for found in corrections]


def _steps(mode: str, multipliers: Int64Array, exponents: Int64Array, side: int, k: Int64Array) -> _Steps:
    """By bisection, for all channels and k together."""
    rule = ROUNDING_RULES[mode]
    below = np.zeros((len(k), len(multipliers)), np.int64)
    reached = np.full_like(below, _REACH[side] + 1)
    wanted = k[:, np.newaxis]
    while (reached - below > 1).any():
        middle = (below + reached) >> 1
        there = side * rule(side * middle, multipliers, exponents) >= wanted
        open_ = reached - below > 1
        reached = np.where(there & open_, middle, reached)
        below = np.where(~there & open_, middle, below)
    return _Steps(side, k, reached)


def _scaled(values: Int64Array, shifts: Int64Array) -> Int64Array:
    """values * 2**shifts to the nearest; the result must fit."""
    right = np.minimum(np.maximum(-shifts, 0), 62)
    return np.asarray(((values << np.maximum(shifts, 0)) + ((1 << right) >> 1)) >> right)


def _ceil(number: Int64Array, divisor: Int64Array) -> Int64Array:
    return np.asarray(-(-number // divisor))
