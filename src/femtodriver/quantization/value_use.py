"""What is kept of a value of the network over a run, in a few numbers, however long the run is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Float64Array, Int64Array
from femtodriver.fqir.operators.ranges import bits_of


@dataclass
class ValueUse:
    """Sums over all elements that a value has had; ``bits``: of its type.

    ``elements``: how many, ``lowest`` and ``highest``: their range (0 if there were none), ``at_limits``: how many were
    the smallest or largest number of the type, ``zeros``: how many were 0, ``squares``: the sum of their squares.
    ``clipped``: elements that saturations have changed on the way to the value.
    ``signal``, ``noise``: sums of squares of the float values, and of what differs from them; ``compared``: elements.
    """

    bits: int
    elements: int = 0
    lowest: int = 0
    highest: int = 0
    at_limits: int = 0
    zeros: int = 0
    squares: float = 0.0
    clipped: int = 0
    signal: float = 0.0
    noise: float = 0.0
    compared: int = 0

    def add(self, values: Int64Array, clipped: int = 0) -> None:
        """The value has been written: an array of any shape; ``clipped`` elements were changed by saturations."""
        self.clipped += clipped
        if not values.size:
            return
        lowest, highest = int(values.min()), int(values.max())
        self.lowest = lowest if not self.elements else min(self.lowest, lowest)
        self.highest = highest if not self.elements else max(self.highest, highest)
        self.elements += values.size
        self.zeros += values.size - int(np.count_nonzero(values))
        low, high = fixed.limits(self.bits)
        if lowest <= low or highest >= high:
            self.at_limits += int(np.count_nonzero((values <= low) | (values >= high)))
        self.squares += float(np.square(values, dtype=np.float64).sum())

    def compare(self, values: Int64Array, quanta: float, wanted: Float64Array) -> None:
        """The value ``values * 2**quanta`` beside what a float model has; arrays of one size."""
        made = np.asarray(values, np.float64).reshape(-1) * 2.0**quanta
        flat = wanted.reshape(-1)
        self.signal += float(np.square(flat).sum())
        self.noise += float(np.square(made - flat).sum())
        self.compared += flat.size

    @property
    def used_bits(self) -> int:
        """The width that all values that occurred would fit."""
        return bits_of((self.lowest, self.highest))

    @property
    def unused_bits(self) -> int:
        """Bits of the type above those that were used: each costs 6 dB of resolution. Negative: they do not fit it."""
        return self.bits - self.used_bits

    @property
    def rms(self) -> float | None:
        """Root of the mean square, as an integer of the type; None without elements."""
        return math.sqrt(self.squares / self.elements) if self.elements else None

    @property
    def snr_db(self) -> float | None:
        """Signal-to-noise ratio against the float values in dB; None if they are equal, or there is no signal."""
        return 10 * math.log10(self.signal / self.noise) if self.signal and self.noise else None
