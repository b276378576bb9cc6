"""Limits of part files follow from the encoding of instructions and from the memory map of program files."""

from __future__ import annotations

from dataclasses import fields

import pytest

from femtodriver.isa import limits
from femtodriver.part import Part, load_part, part_names
from femtodriver.part.part_limits import PART_LIMITS
from femtodriver.program.memory_map import OPEN_SPU

# Entries that no field and no window of the memory map bounds.
FREE = {"name", "lanes", "clock_hz", "voltage_v", "message_latency", "sha256"}


def test_every_size_has_a_limit() -> None:
    assert {entry.name for entry in fields(Part)} - FREE == set(PART_LIMITS)


def test_no_limit_exceeds_what_instructions_can_address() -> None:
    most = {entry: limit.most for entry, limit in PART_LIMITS.items()}
    assert most["cores"] <= limits.MAX_CORES
    assert 8 * most["dm_banks"] * most["dm_bank_words"] <= limits.MAX_DATA_BYTES
    assert most["tm_banks"] <= limits.MAX_TABLE_BANKS
    assert most["tm_bank_words"] <= limits.MAX_TABLE_WORDS
    assert most["im_words"] <= limits.MAX_INSTRUCTION_WORDS
    assert most["threads"] <= limits.MAX_THREADS
    assert most["acc_rows"] <= limits.MAX_ACCUMULATOR_ROWS


@pytest.mark.parametrize("name", part_names())
def test_the_memories_of_our_parts_fit_the_memory_map(name: str) -> None:
    part = load_part(name)
    words = {bank.name: bank.size // 8 for bank in OPEN_SPU.banks}
    assert all(part.dm_bank_words <= words[f"DM{bank}"] for bank in range(part.dm_banks))
    assert all(part.tm_bank_words <= words[f"TM{bank}"] for bank in range(part.tm_banks))
    assert part.im_words <= words["IM"]
    assert part.threads <= min(words["SB"], words["PB"], words["RQ"])
    assert part.cores <= OPEN_SPU.cores
