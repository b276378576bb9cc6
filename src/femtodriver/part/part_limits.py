"""The largest sizes that a part can have, and why: what instructions can address, and what program files have room for.

Both of these are read from where they stand: ``isa/limits.py`` and ``program/memory_map.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.isa import ControlInstruction, LookupInstruction, MatrixInstruction, limits
from femtodriver.program.memory_map import OPEN_SPU

_WORD_BYTES = limits.WORD_BITS // 8


@dataclass(frozen=True)
class PartLimit:
    """The largest value of an entry of a part file; ``reason`` completes "because ..."."""

    most: int
    reason: str


def _room(memory: str) -> tuple[int, int]:
    """Banks of a memory in the memory map of program files, and bytes of one bank."""
    sizes = [bank.size for bank in OPEN_SPU.banks if bank.memory == memory]
    return len(sizes), min(sizes)


def _mapped_words(memory: str, meaning: str) -> PartLimit:
    size = _room(memory)[1]
    return PartLimit(size // _WORD_BYTES, f"the memory map of program files has {size:,} bytes for {meaning}")


def _mapped_banks(memory: str, meaning: str) -> PartLimit:
    banks = _room(memory)[0]
    return PartLimit(banks, f"the memory map of program files has {banks} {meaning} per core")


def _encoded(most: int, bits: int, meaning: str) -> PartLimit:
    return PartLimit(most, f"instructions have {bits} bits for {meaning}")


def _control_bits(name: str) -> int:
    return limits.field_of(ControlInstruction, name).width


_ENCODED: Mapping[str, PartLimit] = {
    "cores": _encoded(limits.MAX_CORES, _control_bits("core"), "the number of a core"),
    "tm_banks": _encoded(
        limits.MAX_TABLE_BANKS, limits.field_of(LookupInstruction, "bank").width, "the number of a table bank"
    ),
    "tm_bank_words": _encoded(
        limits.MAX_TABLE_WORDS, limits.field_of(LookupInstruction, "table").width, "a row of a table bank"
    ),
    "im_words": _encoded(limits.MAX_PC + 1, _control_bits("target"), "a program counter"),
    "threads": _encoded(limits.MAX_THREADS, _control_bits("thread"), "the number of a thread"),
    "acc_rows": _encoded(
        limits.MAX_ACCUMULATOR_ROWS, limits.field_of(MatrixInstruction, "acc").width, "an accumulator row"
    ),
}
_MAPPED: Mapping[str, PartLimit] = {
    "cores": PartLimit(OPEN_SPU.cores, f"the memory map of program files has {OPEN_SPU.cores} cores"),
    "dm_banks": _mapped_banks("DM", "data banks"),
    "dm_bank_words": _mapped_words("DM", "a data bank"),
    "tm_banks": _mapped_banks("TM", "table banks"),
    "tm_bank_words": _mapped_words("TM", "a table bank"),
    "im_words": _mapped_words("IM", "the instruction memory of a core"),
    "threads": _mapped_words("SB", "the scoreboard of a core"),
}


def _stricter(entry: str) -> PartLimit:
    """The smaller of the two limits; the instruction set's where they are equal."""
    candidates = [table[entry] for table in (_ENCODED, _MAPPED) if entry in table]
    return min(candidates, key=lambda limit: limit.most)


# The field ``clock_mhz`` of a .femto file has 2 bytes.
_CLOCK_BITS = 16
_CLOCK = PartLimit(
    ((1 << _CLOCK_BITS) - 1) * 10**6, f".femto files hold the clock in whole megahertz, in {_CLOCK_BITS} bits"
)

_COUNTED = PartLimit((1 << 31) - 1, "simulators count the cycles and words of a frame in 64 bits")
# Far beyond every process, so that figures stay numbers.
_VOLTAGE = PartLimit(5, "it is the voltage of the core's transistors")

PART_LIMITS: Mapping[str, PartLimit] = {
    **{entry: _stricter(entry) for entry in {**_MAPPED, **_ENCODED}},
    **dict.fromkeys(("message_latency", "router_words", "input_buffer_words", "output_buffer_words"), _COUNTED),
    "clock_hz": _CLOCK,
    "voltage_v": _VOLTAGE,
}
