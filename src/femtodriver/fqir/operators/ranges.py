"""Ranges of whole numbers: what a value can be at most."""

from __future__ import annotations

from femtodriver import fixed

# Smallest and largest number, both included.
Range = tuple[int, int]

BOOLEAN: Range = (0, 1)
NOTHING: Range = (0, 0)


def of_bits(bits: int) -> Range:
    """All signed numbers of so many bits."""
    return fixed.limits(bits)


def hull(*ranges: Range) -> Range:
    """The smallest range that contains all of these."""
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def bits_of(values: Range) -> int:
    """The smallest width in bits that holds all signed numbers of the range."""
    low, high = values
    return 1 + max((~low if low < 0 else low).bit_length(), (~high if high < 0 else high).bit_length())


def product(one: Range, other: Range) -> Range:
    """The range of products."""
    corners = [first * second for first in one for second in other]
    return min(corners), max(corners)


def shifted(values: Range, amount: int) -> Range:
    """The range of values shifted left, or (negative) right, whether rounded or not."""
    low, high = values
    if amount >= 0:
        return low << amount, high << amount
    return low >> -amount, -(-high >> -amount)
