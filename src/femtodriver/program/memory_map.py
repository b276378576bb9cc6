"""The memory map as a table: registers, core windows, banks. Addresses are in bytes.

The open SPU uses the map of the SPU-001 (hardware 1.3); cores beyond the second follow at the same stride.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from femtodriver.errors import ProgramError

# System registers ("apb" space, 32 bit). Hardware 1.2 has the first six only.
SYSTEM_REGISTERS: Mapping[str, int] = {
    "VERSION": 0x00,
    "RST": 0x04,
    "DM_TIMERS": 0x08,
    "TM_TIMERS": 0x0C,
    "IM_TIMERS": 0x10,
    "REG_DP_ACK_DELAY": 0x14,
    "SPI_ENCRYPTION_KEY_IDX": 0x18,
    "SPI_ENCRYPTION_SALT_3": 0x1C,
    "SPI_ENCRYPTION_SALT_2": 0x20,
    "SPI_ENCRYPTION_SALT_1": 0x24,
    "SPI_ENCRYPTION_SALT_0": 0x28,
}

# Chip-level registers ("spu_top" space, 32 bit, 16 meaningful).
TOP_REGISTERS: Mapping[str, int] = {
    "SPI_CONF": 0x00,
    "PAD_CONF": 0x04,
    "PLL_CONF": 0x08,
    "PLL_BWADJ": 0x0C,
    "PLL_CLKOD": 0x10,
    "PLL_CLKF": 0x14,
    "PLL_CLKR": 0x18,
    "PLL_LOCK": 0x1C,
    "OUTPUT_INT": 0x24,
}

POWER_VALUES: Mapping[str, int] = {
    "OFF": 0x01098,
    "CD": 0x05098,
    "SLEEP": 0x09098,
    "SLEEP_TRANS": 0x0D098,
    "ON": 0x11098,
    "FSM": 0x15098,
}

# Legal sequences of power commands.
POWER_SEQUENCES: Mapping[str, tuple[str, ...]] = {
    "on": ("CD", "ON"),
    "off": ("CD", "OFF"),
    "sleep": ("CD", "SLEEP_TRANS", "SLEEP"),
    "wake": ("SLEEP_TRANS", "CD", "ON"),
}

# Power registers of a core, in address order.
POWER_REGISTERS = (*(f"DM_CONF{k}" for k in range(8)), *(f"TM_CONF{k}" for k in range(4)), "IM_CONF")
_POWER_BASE = 0x34
_POWER_STRIDE = 0x34

HEAD_TAIL_OFFSET = 0xFFFE8

# Type value of each memory in a .femto file; a bank's identifier is type + 4 x index.
MEMORY_TYPES: Mapping[str, int] = {"DM": 0x00, "TM": 0x20, "IM": 0x30, "SB": 0x40, "RQ": 0x50, "PB": 0x60}


@dataclass(frozen=True)
class Bank:
    """One bank of a core: its name ("DM0", "SB"), memory, index, offset in the core's window, size in bytes."""

    name: str
    memory: str
    index: int
    offset: int
    size: int

    @property
    def uid(self) -> int:
        """Identifier of the bank in a .femto file."""
        return MEMORY_TYPES[self.memory] + 4 * self.index

    @property
    def switched(self) -> bool:
        """Whether the bank has a power register (and a descriptor in a .femto file)."""
        return self.memory in ("DM", "TM", "IM")


