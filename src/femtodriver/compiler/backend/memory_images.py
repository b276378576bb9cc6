"""The images of data and table memory, and how many words of each bank are in use."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import AnyArray, Words
from femtodriver.compiler.backend.core_map import CoreMap
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.isa.limits import ELEMENT_BITS
from femtodriver.part import Part


def data_memory_image(fmir: Fmir, places: CoreMap, part: Part) -> Words:
    """Data memory of a core bank by bank, cut after the last used word of a bank."""
    return _bank_order(_data_memory(fmir, places), part)


def table_memory_image(fmir: Fmir, places: CoreMap, part: Part) -> Words:
    """Table memory of a core bank by bank; empty if it has no tables."""
    banks = np.zeros((part.tm_banks, part.tm_bank_words), np.uint64)
    for name, place in places.tables.items():
        values = fmir.tables[name].astype(np.int16).view(np.uint16)
        banks[place.bank : place.bank + (1 << place.ways), place.row : place.row + len(values)] = values
    return banks.reshape(-1) if places.tables else np.zeros(0, np.uint64)


def data_bank_sizes(places: CoreMap, part: Part) -> dict[int, int]:
    """Used words of each bank of data memory, by bank."""
    pair = 2 * part.dm_bank_words
    sizes = dict.fromkeys(range(part.dm_banks), 0)
    for bank in sizes:
        first = bank // 2 * pair
        ends = [end // 8 for start, end in places.stretches if start // 8 < first + pair]
        inside = min(max(max(ends, default=0) - first, 0), pair)
        sizes[bank] = (inside + 1 - bank % 2) // 2
    return sizes


def table_bank_sizes(fmir: Fmir, places: CoreMap, part: Part) -> dict[int, int]:
    """Used words of each bank of table memory, by bank."""
    sizes = dict.fromkeys(range(part.tm_banks), 0)
    for name, place in places.tables.items():
        for bank in range(place.bank, place.bank + (1 << place.ways)):
            sizes[bank] = max(sizes[bank], place.row + len(fmir.tables[name]))
    return sizes


def _data_memory(fmir: Fmir, places: CoreMap) -> Words:
    """Data memory in address order, up to its last used word."""
    words = np.zeros(max((end for _, end in places.stretches), default=0) // 8, np.uint64)
    elements: dict[int, AnyArray] = {bits: words.view(f"<i{bits // 8}") for bits in ELEMENT_BITS}
    for name, address in places.address.items():
        buffer = fmir.buffers[name]
        if buffer.init is not None:
            first = 8 * address // buffer.bits
            for copy in range(1 if buffer.position is None else 2):
                begin = first + copy * buffer.length
                elements[buffer.bits][begin : begin + buffer.length] = buffer.init
    for name, (weights, mask) in places.packed.items():
        words[places.weights[name] : places.weights[name] + len(weights)] = weights
        words[places.masks[name] : places.masks[name] + len(mask)] = mask
    return words


def _bank_order(words: Words, part: Part) -> Words:
    """Address order -> bank by bank: the even words of a pair of banks are in its first one."""
    pair = 2 * part.dm_bank_words
    padded = np.zeros(-(-len(words) // pair) * pair, np.uint64)
    padded[: len(words)] = words
    return np.ascontiguousarray(padded.reshape(-1, part.dm_bank_words, 2).transpose(0, 2, 1)).reshape(-1)
