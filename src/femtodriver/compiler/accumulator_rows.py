"""How the accumulator rows of a core are divided: values below, the sums of matrix products above."""

from __future__ import annotations

from femtodriver.isa.limits import GROUP_SIZE
from femtodriver.part import Part

# Values wider than memory elements are made in pieces, so that this many of them find room at the same time. That is
# enough for every operator.
_WIDE_AT_A_TIME = 4


def rows_for_sums(part: Part) -> int:
    """Rows that one matrix product may use: half of them, rounded up, or less where values would have too few."""
    return max(min((part.acc_rows + 1) // 2, part.acc_rows - _WIDE_AT_A_TIME), 1)


def most_outputs(part: Part) -> int:
    """Outputs that one matrix product may have."""
    return rows_for_sums(part) * GROUP_SIZE


def wide_elements(part: Part) -> int:
    """Elements that a value wider than memory elements should have at the most: at least one row."""
    rows = (part.acc_rows - rows_for_sums(part)) // _WIDE_AT_A_TIME
    return max(rows, 1) * GROUP_SIZE
