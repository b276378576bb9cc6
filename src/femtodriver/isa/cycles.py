"""How long an instruction takes: the documented function of its work on lanes, banks and tables.

The argument, port by port, stands in ``docs/isa.md``. One instruction is in flight per core; its words were fetched
while its predecessor ran.
"""

from __future__ import annotations

from math import ceil

# Decode and address generation, first operand out of its bank, last result back into its bank.
START_VECTOR = 3
# As above, plus the first activation through the scanner before the first weight word is asked for.
START_MATRIX = 4
# Header formed or parsed.
START_TRANSFER = 2
CONTROL = 1
BRANCH_TAKEN = 2
THREAD_SWITCH = 2
# A multiplier lane takes 8 bits of one operand and 16 bits of the other in one cycle.
LANE_BITS = (8, 16)


def passes(width_a: int, width_b: int) -> int:
    """Cycles that one lane needs for a product of operands of these widths (bits)."""
    small, large = LANE_BITS
    return min(
        ceil(width_a / small) * ceil(width_b / large),
        ceil(width_b / small) * ceil(width_a / large),
    )


def vector(length: int, lanes: int, lane_passes: int, busiest_bank: int) -> int:
    """A vector instruction: its lanes or its busiest bank, whichever takes longer."""
    return START_VECTOR + max(ceil(length / lanes) * lane_passes, busiest_bank)


def lookup(length: int, lanes: int, ways: int, busiest_bank: int) -> int:
    """A look-up: one table read per bank with a copy and cycle."""
    return START_VECTOR + max(ceil(length / lanes), ceil(length / ways), busiest_bank)


def matrix(groups: int, lane_passes: int, scan_words: int, busiest_bank: int) -> int:
    """A matrix instruction: groups of 8 outputs of live activations, or the scan of the activations, or the banks."""
    return START_MATRIX + max(groups * lane_passes, scan_words, busiest_bank)


def transfer(words: int) -> int:
    """A message: one payload word per cycle."""
    return START_TRANSFER + words
