"""A bench for hand-written programs: assembly text with labels in, a machine with its counts out.

The images are made here from the formulas of docs/isa.md, not with the compiler's code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from femtodriver.isa import ISA
from femtodriver.machine.spu import Processor, Spu
from femtodriver.part import Part, load_part

TYPES = {8: np.int8, 16: np.int16, 32: np.int32}
# Small memories: pairs of banks end every 1 KiB, a table of 256 entries fits, and a machine is made in no time.
SMALL = replace(load_part(), dm_bank_words=64, tm_bank_words=300, im_words=512, acc_rows=8)
SMALL4 = replace(SMALL, name="small4", cores=4)


@dataclass
class Source:
    """A core's program: ``text``, with ``label:`` lines and ``target=label``; ``threads``: (count, label) each."""

    text: str
    threads: Sequence[tuple[int, str]] = ()
    data: bytes | bytearray = b""
    tables: Mapping[int, Sequence[int]] = field(default_factory=dict)


def assemble(text: str) -> tuple[list[int], dict[str, int]]:
    """Instruction words and the PC of every label."""
    lines = [line.split("//")[0].strip() for line in text.splitlines()]
    labels: dict[str, int] = {}
    code: list[str] = []
    pc = 0
    for line in filter(None, lines):
        if line.endswith(":"):
            labels[line[:-1]] = pc
            continue
        code.append(line)
        pc += ISA.parse(re.sub(r"=[a-z_]\w*", "=0", line)).words
    words: list[int] = []
    for line in code:
        words += ISA.parse(re.sub(r"=([a-z_]\w*)", lambda found: f"={labels[found.group(1)]}", line)).encode()
    return words, labels


def image(data: bytes | bytearray, part: Part = SMALL) -> Any:
    """The DM image of bytes in address order: image word 2w' p + w' q + w has the word at 8 (2w' p + 2w + q)."""
    words = np.zeros(part.dm_words, np.uint64)
    address_order = np.frombuffer(data + bytes(-len(data) % 8), np.uint64)
    for number, word in enumerate(address_order.tolist()):
        pair, inside = divmod(number, 2 * part.dm_bank_words)
        words[2 * part.dm_bank_words * pair + part.dm_bank_words * (inside % 2) + inside // 2] = word
    return words


def images(source: Source, part: Part = SMALL) -> dict[str, list[Any]]:
    """The images of one core."""
    words, labels = assemble(source.text)
    tables = np.zeros((part.tm_banks, part.tm_bank_words), np.uint64)
    for bank, values in source.tables.items():
        tables[bank, : len(values)] = np.array(values, np.int64).astype(np.int16).view(np.uint16)
    return {
        "DM": [image(source.data, part)],
        "TM": [tables.reshape(-1)],
        "IM": [np.array(words, np.uint64)],
        "SB": [np.array([count for count, _ in source.threads], np.uint64)],
        "PB": [np.array([labels[label] for _, label in source.threads], np.uint64)],
        "RQ": [np.zeros(0, np.uint64)],
    }


class Bench:
    """A machine with one program per core. Core 0 starts at its first instruction when ``run`` is called."""

    def __init__(self, *sources: Source | str, part: Part = SMALL) -> None:
        self.sources = [Source(source) if isinstance(source, str) else source for source in sources]
        self.labels = [assemble(source.text)[1] for source in self.sources]
        mems = {core: images(source, part) for core, source in enumerate(self.sources)}
        self.spu = Spu(mems, part, {core: len(mems[core]["IM"][0]) for core in mems})

    def core(self, index: int = 0) -> Processor:
        return self.spu.processors[index]

    def write(self, address: int, bits: int, values: Iterable[int], core: int = 0) -> Bench:
        """Elements into memory, before a run."""
        array = np.array(list(values), np.int64).astype(TYPES[bits])
        first = address * 8 // bits
        self.core(core).core.memory.elements[bits][first : first + len(array)] = array
        return self

    def read(self, address: int, bits: int, count: int, core: int = 0) -> list[int]:
        first = address * 8 // bits
        return [int(value) for value in self.core(core).core.memory.elements[bits][first : first + count]]

    def acc(self, row: int, count: int, core: int = 0) -> list[int]:
        return [int(value) for value in self.core(core).core.acc[8 * row : 8 * row + count]]

    def set_acc(self, row: int, values: Iterable[int], core: int = 0) -> Bench:
        array = np.array(list(values), np.int64)
        self.core(core).core.acc[8 * row : 8 * row + len(array)] = array
        return self

    def post(self, payload: Sequence[int] = (), label: str | int = 0, core: int = 0, arrival: int = 0) -> Bench:
        pc = self.labels[core][label] if isinstance(label, str) else label
        self.spu.post(core, pc, np.array(payload, np.uint64), arrival)
        return self

    def run(self, label: str | int = 0) -> int:
        """One frame: a thread of core 0, and all that follows from it. The elapsed cycles."""
        self.spu.begin_frame()
        return self.post(label=label).spu.run()

    def events(self, pc: int = 0, core: int = 0) -> dict[str, int]:
        """Counts of the instruction at a PC."""
        return self.core(core).executors[pc].events()

    def banks(self, pc: int = 0, core: int = 0) -> tuple[list[int], list[int]]:
        """Reads and writes of the instruction at a PC, per bank."""
        reads, writes = self.core(core).executors[pc].bank_traffic()
        empty = np.zeros(8, np.int64)
        return (reads + empty).tolist(), (writes + empty).tolist()


def run_one(line: str, prepare: Bench | None = None) -> Bench:
    """A bench on which one instruction and ``end`` have run."""
    bench = Bench(f"{line}\nend")
    bench.run()
    return bench


START = 2  # cycles of a thread switch
END = 1  # cycles of ``end``
