"""What the inputs of a network look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class InputSpec:
    """One input: its name, the number of elements of a frame (without padding), and bits per element (8, 16, 24)."""

    name: str
    length: int
    bits: int

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value of an element."""
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1


def listed(specs: Sequence[InputSpec]) -> str:
    """The inputs in words, for messages."""
    return ", ".join(f"{spec.name} ({spec.length} x {spec.bits} bits)" for spec in specs) or "none"
