"""rescale: from accumulators to a few bits, as other systems define it, with multipliers of tensors or channels."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import Choice, Integer, IntegerPerChannel, Mantissa
from femtodriver.fqir.operators.example import Example
from femtodriver.fqir.operators.lowering_interface import Build, Value
from femtodriver.fqir.operators.operator import EXAMPLE_SIZES, Elementwise, Ranges, Shape, Shapes, rule, value_rule
from femtodriver.fqir.operators.ranges import Range, bits_of
from femtodriver.fqir.operators.rounding_modes import (
    LEAST_EXPONENT,
    MOST_EXPONENT,
    ROUNDING_BITS,
    ROUNDING_RULES,
)
from femtodriver.fqir.operators.rounding_steps import LinearRounding, linear_rounding

ACCUMULATOR_BITS = 32
RESULT_BITS = 16
# Results that one multiplication cannot give are corrected one accumulator at a time.
# What costs less than sorting channels by their exponents, and what is no longer reasonable.
_FEW_CORRECTIONS, _MOST_CORRECTIONS = 4, 64
# What the instruction vscale can do: multiply numbers of so many bits by fractions from a half on, and double the
# product so often.
_SCALED_BITS, _HALF, _MOST_DOUBLINGS = 24, 1 << 30, 3
# Multipliers of channels are repeated for so many elements at least, and used for all pieces of that size.
_REPEATED = 512

_Channels = tuple[Int64Array, Int64Array]
"""Multipliers and exponents, int64, one of each for a channel."""


class Rescale(Elementwise):
    """The nearest number from low to high to x * multipliers * 2**(exponents - bits), rounded as ``mode`` says.

    ``multipliers`` and ``exponents`` are those of the last axis of x, or one for all; x has at most 32 bits.

    * ``double`` (bits = 31): v is the product with 2**exponent, for exponents above 0, and with multiplier * 2**-31,
      halves upward; then v * 2**exponent, for exponents below 0, with halves away from 0.
    * ``exact`` (bits = 53): the product in float64, halves away from 0.
    * ``single`` (bits = 31): halves upward.
    """

    name = "rescale"
    inputs = ("x",)
    examples = tuple(
        Example(
            f"{size} elements, {mode}",
            {"x": (size,)},
            {"mode": mode, "multipliers": (multiplier,)},
            types={"x": "int32"},
        )
        for mode, multiplier in (("double", 0x5A827999), ("exact", 0x16A09E667F3BCD))
        for size in EXAMPLE_SIZES
    )
    mode = Choice(ROUNDING_BITS, typical="double")
    multipliers = Mantissa("mode", ROUNDING_BITS, typical=(1518500250,))
    exponents = IntegerPerChannel(LEAST_EXPONENT, MOST_EXPONENT, usual=(-14, 1), typical=(-9,))
    low = Integer(*fixed.limits(RESULT_BITS), usual=(-256, 0), typical=-121)
    high = Integer(*fixed.limits(RESULT_BITS), usual=(0, 256), typical=134)

    @rule
    def one_for_each_channel(self, shapes: Shapes) -> str | None:
        """multipliers and exponents must have one entry, or one for each index of the last axis of x"""
        counts = {len(self.multipliers), len(self.exponents)} - {1, _channels_of(shapes["x"])}
        return f"{max(counts)} for x of {list(shapes['x'])}" if counts else None

    @rule
    def multipliers_fit(self, shapes: Shapes) -> str | None:
        """multipliers must have at most as many bits as those of their mode"""
        bits = max(self.multipliers).bit_length()
        return None if bits <= ROUNDING_BITS[self.mode] else f"{bits} for {ROUNDING_BITS[self.mode]}"

    @rule
    def low_below_high(self, shapes: Shapes) -> str | None:
        """low must be at most high"""
        return None if self.low <= self.high else f"{self.low} and {self.high}"

    @value_rule
    def accumulator_fits(self, ranges: Ranges) -> str | None:
        """x must fit 32 bits, in the mode double also after the shift by the largest exponent"""
        bits = bits_of(ranges["x"]) + (max(0, *self.exponents) if self.mode == "double" else 0)
        return None if bits <= ACCUMULATOR_BITS else f"{bits}"

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        return ((self.low, self.high),)

    def evaluate(self, x: Int64Array) -> Int64Array:
        return self.specialised_for(self._channels)(x)

    def specialised(self, known: object) -> Callable[..., Int64Array]:
        return self.specialised_for(self._channels)

    def specialised_for(self, channels: _Channels) -> Callable[[Int64Array], Int64Array]:
        """The operator as a function, for these channels."""
        rounded, (multipliers, exponents) = ROUNDING_RULES[self.mode], channels
        return lambda x: fixed.clamp(rounded(x, multipliers, exponents), self.low, self.high).reshape(x.shape)

    @property
    def _channels(self) -> _Channels:
        """Of equal length: one, or one for each channel."""
        found = np.broadcast_arrays(np.array(self.multipliers, np.int64), np.array(self.exponents, np.int64))
        return found[0], found[1]

    def lower(self, build: Build) -> None:
        ((x, shape),) = self.shaped(build)
        channels = _without_unused_exponents(self._channels)
        if (channels[0] == channels[0][0]).all() and (channels[1] == channels[1][0]).all():
            channels = channels[0][:1], channels[1][:1]
        if not prod(shape):
            self.give(build, build.constant(np.zeros(0, np.int64)))
        elif len(channels[0]) == 1 or len(channels[0]) == prod(shape):
            self.give(build, self._lowered(build, x, channels))
        else:
            self.give(build, self._by_pieces(build, x, prod(shape), channels))

    def _by_pieces(self, build: Build, x: Value, size: int, channels: _Channels) -> Value:
        """All pieces use the same constants."""
        count = len(channels[0])
        step = count * min(size // count, max(1, _REPEATED // count))
        results = []
        for first in range(0, size, step):
            end = min(first + step, size)
            times = (end - first) // count
            tiled = np.tile(channels[0], times), np.tile(channels[1], times)
            results.append(self._lowered(build, build.part(x, first, end), tiled))
        return build.cat(results)

    def _lowered(self, build: Build, x: Value, channels: _Channels) -> Value:
        """x has as many elements as there are channels, or any if there is one."""
        exponents = channels[1]
        if self.mode != "double":
            return self._lowered_linear(build, x, channels)
        if exponents.min() < 0 <= exponents.max():
            return self._apart(build, x, channels, exponents >= 0)
        return self._lowered_double(build, x, channels)

    def _apart(self, build: Build, x: Value, channels: _Channels, chosen: np.ndarray) -> Value:
        """Two groups of channels, one after the other."""
        groups = [np.flatnonzero(chosen), np.flatnonzero(~chosen)]
        parts = [self._lowered(build, build.take(x, of), (channels[0][of], channels[1][of])) for of in groups]
        return build.take(build.cat(parts), np.argsort(np.concatenate(groups), kind="stable"))

    def _lowered_double(self, build: Build, x: Value, channels: _Channels) -> Value:
        multipliers, exponents = channels
        up, right = np.maximum(exponents, 0), np.maximum(-exponents, 0)
        same_up = (up == up[0]).all()
        if not same_up:
            x = build.vec("vmul", x, _operand(build, 1 << up), saturate=ACCUMULATOR_BITS)
        first: dict[str, Any] = {"shift": int(up[0]) - 31 if same_up else -31, "rounded": True}
        if not right.any():
            return self._clamped(build, "vmul", x, _operand(build, multipliers), **first)
        packed = packed_multipliers(multipliers, right)
        if packed is not None and build.most_bits(self.node.inputs["x"].name) <= _SCALED_BITS:
            return self._clamped(build, "vscale", x, _operand(build, packed), shift=-int(right.max()), rounded=True)
        v = build.vec("vmul", x, _operand(build, multipliers), **first, saturate=ACCUMULATOR_BITS)
        last: dict[str, Any] = {"shift": -int(right.max()), "rounded": True}
        factors = 1 << (right.max() - right)
        if (factors == 1).all() and self.low < 0:
            # v - 1 below 0: what is halfway to the next number then goes down, and nothing else changes
            return self._clamped(build, "vadd", v, v, shift_b=-63, **last)
        if self.low < 0:
            v = build.vec("vadd", v, v, shift_b=-63, saturate=ACCUMULATOR_BITS)
        return self._clamped(build, "vmul", v, _operand(build, factors), **last)

    def _lowered_linear(self, build: Build, x: Value, channels: _Channels) -> Value:
        exponents = channels[1]
        alike = exponents.min() == exponents.max()
        most = _MOST_CORRECTIONS if alike else _FEW_CORRECTIONS
        found = linear_rounding(self.mode, *channels, self.low, self.high, most)
        if found is not None:
            factors, shift = _operand(build, found.factors), -found.shift
            result = self._clamped(build, "vmul", x, factors, shift=shift, rounded=True)
            return self._corrected(build, x, result, found)
        if not alike:
            return self._apart(build, x, channels, exponents > (exponents.min() + exponents.max()) // 2)
        raise self.place.unsupported(
            f"mode {self.mode} must differ from one multiplication in at most {_MOST_CORRECTIONS} accumulators of a "
            "channel, not in more",
            "Use another mode, or fewer bits for the result.",
        )

    @staticmethod
    def _corrected(build: Build, x: Value, result: Value, found: LinearRounding) -> Value:
        """A round corrects at most one accumulator of each channel."""
        for number in range(max(map(len, found.corrections))):
            pairs = [list(of.items())[number : number + 1] or [(0, 0)] for of in found.corrections]
            places, deltas = (np.array([pair[0][side] for pair in pairs], np.int64) for side in (0, 1))
            there = build.vec("veq", x, _operand(build, places))
            result = build.vec(
                "vadd", result, build.vec("vmul", there, _operand(build, deltas), saturate=8), saturate=RESULT_BITS
            )
        return result

    def _clamped(self, build: Build, op: str, a: Value, b: Value | int, **fields: Any) -> Value:
        """The operation, with a result from low to high."""
        bits = bits_of((min(self.low, 0), max(self.high, 0)))
        lowest, highest = fixed.limits(bits)
        result = build.vec(op, a, b, **fields, saturate=bits)
        if self.low > lowest:
            result = build.vec("vmax", result, self.low)
        return build.vec("vmin", result, self.high) if self.high < highest else result


def _channels_of(shape: Shape) -> int:
    return shape[-1] if shape else 1


def _without_unused_exponents(channels: _Channels) -> _Channels:
    """A multiplier of 0 goes with any exponent: with that of a neighbour."""
    multipliers, exponents = channels
    used = exponents[multipliers > 0]
    return multipliers, np.where(multipliers > 0, exponents, used.max() if used.size else 0)


def packed_multipliers(multipliers: Int64Array, right: Int64Array) -> Int64Array | None:
    """Multipliers and shifts to the right, as the instruction ``vscale`` takes them; None where it cannot.

    Shifts are told as differences from the largest one, which is the shift of the instruction's result.
    """
    doublings = right.max() - right
    if multipliers.min() < _HALF or doublings.max() > _MOST_DOUBLINGS:
        return None
    packed = (doublings << _HALF.bit_length() - 1) + (multipliers - _HALF)
    return np.asarray(np.where(packed >= 2 * _HALF, packed - 4 * _HALF, packed))


def _operand(build: Build, values: Int64Array) -> Value | int:
    """One number, or a vector of constants."""
    return int(values[0]) if (values == values[0]).all() else build.constant(values)
