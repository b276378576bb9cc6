"""The page area: as many pages as page numbers, pages of one word to 62, and places of what is wrong."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from femtodriver.errors import ProgramError
from femtodriver.program.femto.binary_reader import BinaryReader
from femtodriver.program.femto.pages import MAX_PAGES, WORDS_PER_PAGE, Banks, build_pages, parse_pages
from femtodriver.program.memory_map import OPEN_SPU, SPU001


def reread(banks: Banks) -> Banks:
    area = build_pages(banks, SPU001, "<")
    return parse_pages(BinaryReader(area, "x"), 0, len(area) // 256, SPU001)


@pytest.mark.parametrize("count", [1, 2, 61, 62, 63, 124, 125])
def test_every_number_of_words_comes_back(count: int) -> None:
    words = np.arange(7, 7 + count, dtype=np.uint32)
    (found,) = reread({(1, "DM3"): words}).values()
    assert found.tolist() == words.tolist()
    assert len(build_pages({(0, "DM3"): words}, SPU001, "<")) == 256 * -(-count // WORDS_PER_PAGE)


def numbered(pages: int) -> Banks:
    """Banks of the open SPU that fill this many pages."""
    banks: Banks = {}
    for core in range(OPEN_SPU.cores):
        for bank in OPEN_SPU.banks[:8]:
            here = min(pages, bank.size // 4 // WORDS_PER_PAGE)
            if here:
                banks[core, bank.name] = np.ones(here * WORDS_PER_PAGE, np.uint32)
            pages -= here
    assert pages == 0
    return banks


def test_page_numbers_have_sixteen_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_PAGES == (1 << 16) - 1  # the count of pages is a 16-bit number too
    monkeypatch.setattr("femtodriver.program.femto.pages.MAX_PAGES", 300)
    assert len(build_pages(numbered(300), OPEN_SPU, "<")) == 300 * 256
    with pytest.raises(ProgramError, match="pages: a file must have at most 300 of them, not 301"):
        build_pages(numbered(301), OPEN_SPU, "<")


@pytest.mark.parametrize(
    ("at", "form", "value", "sentence"),
    [
        (256, "<H", 5, "x: offset 0x100: the page id must be 1, not 5"),
        (258, "<H", 0, "x: offset 0x102: a page must hold 1...62 words, not 0"),
        (258, "<H", 63, "x: offset 0x102: a page must hold 1...62 words, not 63"),
        (260, "<I", 8, "x: offset 0x104: the address 0x00000008 must lie in a memory bank of SPU001"),
        (260, "<I", 0x100004, "x: offset 0x104: the offset in DM0 of core 0 must be 248, not 4"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(at: int, form: str, value: int, sentence: str) -> None:
    area = bytearray(build_pages({(0, "DM0"): np.ones(63, np.uint32)}, SPU001, "<"))
    struct.pack_into(form, area, at, value)
    with pytest.raises(ProgramError) as caught:
        parse_pages(BinaryReader(bytes(area), "x"), 0, 2, SPU001)
    assert str(caught.value).startswith(sentence)


def test_a_bank_may_be_full_but_not_more() -> None:
    full = np.ones(128, np.uint32)  # SB: 512 bytes
    assert len(reread({(0, "SB"): full})[0, "SB"]) == 128
    area = bytearray(build_pages({(0, "SB"): full}, SPU001, "<"))
    struct.pack_into("<H", area, 2 * 256 + 2, 5)  # of the last page, which has 4
    with pytest.raises(ProgramError, match="offset 0x202: SB of core 0 must have at most 512 bytes"):
        parse_pages(BinaryReader(bytes(area), "x"), 0, 3, SPU001)
