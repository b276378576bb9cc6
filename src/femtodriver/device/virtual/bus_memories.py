"""The memories of all cores as the bus sees them, with their power switches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from femtodriver.arrays import BoolArray, BusWords, Words
from femtodriver.part import Part
from femtodriver.program.memory_map import OPEN_SPU, POWER_REGISTERS, POWER_VALUES, Bank, power_register

# A power command is its bits 16:14; the others adjust the timing of a bank.
_STATE_SHIFT = 14
_STATES: Mapping[int, str] = {value >> _STATE_SHIFT: name for name, value in POWER_VALUES.items()}
_NEXT: Mapping[str, frozenset[str]] = {
    "OFF": frozenset({"CD"}),
    "CD": frozenset({"ON", "OFF", "SLEEP_TRANS", "FSM"}),
    "ON": frozenset({"CD", "FSM"}),
    "FSM": frozenset({"CD", "ON"}),
    "SLEEP_TRANS": frozenset({"SLEEP", "CD"}),
    "SLEEP": frozenset({"SLEEP_TRANS"}),
}
_AWAKE = frozenset({"ON", "FSM"})
_FIRST_SWITCH = power_register(0, "DM0")


@dataclass(eq=False)
class BoardBank:
    """One bank: its contents as 32-bit halves, which of them were written, and its power state.

    ``used``: something was written; ``lost``: it held something when it was switched off.
    """

    core: int
    bank: Bank
    halves: BusWords
    written: BoolArray
    state: str
    used: bool = False
    lost: bool = False

    @property
    def name(self) -> str:
        """Core and bank, for messages."""
        return f"{self.bank.name} of core {self.core}"

    @property
    def awake(self) -> bool:
        """Whether it can be read and written."""
        return self.state in _AWAKE

    @property
    def used_words(self) -> int:
        """64-bit words up to the last one that was written, at least in part."""
        found = np.flatnonzero(self.written)
        return int(found[-1]) // 2 + 1 if len(found) else 0

    @property
    def half_written(self) -> bool:
        """Whether only one half of some word was written."""
        return bool((self.written[0::2] != self.written[1::2]).any())

    @property
    def has_holes(self) -> bool:
        """Whether some word before the last one was not written."""
        return not bool(self.written[: 2 * self.used_words].all())

    def words(self) -> Words:
        """The used words, uint64."""
        words: Words = self.halves.view("<u8")[: self.used_words].astype(np.uint64)
        return words

    def store(self, first: int, halves: BusWords) -> None:
        """Write 32-bit words."""
        self.halves[first : first + len(halves)] = halves
        self.written[first : first + len(halves)] = True
        self.used, self.lost = True, False

    def lose(self) -> None:
        """The contents are gone; running needs them to be loaded again."""
        self.lost = self.used
        self.clear()

    def clear(self) -> None:
        """Contents away."""
        if self.used:
            self.halves[:] = 0
            self.written[:] = False
            self.used = False


@dataclass(eq=False)
class Memories:
    """All banks of a part."""

    part: Part
    banks: dict[tuple[int, str], BoardBank] = field(init=False)

    def __post_init__(self) -> None:
        self._shapes = tuple(_shapes(self.part))
        self.switches = {
            power_register(core, bank.name): (core, bank.name)
            for core in range(self.part.cores)
            for bank in self._shapes
            if bank.switched
        }
        self.unused_switches = {
            _FIRST_SWITCH + 4 * number for number in range(self.part.cores * len(POWER_REGISTERS))
        } - set(self.switches)
        self.banks = {(core, bank.name): _empty(core, bank) for core in range(self.part.cores) for bank in self._shapes}

    def reset(self) -> None:
        """Everything off and empty."""
        for bank in self.banks.values():
            bank.clear()
            bank.state = "OFF" if bank.bank.switched else "ON"
            bank.lost = False

    def locate(self, address: int) -> tuple[BoardBank, int] | None:
        """The bank at a byte address and the 32-bit word in it; None where there is none."""
        core, inside = divmod(address - OPEN_SPU.base, OPEN_SPU.stride)
        if 0 <= core < self.part.cores:
            for bank in self._shapes:
                if bank.offset <= inside < bank.offset + bank.size:
                    return self.banks[core, bank.name], (inside - bank.offset) // 4
        return None

    def used(self) -> Iterator[BoardBank]:
        """Banks that hold something."""
        return (bank for bank in self.banks.values() if bank.used)

    def switch(self, address: int, value: int) -> str:
        """Carry out a power command; what was wrong with it, "" if nothing was. An illegal one has no effect."""
        bank = self.banks[self.switches[address]]
        command = _STATES.get(value >> _STATE_SHIFT)
        if command is None:
            return f"{bank.name}: a power command must be one of {', '.join(POWER_VALUES)}, not {value:#x}"
        if command == bank.state:
            return ""
        if command not in _NEXT[bank.state]:
            return f"{bank.name}: must not go from {bank.state} to {command}; the command has no effect"
        bank.state = command
        if command == "OFF" and bank.used:
            bank.lose()
            return f"{bank.name}: was switched off, and its contents are lost"
        return ""


def _shapes(part: Part) -> Iterator[Bank]:
    """The banks of one core of the part, at the addresses of the memory map."""
    words = {"DM": part.dm_bank_words, "TM": part.tm_bank_words, "IM": part.im_words}
    counts = {"DM": part.dm_banks, "TM": part.tm_banks}
    for bank in OPEN_SPU.banks:
        if bank.index < counts.get(bank.memory, 1):
            yield replace(bank, size=min(bank.size, 8 * words.get(bank.memory, bank.size // 8)))


def _empty(core: int, bank: Bank) -> BoardBank:
    halves = bank.size // 4
    state = "OFF" if bank.switched else "ON"
    return BoardBank(core, bank, np.zeros(halves, np.dtype("<u4")), np.zeros(halves, np.bool_), state)
