"""Which words of which bank a program uses: the one rule that program loading and containers share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from femtodriver.arrays import Words
from femtodriver.errors import ProgramError
from femtodriver.program.images import Memories
from femtodriver.program.memory_map import DM_BANK_WORDS, IM_WORDS, TM_BANK_WORDS, Bank, Geometry
from femtodriver.program.metadata import BankSizes, ProgramInfo


def used_banks(
    memories: Memories, info: ProgramInfo, geometry: Geometry, where: str = "program"
) -> Iterator[tuple[int, Bank, Words]]:
    """(core, bank, uint64 words) of every bank that holds something, in loading order.

    Raises ProgramError for images that are too short for the metadata, or too long for the part.
    """
    if len(info.inst_counts) > geometry.cores:
        raise ProgramError(
            f"{where}: {geometry.name} has {geometry.cores} cores, the program needs {len(info.inst_counts)}; "
            "choose another part or container."
        )
    check_images(memories, info, where)
    for core in range(len(info.inst_counts)):
        for bank in geometry.banks:
            words = _words(memories, info, core, bank)
            if 8 * len(words) > bank.size:
                raise ProgramError(
                    f"{where}: {bank.name} of core {core} must have at most {bank.size // 8} words on {geometry.name}, "
                    f"not {len(words)}."
                )
            if len(words):
                yield core, bank, words


def check_images(memories: Memories, info: ProgramInfo, where: str) -> None:
    """ProgramError when an image is shorter than the words that the metadata says are used."""
    for sentence in short_images(memories, info):
        raise ProgramError(f"{where}: {sentence}")


def short_images(memories: Memories, info: ProgramInfo) -> Iterator[str]:
    """A sentence for each image that is shorter than the words that the metadata says are used."""
    needs = [(core, "IM", count) for core, count in info.inst_counts.items()]
    for memory, sizes, stride in (
        ("DM", info.data_bank_sizes, DM_BANK_WORDS),
        ("TM", info.table_bank_sizes, TM_BANK_WORDS),
    ):
        for core, banks in sizes.items():
            needs.append((core, memory, max((bank * stride + used for bank, used in banks.items() if used), default=0)))
    for core, memory, needed in needs:
        have = min((len(group) for group in memories.get(core, {}).get(memory, [])), default=0)
        if have < needed:
            yield f"the {memory} image of core {core} must have at least {needed} words, not {have}."


def whole_image(memories: Memories, core: int, memory: str) -> Words:
    """The image (uint64) of a memory that is not split in bit groups; no words when there is none."""
    groups = memories.get(core, {}).get(memory, [])
    if len(groups) > 1:
        raise ProgramError(f"core {core}: {memory} must be one image, not {len(groups)} bit groups.")
    return groups[0] if groups else np.zeros(0, np.uint64)


def _words(memories: Memories, info: ProgramInfo, core: int, bank: Bank) -> Words:
    if bank.memory == "IM":
        return _instructions(memories, core, info.inst_counts[core])
    if bank.memory == "DM":
        return _slice(memories, info.data_bank_sizes, core, bank, DM_BANK_WORDS)
    if bank.memory == "TM":
        return _slice(memories, info.table_bank_sizes, core, bank, TM_BANK_WORDS)
    return whole_image(memories, core, bank.memory)


def _slice(memories: Memories, sizes: BankSizes, core: int, bank: Bank, stride: int) -> Words:
    start = stride * bank.index
    return whole_image(memories, core, bank.memory)[start : start + sizes.get(core, {}).get(bank.index, 0)]


def _instructions(memories: Memories, core: int, count: int) -> Words:
    """One plane: the first ``count`` words. Two planes (SPU-150), each as large as that of the SPU-001: the low one in
    full, then ``count`` words of the high one."""
    groups = memories.get(core, {}).get("IM", [])
    if len(groups) < 2:
        return whole_image(memories, core, "IM")[:count]
    if len(groups) > 2 or count > IM_WORDS:
        raise ProgramError(f"core {core}: IM must have at most two bit groups of {IM_WORDS} words.")
    low = np.zeros(IM_WORDS, np.uint64)
    low[:count] = groups[0][:count]
    return np.concatenate([low, groups[1][:count]])
