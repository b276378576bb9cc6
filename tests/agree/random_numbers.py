"""Random constants of operators: shifts, widths, immediates, sizes, values of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import IMMEDIATE_HIGH, IMMEDIATE_LOW, MAX_SHIFT, MAX_WIDTH

T = TypeVar("T")


class Numbers:
    """Draws constants from a generator; most draws are ordinary, some are extreme."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator

    def integer(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``, both included."""
        return int(self.generator.integers(low, high, endpoint=True))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.generator.random() < probability)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.integer(0, len(choices) - 1)]

    def shift(self, low: int = -9, high: int = 3) -> int:
        """A shift amount, mostly of the ordinary range given."""
        if self.chance(0.8):
            return self.integer(low, high)
        if self.chance(0.6):
            return self.integer(-24, 16)
        return self.pick([self.integer(-MAX_SHIFT, MAX_SHIFT), -MAX_SHIFT, MAX_SHIFT, -32, 32, 31, -33])

    def width(self) -> int:
        """A width to saturate to."""
        return self.pick([8, 8, 16, 16, 16, 24]) if self.chance(0.85) else self.integer(1, MAX_WIDTH)

    def rounded(self) -> dict[str, bool]:
        """The constant ``rounded``, or nothing: producers leave it out."""
        return {} if self.chance(0.2) else {"rounded": self.chance(0.5)}

    def immediate(self) -> int:
        """A 32-bit number."""
        kind = self.integer(0, 9)
        if kind < 5:
            return self.integer(-130, 130)
        if kind < 7:
            return self.integer(-(1 << 15), (1 << 15) - 1)
        if kind < 8:
            return 1 << self.integer(0, 30)
        return self.pick([0, -1, IMMEDIATE_LOW, IMMEDIATE_HIGH, self.integer(IMMEDIATE_LOW, IMMEDIATE_HIGH)])

    def any_size(self) -> int:
        """The length of a vector; often one, or not a multiple of the lanes; seldom none or many."""
        kind = self.integer(0, 19)
        if kind == 0:
            if self.chance(0.02):
                return self.integer(500, 5000)
            return 0 if self.chance(0.4) else self.integer(100, 300)
        if kind < 4:
            return 1
        return self.integer(2, 12) if kind < 14 else self.pick([8, 16, 24, 32, self.integer(13, 64)])

    def matrix_bits(self) -> int:
        """The width of weights; seldom one that nothing can multiply."""
        return 24 if self.chance(0.01) else self.pick([4, 8, 8, 16])

    def array(self, shape: tuple[int, ...], bits: int) -> Int64Array:
        """Values of a tensor of that many bits: full range, small, sparse (also in groups of 8), extreme, all equal."""
        low, high = fixed.limits(bits)
        kind = self.integer(0, 9)
        if kind < 4:
            return self.generator.integers(low, high, shape, endpoint=True)
        if kind < 6:
            return self.generator.integers(max(low, -3), min(high, 3), shape, endpoint=True)
        if kind < 8:
            values = self.generator.integers(low, high, shape, endpoint=True)
            keep = self.generator.random(shape) < self.generator.random()
            if self.chance(0.5) and len(shape) == 2 and shape[1]:
                keep = np.repeat(keep[:, ::8], 8, axis=1)[:, : shape[1]]
            return np.asarray(values * keep, np.int64)
        if kind < 9:
            return self.generator.choice(np.array([low, high, 0, -1], np.int64), shape)
        return np.full(shape, self.pick([0, low, high, min(1, high)]), np.int64)
