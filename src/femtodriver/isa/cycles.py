"""How long an instruction takes: the documented function of its work on lanes, banks and tables.

The argument, port by port, is in ``docs/isa.md``, which prints the first line of each rule's docstring. One
instruction is in flight per core; its words are fetched while its predecessor runs.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

# Decode and address generation, first operand out of its bank, last result back into its bank.
START_VECTOR = 3
# As above, plus the table.
START_TABLE = 4
# As START_VECTOR, plus the first activation through the scanner before the first weight word is asked for.
START_MATRIX = 4
# Header formed or parsed.
START_TRANSFER = 2
CONTROL = 1
BRANCH_TAKEN = 2
THREAD_SWITCH = 2
# An instruction that follows a stream is decoded while that writes its last result, and may read at the same time.
DECODE_AHEAD = 1
READ_AHEAD = 1
# Reads of a bank of table memory in one cycle.
TABLE_PORTS = 2
# A multiplier lane takes 8 bits of one operand and 16 bits of the other in one cycle.
LANE_BITS = (8, 16)


def constants() -> dict[str, int]:
    """The fixed parts of the rules, by name."""
    return {name: value for name, value in globals().items() if name.isupper() and isinstance(value, int)}


def rule_text(rule: Callable[..., int]) -> str:
    """What a rule says, in the words of the documentation."""
    return str(rule.__doc__).splitlines()[0].rstrip(".")


def passes(width_a: int, width_b: int) -> int:
    """Cycles that one lane needs for a product of operands of these widths (bits)."""
    small, large = LANE_BITS
    return min(
        ceil(width_a / small) * ceil(width_b / large),
        ceil(width_b / small) * ceil(width_a / large),
    )


def vector(length: int, lanes: int, lane_passes: int, busiest_bank: int) -> int:
    """START_VECTOR + max(ceil(length / lanes) * passes, busiest bank)."""
    return START_VECTOR + max(ceil(length / lanes) * lane_passes, busiest_bank)


def lookup(length: int, lanes: int, ways: int, busiest_bank: int) -> int:
    """START_TABLE + max(ceil(length / lanes), ceil(length / copies / TABLE_PORTS), busiest bank)."""
    return START_TABLE + max(ceil(length / lanes), ceil(ceil(length / ways) / TABLE_PORTS), busiest_bank)


def interpolate(length: int, lanes: int, table_reads: int, busiest_bank: int) -> int:
    """START_TABLE + max(ceil(length / lanes), ceil(reads of the busiest table bank / TABLE_PORTS), busiest bank)."""
    return START_TABLE + max(ceil(length / lanes), ceil(table_reads / TABLE_PORTS), busiest_bank)


def matrix(lanes_end: int, scan_words: int, mask_steps: int, busiest_bank: int) -> int:
    """START_MATRIX + max(end of the lanes, words of activations, steps of the mask, busiest bank)."""
    return START_MATRIX + max(lanes_end, scan_words, mask_steps, busiest_bank)


def transfer(words: int) -> int:
    """START_TRANSFER + payload words."""
    return START_TRANSFER + words


def control(taken: bool) -> int:
    """CONTROL, or BRANCH_TAKEN for a branch that is taken."""
    return BRANCH_TAKEN if taken else CONTROL


def element(taken: bool) -> int:
    """START_VECTOR, + BRANCH_TAKEN for a branch that is taken."""
    return START_VECTOR + (BRANCH_TAKEN if taken else 0)
