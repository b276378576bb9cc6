"""A loaded program on the machine: messages in, output messages out, data memory open to the bus.

Life cycle: 1. ``collect(memories)`` takes the images off the bus memories, 2. ``start`` builds the machine from
them, 3. ``message`` per message from the host, 4. dropped when the board is reset or its code is written to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from femtodriver.arrays import BusWords, Words
from femtodriver.device.virtual.bus_memories import BoardBank, Memories
from femtodriver.errors import MachineFault, ProgramError
from femtodriver.machine.data_layout import WORD_BYTES
from femtodriver.machine.run_budget import RunBudget, RunLimits
from femtodriver.native.choose_machine import make_spu
from femtodriver.part import Part
from femtodriver.program.metadata import NOT_ENCRYPTED

LIMITS = RunLimits()
"""What one message may cost: as much as a frame on the machine."""
MOST_SECONDS = 15.0


@dataclass(frozen=True)
class Loaded:
    """What the host has written before its first message.

    ``banks``: the words of every bank that holds some, by (core, bank name), uint64, from word 0 on. ``plain``: the
    host said that the program is not encrypted (it wrote the queue lengths, or a key index above 31).
    """

    key_index: int
    salt: int
    plain: bool
    banks: Mapping[tuple[int, str], Words]


Decipher = Callable[[Loaded], Loaded]
"""Turns a loaded program into one in plain words; ProgramError, without a hint of the key, when that fails."""


def collect(memories: Memories, key_index: int, salt: int, queues_written: bool) -> Loaded:
    """The program in the memories. ProgramError when it is not complete."""
    used = list(memories.used())
    for bank in memories.banks.values():
        if bank.lost:
            raise ProgramError(f"{bank.name}: was switched off since it was loaded; load it again.")
    if not any(bank.bank.memory == "IM" for bank in used):
        raise ProgramError("no instruction memory was written; load a program first.")
    for bank in used:
        _check_complete(bank)
    plain = queues_written or key_index >= NOT_ENCRYPTED
    return Loaded(key_index, salt, plain, {(bank.core, bank.bank.name): bank.words() for bank in used})


def _check_complete(bank: BoardBank) -> None:
    if bank.half_written:
        raise ProgramError(f"{bank.name}: only one half of a word was written; both must be.")
    if bank.bank.memory in ("IM", "SB", "PB") and bank.has_holes:
        raise ProgramError(f"{bank.name}: a word in the middle of the image was never written.")
    if not bank.awake:
        raise ProgramError(f"{bank.name}: must be on to run, not {bank.state}.")


class _MessageBudget(RunBudget):
    """What one message may cost: a board that serves a network also looks at the clock."""

    def __init__(self) -> None:
        super().__init__(LIMITS, "a message")
        self._deadline = time.monotonic() + MOST_SECONDS

    def next_slice(self) -> tuple[int, int]:
        if time.monotonic() > self._deadline:
            raise MachineFault(f"{self.what} must end within {MOST_SECONDS:g} s of the host's time.")
        return super().next_slice()


class Engine:
    """A program that runs. ``live(bank)`` says whether a bank's contents are in here rather than on the bus side.

    ``sealed``: it was deciphered, so that what is in here must not go back to the bus side. ProgramError for images
    that the part cannot run. ``native``: see ``make_spu``.
    """

    def __init__(self, loaded: Loaded, part: Part, sealed: bool = False, native: bool | None = None) -> None:
        self.sealed = sealed
        cores = sorted({core for core, name in loaded.banks if name == "IM"})
        images = {core: _images(loaded, core, part) for core in cores}
        self._part = part
        counts = {core: len(images[core]["IM"][0]) for core in cores}
        self._spu = make_spu(images, part, counts, native=native)
        self.halted = ""

    @property
    def cores(self) -> frozenset[int]:
        """The cores that have a program."""
        return frozenset(self._spu.processors)

    def message(self, core: int, pc: int, payload: Words) -> list[tuple[int, Words]]:
        """Run until every core is at rest: (mailbox, payload) of each output. MachineFault halts the program."""
        spu = self._spu
        spu.begin_frame()
        try:
            spu.post(core, pc, payload)
            spu.run(_MessageBudget())
        except MachineFault as fault:
            self.halted = str(fault)
            raise
        outputs = [(message.target, message.payload) for message in spu.outputs]
        spu.outputs = []
        return outputs

    def soft_reset(self) -> None:
        """Cores to their initial state; data memory keeps what it holds."""
        memories = [processor.core.memory for processor in self._spu.processors.values()]
        kept = [memory.words.copy() for memory in memories]
        self._spu.reset()
        for memory, words in zip(memories, kept, strict=True):
            memory.words[:] = words
            memory.written(0, WORD_BYTES * len(words))
        self.halted = ""

    def live(self, bank: BoardBank) -> bool:
        """Whether the program works on this bank."""
        return bank.bank.memory == "DM" and bank.core in self._spu.processors

    def read(self, bank: BoardBank, first: int, count: int) -> BusWords:
        """32-bit words of a live bank."""
        low, high = first // 2, (first + count + 1) // 2
        words = np.ascontiguousarray(self._view(bank)[low:high]).view("<u4")
        return words[first - 2 * low :][:count].astype(np.uint32)

    def write(self, bank: BoardBank, first: int, halves: BusWords) -> None:
        """32-bit words into a live bank."""
        low, high = first // 2, (first + len(halves) + 1) // 2
        view = self._view(bank)
        words = np.ascontiguousarray(view[low:high])
        words.view("<u4")[first - 2 * low :][: len(halves)] = halves
        view[low:high] = words
        pair = 16 * (bank.bank.index // 2) * self._part.dm_bank_words
        self._memory(bank).written(pair + 16 * low, pair + 16 * high)

    def store(self, memories: Memories) -> None:
        """Data memory back to the bus side, before the program is dropped; a deciphered program is lost altogether."""
        for bank in memories.banks.values():
            if self.sealed:
                bank.lose()
            elif self.live(bank):
                words = np.ascontiguousarray(self._view(bank))
                if bank.awake and (bank.used or words.any()):  # what a program writes to a bank that is off is lost
                    bank.store(0, words.view("<u4"))

    def _memory(self, bank: BoardBank) -> Any:
        return self._spu.processors[bank.core].core.memory

    def _view(self, bank: BoardBank) -> Words:
        """The words of a data bank inside the machine's memory, whose banks work in pairs: even words, odd words."""
        size = self._part.dm_bank_words
        pair, odd = divmod(bank.bank.index, 2)
        words: Words = self._memory(bank).words
        return words[2 * size * pair + odd : 2 * size * (pair + 1) : 2]


def start(loaded: Loaded, part: Part, decipher: Decipher | None, native: bool | None = None) -> Engine:
    """The program, deciphered if it is not plain and there is somebody to do it. ProgramError when it cannot run."""
    if decipher is None or loaded.plain:
        return Engine(loaded, part, native=native)
    return Engine(decipher(loaded), part, sealed=True, native=native)


def _images(loaded: Loaded, core: int, part: Part) -> dict[str, list[Words]]:
    """The images of one core, banks put together."""
    single = {name: loaded.banks.get((core, name), np.zeros(0, np.uint64)) for name in ("SB", "RQ", "PB", "IM")}
    images = {name: [words] for name, words in single.items()}
    for memory, banks, size in (
        ("DM", part.dm_banks, part.dm_bank_words),
        ("TM", part.tm_banks, part.tm_bank_words),
    ):
        image = np.zeros(banks * size, np.uint64)
        end = 0
        for index in range(banks):
            words = loaded.banks.get((core, f"{memory}{index}"))
            if words is not None:
                image[index * size : index * size + len(words)] = words
                end = index * size + len(words)
        images[memory] = [image[:end]]
    return images