@dataclass(frozen=True)
class Geometry:
    """Windows and banks of a part. ``banks`` are in the order DM..., TM..., SB, RQ, PB, IM of program loading."""

    name: str
    cores: int
    base: int
    stride: int
    banks: tuple[Bank, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Bank]:
        """Banks by name."""
        return {bank.name: bank for bank in self.banks}

    @cached_property
    def switched_banks(self) -> tuple[Bank, ...]:
        """Banks with a descriptor, in the order DM..., TM..., IM."""
        return tuple(bank for bank in self.banks if bank.switched)

    def bank(self, name: str) -> Bank:
        """The bank of that name; ProgramError for any other name."""
        if name not in self.by_name:
            raise ProgramError(f"{self.name}: a bank must be one of {', '.join(self.by_name)}, not {name!r}.")
        return self.by_name[name]

    def address(self, core: int, name: str) -> int:
        """Byte address of the first word of a bank."""
        if not 0 <= core < self.cores:
            raise ProgramError(f"{self.name}: the core must be in 0...{self.cores - 1}, not {core}.")
        return self.base + core * self.stride + self.bank(name).offset

    def locate(self, address: int) -> tuple[int, Bank, int]:
        """(core, bank, byte offset in the bank) of an address; ProgramError when no bank is there."""
        core, inside = divmod(address - self.base, self.stride)
        if 0 <= core < self.cores:
            for bank in self.banks:
                if bank.offset <= inside < bank.offset + bank.size:
                    return core, bank, inside - bank.offset
        raise ProgramError(f"{self.name}: the address {address:#010x} must lie in a memory bank of the part.")


def _banks(rows: tuple[tuple[str, int, int, int, int], ...]) -> tuple[Bank, ...]:
    """Rows are (memory, banks, offset, stride, size in bytes)."""
    return tuple(
        Bank(memory if memory not in ("DM", "TM") else f"{memory}{k}", memory, k, offset + k * stride, size)
        for memory, count, offset, stride, size in rows
        for k in range(count)
    )


_SPU001_BANKS = _banks(
    (
        ("DM", 8, 0x00000, 0x10000, 0x10000),
        ("TM", 4, 0x80000, 0x10000, 0x4000),
        ("SB", 1, 0xC0000, 0, 0x200),
        ("RQ", 1, 0xD0000, 0, 0x200),
        ("PB", 1, 0xE0000, 0, 0x200),
        ("IM", 1, 0xF0000, 0, 0x8000),
    )
)
_SPU150_BANKS = _banks(
    (
        ("DM", 1, 0x00000, 0, 0x40000),
        ("TM", 1, 0x40000, 0, 0x10000),
        ("SB", 1, 0x90000, 0, 0x200),
        ("RQ", 1, 0xA0000, 0, 0x200),
        ("PB", 1, 0xB0000, 0, 0x200),
        ("IM", 1, 0x80000, 0, 0x10000),
    )
)
SPU001 = Geometry("SPU001", 2, 0x0010_0000, 0x0010_0000, _SPU001_BANKS)
OPEN_SPU = Geometry("open SPU", 16, 0x0010_0000, 0x0010_0000, _SPU001_BANKS)
SPU150 = Geometry("SPU150", 4, 0x2030_0000, 0x0020_0000, _SPU150_BANKS)

# Words from one bank of the images to the next; a word of table memory takes 64 bits here.
DM_BANK_WORDS = SPU001.bank("DM0").size // 8
TM_BANK_WORDS = SPU001.bank("TM0").size // 8
IM_WORDS = SPU001.bank("IM").size // 8


def largest(memory: str) -> tuple[int, int]:
    """The most banks that a memory has in a core of any part, and the 64-bit words of the largest one."""
    found = [[bank for bank in geometry.banks if bank.memory == memory] for geometry in (SPU001, SPU150)]
    return max(map(len, found)), max(bank.size for banks in found for bank in banks) // 8


def power_register(core: int, name: str) -> int:
    """Address of the power register of a bank ("DM0", "TM3", "IM"). SPU-001 map."""
    memory, index = name[:2], name[2:]
    return _POWER_BASE + _POWER_STRIDE * core + 4 * POWER_REGISTERS.index(f"{memory}_CONF{index}")


def head_tail_register(core: int) -> int:
    """Address of the 64-bit ready-queue register of a core. SPU-001 map."""
    return OPEN_SPU.base + OPEN_SPU.stride * core + HEAD_TAIL_OFFSET
