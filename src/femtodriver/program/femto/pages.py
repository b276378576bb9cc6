"""The page area of a ``.femto`` container: 256-byte pages of up to 62 words, the same in both layouts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from femtodriver.arrays import BusWords
from femtodriver.errors import ProgramError
from femtodriver.program.femto.binary_reader import BinaryReader, Order
from femtodriver.program.femto.femto_records import CHUNK
from femtodriver.program.memory_map import Geometry

Banks = dict[tuple[int, str], BusWords]

WORDS_PER_PAGE = (CHUNK - 8) // 4
MAX_PAGES = 0xFFFF


def build_pages(banks: Mapping[tuple[int, str], BusWords], geometry: Geometry, order: Order) -> bytes:
    """Pages of all banks, core by core, in the part's order of banks; empty banks give none.

    Raises ProgramError when the page numbers do not suffice.
    """
    numbers = np.dtype(np.uint32).newbyteorder(order)
    halves = np.dtype(np.uint16).newbyteorder(order)
    pieces = [
        (geometry.address(core, bank.name) + 4 * start, banks[core, bank.name][start : start + WORDS_PER_PAGE])
        for core in sorted({core for core, _ in banks})
        for bank in geometry.banks
        for start in range(0, len(banks.get((core, bank.name), ())), WORDS_PER_PAGE)
    ]
    if len(pieces) > MAX_PAGES:
        raise ProgramError(f"pages: a file must have at most {MAX_PAGES} of them, not {len(pieces)}.")
    area = np.full((len(pieces), CHUNK), 0xFF, np.uint8)
    words = area.view(numbers)
    heads = area.view(halves)
    for index, (address, piece) in enumerate(pieces):
        heads[index, 0], heads[index, 1] = index, len(piece)
        words[index, 1] = address
        words[index, 2 : 2 + len(piece)] = piece
    return area.tobytes()


def parse_pages(reader: BinaryReader, at: int, count: int, geometry: Geometry) -> Banks:
    """Words of every bank that has pages: {(core, bank name): uint32 array}.

    Raises ProgramError for a wrong page number or word count, an address outside the banks, or one that does not
    continue its bank.
    """
    area = np.frombuffer(reader.raw(at, count * CHUNK), np.uint8).reshape(count, CHUNK)
    words = area.view(np.dtype(np.uint32).newbyteorder(reader.order))
    heads = area[:, :4].copy().view(np.dtype(np.uint16).newbyteorder(reader.order))
    found: dict[tuple[int, str], list[BusWords]] = {}
    have: dict[tuple[int, str], int] = {}
    for index, (number, length) in enumerate(heads.tolist()):
        here = at + index * CHUNK
        reader.expect(here, "the page id", number, index)
        if not 1 <= length <= WORDS_PER_PAGE:
            raise reader.error(here + 2, f"a page must hold 1...{WORDS_PER_PAGE} words, not {length}")
        key, offset, size = _target(reader, here + 4, geometry, int(words[index, 1]))
        reader.expect(here + 4, f"the offset in {key[1]} of core {key[0]}", offset, have.get(key, 0))
        if offset + 4 * length > size:
            raise reader.error(here + 2, f"{key[1]} of core {key[0]} must have at most {size} bytes")
        found.setdefault(key, []).append(words[index, 2 : 2 + length])
        have[key] = offset + 4 * length
    return {key: np.concatenate(pieces).astype(np.uint32) for key, pieces in found.items()}


def _target(reader: BinaryReader, at: int, geometry: Geometry, address: int) -> tuple[tuple[int, str], int, int]:
    try:
        core, bank, offset = geometry.locate(address)
    except ProgramError:
        raise reader.error(at, f"the address {address:#010x} must lie in a memory bank of {geometry.name}") from None
    return (core, bank.name), offset, bank.size
