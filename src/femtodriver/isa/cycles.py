"""How long an instruction takes: the documented function of its work on lanes, banks and tables.

The argument, port by port, is in ``docs/isa.md``, which prints the first line of each rule's docstring. One
instruction is in flight per core; its words are fetched while its predecessor runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

# Decode and address generation, first operand out of its bank, last result back into its bank.
START_VECTOR = 3
# As above, plus the table.
START_LOOKUP = 4
# As above, plus the multiplication, which comes behind the table.
START_INTERPOLATE = 5
# Decode, first activations out of their bank and through the scanner, first weights out of their bank.
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


@dataclass(frozen=True)
class BankLoad:
    """What the banks of data memory have to serve for an instruction that streams rows of elements.

    ``parts``: elements, and accesses of the busiest bank, of each part; one part, unless an operand goes on in
    another pair of banks. ``first_reads``, ``second_reads``: reads of the busiest bank for the first row, and for the
    first two; ``last_writes``: its writes for the last row or for the one before, whichever has more. The first and the
    last are at least 1.
    """

    parts: tuple[tuple[int, int], ...]
    first_reads: int = 1
    second_reads: int = 1
    last_writes: int = 1


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


def stream(steps: Callable[[int], int], lanes: int, load: BankLoad) -> int:
    """sum over the parts of max(steps, busiest bank), + waits at both ends.

    ``steps``: cycles of the lanes (or of the tables) for some elements. Each part takes as long as the slower of lanes
    and banks. Lanes wait for the words of the first two rows, and banks for those of the first row; what comes last has
    to go through the lanes and into its bank.
    """
    a_row = steps(min(lanes, sum(count for count, _ in load.parts)))
    lanes_wait = max(load.first_reads, load.second_reads - a_row) - 1
    work = [[steps(count), busiest] for count, busiest in load.parts]
    work[0][0] += lanes_wait
    work[0][1] += load.first_reads - 1
    work[-1][1] += a_row - 1
    return sum(map(max, work)) + load.last_writes - 1


@lru_cache(maxsize=1 << 12)
def vector(lanes: int, lane_passes: int, load: BankLoad) -> int:
    """START_VECTOR + stream; steps: ceil(elements / lanes) * passes."""
    return START_VECTOR + stream(lambda length: ceil(length / lanes) * lane_passes, lanes, load)


@lru_cache(maxsize=1 << 12)
def lookup(lanes: int, copies: int, load: BankLoad) -> int:
    """START_LOOKUP + stream; steps: max(ceil(elements / lanes), ceil(elements / copies / TABLE_PORTS))."""
    return START_LOOKUP + stream(lambda length: _table_steps(length, lanes, copies, 1), lanes, load)


@lru_cache(maxsize=1 << 12)
def interpolate(lanes: int, copies: int, tables: int, load: BankLoad) -> int:
    """START_INTERPOLATE + stream; steps: max(ceil(elements / lanes), ceil(reads of a table bank / TABLE_PORTS)).

    The reads are those of the busiest one: ceil(elements / copies) for each of the ``tables`` that it holds.
    """
    return START_INTERPOLATE + stream(lambda length: _table_steps(length, lanes, copies, tables), lanes, load)


def _table_steps(length: int, lanes: int, copies: int, tables: int) -> int:
    return max(ceil(length / lanes), ceil(ceil(length / copies) * tables / TABLE_PORTS))


def matrix(lanes_end: int, scan_words: int, mask_steps: int, busiest_bank: int, first_reads: int = 1) -> int:
    """START_MATRIX + first reads - 1 + max(end of the lanes, words of activations, steps of the mask, busiest bank)."""
    return START_MATRIX + first_reads - 1 + max(lanes_end, scan_words, mask_steps, busiest_bank)


def transfer(words: int) -> int:
    """START_TRANSFER + payload words."""
    return START_TRANSFER + words


def control(taken: bool) -> int:
    """CONTROL, or BRANCH_TAKEN for a branch that is taken."""
    return BRANCH_TAKEN if taken else CONTROL


def element(taken: bool) -> int:
    """START_VECTOR, + BRANCH_TAKEN for a branch that is taken."""
    return START_VECTOR + (BRANCH_TAKEN if taken else 0)
