"""The one definition of our integer arithmetic: shift, round, saturate.

All values are 64-bit two's complement (NumPy int64); sums and products wrap modulo 2**64.
The definitions are those of the FQIR specification: ``A``, ``R`` and ``Sat``.
Sign convention of every shift amount: positive = left (multiply), negative = right (divide).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from femtodriver.arrays import Int64Array

WORD_BITS = 64
_clipped_told_to: ContextVar[Callable[[int], None] | None] = ContextVar("clipped_told_to", default=None)


def shift(values: Int64Array, amount: int) -> Int64Array:
    """Arithmetic shift ``A``: left modulo 2**64 for amount >= 0, floor division for amount < 0.

    Any shape, int64. Amounts of 64 and more give 0 (left) or 0/-1 (right).
    """
    if amount == 0:
        return values
    if amount > 0:
        if amount >= WORD_BITS:
            return np.zeros_like(values)
        left: Int64Array = values << np.int64(amount)
        return left
    right: Int64Array = values >> np.int64(min(-amount, WORD_BITS - 1))
    return right


def round_shift(values: Int64Array, amount: int, rounded: bool) -> Int64Array:
    """Shift ``R``: round half up before a right shift if ``rounded``, else floor."""
    if rounded and amount < 0:
        values = values + (np.int64(1) << np.int64(min(-amount, WORD_BITS) - 1))
    return shift(values, amount)


def limits(bits: int) -> tuple[int, int]:
    """Smallest and largest value of a signed integer of ``bits`` bits."""
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def saturate(values: Int64Array, bits: int) -> Int64Array:
    """Clamp ``Sat`` to the range of a signed integer of ``bits`` bits."""
    return clamp(values, *limits(bits))


def clamp(values: Int64Array, low: int, high: int) -> Int64Array:
    """The nearest number from ``low`` to ``high``."""
    result = np.minimum(np.maximum(values, low), high)
    tell = _clipped_told_to.get()
    if tell is not None:
        tell(int(np.count_nonzero(result != values)))
    return result


@contextmanager
def counting_clipped(tell: Callable[[int], None]) -> Iterator[None]:
    """Meanwhile ``tell`` gets the number of elements that each clamp of this thread has changed."""
    token = _clipped_told_to.set(tell)
    try:
        yield
    finally:
        _clipped_told_to.reset(token)


def low_bits(values: Int64Array, bits: int) -> Int64Array:
    """The ``bits`` least significant bits of each value, as a non-negative number."""
    low: Int64Array = values & np.int64((1 << bits) - 1)
    return low
