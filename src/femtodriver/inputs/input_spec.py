"""What the inputs of a network look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import Float64Array, Int64Array
from femtodriver.safe_text import plain_name, quote

MOST_ELEMENTS = 1 << 28
"""What one run may take: 2 GiB of 64-bit values, four and a half hours of audio at 16 kHz."""


@dataclass(frozen=True)
class InputSpec:
    """One input: its name, the number of elements of a frame (without padding), and bits per element (8, 16, 24).

    ``shape``: the axes of a frame in the network, row-major, of ``length`` elements in all; () stands for one axis.
    ``quanta``: an integer v of this input stands for the real number (v - ``zero_point``) * 2**quanta; None where
    nobody knows. ``zero_point``: None for a network that has none, whose reals are rounded down; one with a zero point,
    be it 0, takes the nearest integer. ``other_names``: those by which users may know it, too.
    ``latched``: an input that a frame need not give; it keeps its last value, and is zero before the first one.
    """

    name: str
    length: int
    bits: int
    shape: tuple[int, ...] = ()
    quanta: float | None = None
    zero_point: int | None = None
    latched: bool = False
    other_names: tuple[str, ...] = ()

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value of an element."""
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1

    @property
    def step(self) -> float | None:
        """How far neighbouring integers are apart, as real numbers; None where nobody knows."""
        if self.quanta is None:
            return None
        exact = 2.0**self.quanta
        # float32, as TFLite has it: it survives its logarithm
        return float(exact) if self.zero_point is None else float(np.float32(exact))

    @property
    def meaning(self) -> str:
        """What integers stand for, in messages."""
        if self.zero_point is None or self.step is None:
            return "quanta unknown" if self.quanta is None else f"quanta {self.quanta:g}"
        return f"scale {self.step:.6g}, zero point {self.zero_point}"

    def real(self, values: Int64Array) -> Float64Array:
        """What integers stand for; as they are where nobody knows."""
        return np.asarray((values - (self.zero_point or 0)) * (self.step or 1.0), np.float64)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes that a frame may have: in one row, and in the axes of the network."""
        flat = (self.length,)
        return (flat,) if self.shape in ((), flat) else (flat, self.shape)

    @property
    def shown(self) -> str:
        """The input in a message: the word, and its quoted name."""
        return f"input {quote(self.name)}"


def listed(specs: Sequence[InputSpec]) -> str:
    """The inputs in words, for messages."""
    return ", ".join(f"{plain_name(spec.name, 80)} ({spec.length} x {spec.bits} bits)" for spec in specs) or "none"
