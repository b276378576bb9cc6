"""How wide the elements of a buffer must be."""

from __future__ import annotations

from femtodriver.arrays import Int64Array
from femtodriver.isa.limits import ACCUMULATOR_BITS, ELEMENT_BITS


def storage_bits(bits: int) -> int:
    """The narrowest memory element that holds a signed value of ``bits`` bits: 8, 16, 32, else 64 (accumulator)."""
    return next(width for width in (*ELEMENT_BITS, ACCUMULATOR_BITS) if bits <= width)


def value_bits(values: Int64Array) -> int:
    """Bits of the narrowest signed integer that holds every value; 1 for an empty array."""
    if not values.size:
        return 1
    return max(int(values.max()), -1 - int(values.min()), 0).bit_length() + 1
