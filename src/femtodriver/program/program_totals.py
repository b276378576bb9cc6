"""How large a program is, by the names of the reference 2.x."""

from __future__ import annotations

from femtodriver.program.metadata import BankSizes, ProgramInfo

_WORD_BYTES = 8


def program_totals(info: ProgramInfo) -> dict[str, float | int]:
    """``total_data_kB`` (of 1024 bytes), ``total_table`` (64-bit words) and ``total_instructions``, over all cores."""
    return {
        "total_data_kB": _words(info.data_bank_sizes) * _WORD_BYTES / 1024,
        "total_table": _words(info.table_bank_sizes),
        "total_instructions": sum(info.inst_counts.values()),
    }


def _words(sizes: BankSizes) -> int:
    return sum(words for banks in sizes.values() for words in banks.values())
