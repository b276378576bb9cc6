"""Values inside a running program, read from the board's data memory (open SPU layout)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.device.session.chip_access import ChipAccess
from femtodriver.errors import UsageError
from femtodriver.program.memory_map import DM_BANK_WORDS
from femtodriver.program.packing import unpack

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
    if place.bits not in (8, 16, 32) or place.address < 0 or place.length < 1 or 8 * place.address % place.bits:
        raise UsageError(f"data memory: elements must be of 8, 16 or 32 bits at a multiple of their size, not {place}.")
    first = place.address // 8
    end = -(-(place.address + place.length * place.bits // 8) // 8)
    if end > _BANKS * DM_BANK_WORDS:
        raise UsageError(f"data memory: elements must end inside it, not {place}.")
    skipped = (place.address % 8) * 8 // place.bits
    elements = unpack(read_words(chip, place.core, first, end - first), place.bits)
    return elements[skipped : skipped + place.length]


def read_words(chip: ChipAccess, core: int, first: int, count: int) -> Words:
    """``count`` 64-bit words in a row as the program sees them: banks of a pair take turns."""
    found = np.zeros(count, np.uint64)
    at = 0
    while at < count:
        pair, inside = divmod(first + at, _PAIR_WORDS)
        here = min(count - at, _PAIR_WORDS - inside)
        for odd in (0, 1):
            skip = (inside + odd) % 2
            wanted = (here - skip + 1) // 2
            if wanted > 0:
                words = chip.recv((core, f"DM{2 * pair + odd}", (inside + skip) // 2), wanted, "debug variable")
                found[at + skip : at + here : 2] = words
        at += here
    return found
