"""Values inside a running program, in the board's data memory (open SPU layout): reading and storing them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.device.session.chip_access import ChipAccess
from femtodriver.errors import UsageError
from femtodriver.program.memory_map import DM_BANK_WORDS
from femtodriver.program.packing import pack, unpack

_PAIR_WORDS = 2 * DM_BANK_WORDS
_BANKS = 8


@dataclass(frozen=True)
class DataPlace:
    """``length`` elements of ``bits`` bits from a byte address of a core's data memory on."""

    core: int
    address: int
    length: int
    bits: int


def read_elements(chip: ChipAccess, place: DataPlace) -> Int64Array:
    """The elements, int64, shape (length,). UsageError for a place outside data memory; DeviceError as of reads."""
    first, end, skipped = _words_of(place)
    elements = unpack(read_words(chip, place.core, first, end - first), place.bits)
    return elements[skipped : skipped + place.length]


def write_elements(chip: ChipAccess, place: DataPlace, values: Int64Array) -> None:
    """Store elements that fit, shape (length,); what else is in their words stays. Errors as of ``read_elements``."""
    first, end, skipped = _words_of(place)
    elements = unpack(read_words(chip, place.core, first, end - first), place.bits)
    elements[skipped : skipped + place.length] = values
    write_words(chip, place.core, first, pack(elements, place.bits, "data memory"))


def _words_of(place: DataPlace) -> tuple[int, int, int]:
    """First and end word of a place, and the elements before it in the first one."""
    if place.bits not in (8, 16, 32) or place.address < 0 or place.length < 1 or 8 * place.address % place.bits:
        raise UsageError(f"data memory: elements must be of 8, 16 or 32 bits at a multiple of their size, not {place}.")
    first = place.address // 8
    end = -(-(place.address + place.length * place.bits // 8) // 8)
    if end > _BANKS * DM_BANK_WORDS:
        raise UsageError(f"data memory: elements must end inside it, not {place}.")
    return first, end, (place.address % 8) * 8 // place.bits


def read_words(chip: ChipAccess, core: int, first: int, count: int) -> Words:
    """``count`` 64-bit words in a row as the program sees them: banks of a pair take turns."""
    found = np.zeros(count, np.uint64)
    for target, places in _bank_words(core, first, count):
        found[places] = chip.recv(target, len(found[places]), "variable")
    return found


def write_words(chip: ChipAccess, core: int, first: int, words: Words) -> None:
    """Store 64-bit words in a row as the program sees them."""
    for target, places in _bank_words(core, first, len(words)):
        chip.send(target, words[places], comment="variable")


def _bank_words(core: int, first: int, count: int) -> Iterator[tuple[tuple[int, str, int], slice]]:
    """The first word in each bank, and which of the words are there."""
    at = 0
    while at < count:
        pair, inside = divmod(first + at, _PAIR_WORDS)
        here = min(count - at, _PAIR_WORDS - inside)
        for odd in (0, 1):
            skip = (inside + odd) % 2
            if skip < here:
                yield (core, f"DM{2 * pair + odd}", (inside + skip) // 2), slice(at + skip, at + here, 2)
        at += here
