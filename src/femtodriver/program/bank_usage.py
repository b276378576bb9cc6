"""Which words of which bank a program uses: the one rule that program loading and containers share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from femtodriver.arrays import Words
from femtodriver.errors import ProgramError
from femtodriver.program.compiled_data import CompiledData, check_images
from femtodriver.program.memory_map import DM_BANK_WORDS, IM_WORDS, TM_BANK_WORDS, Bank, Geometry
from femtodriver.program.metadata import BankSizes, ProgramInfo


def used_banks(
    data: CompiledData, info: ProgramInfo, geometry: Geometry, where: str = "program"
) -> Iterator[tuple[int, Bank, Words]]:
    """(core, bank, uint64 words) of every bank that holds something, in loading order.

    Raises ProgramError for images that are too short for the metadata, or too long for the part.
    """
    if len(info.inst_counts) > geometry.cores:
        raise ProgramError(
            f"{where}: {geometry.name} has {geometry.cores} cores, the program needs {len(info.inst_counts)}; "
            "choose another part or container."
        )
    check_images(data, info, where)
    for core in range(len(info.inst_counts)):
        for bank in geometry.banks:
            words = _words(data, info, core, bank)
            if 8 * len(words) > bank.size:
                raise ProgramError(
                    f"{where}: {bank.name} of core {core} must have at most {bank.size // 8} words on {geometry.name}, "
                    f"not {len(words)}."
                )
            if len(words):
                yield core, bank, words


def _words(data: CompiledData, info: ProgramInfo, core: int, bank: Bank) -> Words:
    if bank.memory == "IM":
        return _instructions(data, core, info.inst_counts[core])
    if bank.memory == "DM":
        return _slice(data, info.data_bank_sizes, core, bank, DM_BANK_WORDS)
    if bank.memory == "TM":
        return _slice(data, info.table_bank_sizes, core, bank, TM_BANK_WORDS)
    return data.image(core, bank.memory)


def _slice(data: CompiledData, sizes: BankSizes, core: int, bank: Bank, stride: int) -> Words:
    table: Mapping[int, int] = sizes.get(core, {})
    start = stride * bank.index
    return data.image(core, bank.memory)[start : start + table.get(bank.index, 0)]


def _instructions(data: CompiledData, core: int, count: int) -> Words:
    """One plane: the first ``count`` words. Two planes (SPU-150), each as large as that of the
    SPU-001: the low one in full, then ``count`` words of the high one."""
    groups = data.mems_per_core.get(core, {}).get("IM", [])
    if len(groups) < 2:
        return data.image(core, "IM")[:count]
    if len(groups) > 2 or count > IM_WORDS:
        raise ProgramError(f"core {core}: IM must have at most two bit groups of {IM_WORDS} words.")
    low = np.zeros(IM_WORDS, np.uint64)
    low[:count] = groups[0][:count]
    return np.concatenate([low, groups[1][:count]])
