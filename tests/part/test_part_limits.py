"""Limits of part files follow from the encoding of instructions and from the memory map of program files."""

from __future__ import annotations

from dataclasses import fields
from importlib import resources
from pathlib import Path

import pytest

from femtodriver.errors import ProgramError, UsageError
from femtodriver.isa import limits
from femtodriver.part import Part, load_part, part_names
from femtodriver.part.part_limits import PART_LIMITS
from femtodriver.program.femto.binary_reader import numbers
from femtodriver.program.memory_map import OPEN_SPU

# Entries that nothing bounds from above.
FREE = {"name", "lanes", "sha256", "link_bits", "link_hz", "link_kind", "link_source"}


def test_every_size_has_a_limit() -> None:
    assert {entry.name for entry in fields(Part)} - FREE == set(PART_LIMITS)


def test_no_limit_exceeds_what_instructions_can_address() -> None:
    most = {entry: limit.most for entry, limit in PART_LIMITS.items()}
    assert most["cores"] <= limits.MAX_CORES
    assert 8 * most["dm_banks"] * most["dm_bank_words"] <= limits.MAX_DATA_BYTES
    assert most["tm_banks"] <= limits.MAX_TABLE_BANKS
    assert most["tm_bank_words"] <= limits.MAX_TABLE_WORDS
    assert most["im_words"] == limits.MAX_INSTRUCTION_WORDS
    assert most["threads"] <= limits.MAX_THREADS
    assert most["acc_rows"] <= limits.MAX_ACCUMULATOR_ROWS


def test_the_fastest_clock_fits_the_field_of_program_files() -> None:
    megahertz = PART_LIMITS["clock_hz"].most // 10**6
    assert numbers("<", "2", megahertz, where="spu") == b"\xff\xff"
    with pytest.raises(ProgramError):
        numbers("<", "2", megahertz + 1, where="spu")


def test_a_clock_that_program_files_cannot_hold_is_refused_as_an_entry(tmp_path: Path) -> None:
    text = (resources.files("femtodriver.part") / "parts" / "spu001.toml").read_text("utf-8")
    path = tmp_path / "fast.toml"
    path.write_text(text.replace("clock_hz = 100.0e6", "clock_hz = 1e12"), "utf-8")
    with pytest.raises(
        UsageError, match=r"clock_hz must be at most 65535000000, not 1000000000000\.0, because \.femto"
    ):
        load_part(path)


@pytest.mark.parametrize("name", part_names())
def test_the_memories_of_our_parts_fit_the_memory_map(name: str) -> None:
    part = load_part(name)
    words = {bank.name: bank.size // 8 for bank in OPEN_SPU.banks}
    assert all(part.dm_bank_words <= words[f"DM{bank}"] for bank in range(part.dm_banks))
    assert all(part.tm_bank_words <= words[f"TM{bank}"] for bank in range(part.tm_banks))
    assert part.im_words <= words["IM"]
    assert part.threads <= min(words["SB"], words["PB"], words["RQ"])
    assert part.cores <= OPEN_SPU.cores


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("cores", PART_LIMITS["cores"].most),
        ("data memory, bytes per core", 8 * PART_LIMITS["dm_banks"].most * PART_LIMITS["dm_bank_words"].most),
        ("table memory, banks x words", f"{PART_LIMITS['tm_banks'].most} x {PART_LIMITS['tm_bank_words'].most}"),
        ("instruction memory, words", PART_LIMITS["im_words"].most),
        ("accumulator rows", PART_LIMITS["acc_rows"].most),
        ("threads per core", PART_LIMITS["threads"].most),
    ],
)
def test_the_document_says_what_a_part_can_have(what: str, value: object) -> None:
    document = (Path(__file__).resolve().parents[2] / "docs" / "isa.md").read_text("utf-8")
    assert f"\n| {what} | {value} |" in document
