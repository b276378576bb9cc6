"""A pipeline for vectors, look-ups and interpolations, cycle by cycle: what docs/isa.md says that a core could be.

Cycle 0 decodes. From cycle 1 on, each bank of data memory serves one access per cycle. A word that is read in one cycle
can be used in the next; a row of 8 elements goes on when all its words are there, and keeps the lanes (or the tables)
for its steps. Its result can be written ``stages`` cycles after its last step.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

LANES = 8
READ_WORDS = 4
"""Words that an address generator keeps for each bank until their rows go on."""
WRITE_WORDS = 4
"""Words that wait for each bank to be written, beside those of a row that is under way."""


@dataclass
class Words:
    """An operand in data memory: the words that hold its elements, in order, and the rows that need them."""

    address: int
    size: int
    length: int
    bank_words: int

    def of_row(self, row: int, length: int) -> range:
        """Numbers of the words that a row of an instruction of ``length`` elements touches."""
        first, end = (0, 1) if self.length == 1 else (LANES * row, min(LANES * row + LANES, length))
        start = self.address // 8
        return range(
            (self.address + first * self.size) // 8 - start, (self.address + end * self.size - 1) // 8 - start + 1
        )

    def bank(self, word: int) -> int:
        place = self.address // 8 + word
        return 2 * (place // (2 * self.bank_words)) + place % 2


@dataclass
class Pipeline:
    """One instruction; ``steps``: cycles of the lanes for a row of so many elements; ``stages``: see above."""

    sources: Sequence[Words]
    dst: Words | None
    length: int
    steps: Callable[[int], int]
    stages: int = 1
    cycle: int = 0
    last: int = 0
    _row: int = 0  # the next one for the lanes
    _lanes_free: int = 2
    _come: list[dict[int, int]] = field(default_factory=list)  # of each source: word -> cycle in which it is usable
    _under_way: list[tuple[int, int]] = field(default_factory=list)  # cycle in which it is done, row
    _to_write: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # bank -> words
    _written: int = 0  # words of the destination that are complete

    def run(self) -> int:
        """Cycles with the last write."""
        self._come = [{} for _ in self.sources]
        while self._row < self._rows or self._under_way or any(self._to_write.values()):
            self.cycle += 1
            self._start_row()
            self._finish_rows()
            self._serve_banks()
        return self.last + 1

    @property
    def _rows(self) -> int:
        return -(-self.length // LANES)

    def _start_row(self) -> None:
        waiting = Counter({bank: len(words) for bank, words in self._to_write.items()})
        if self._row == self._rows or self.cycle < self._lanes_free or max(waiting.values(), default=0) >= WRITE_WORDS:
            return
        for source, come in zip(self.sources, self._come, strict=True):
            if any(come.get(word, self.cycle + 1) > self.cycle for word in source.of_row(self._row, self.length)):
                return
        steps = self.steps(min(LANES, self.length - LANES * self._row))
        self._lanes_free = self.cycle + steps
        self._under_way.append((self.cycle + steps - 1 + self.stages, self._row))
        self._row += 1

    def _finish_rows(self) -> None:
        """Results leave the lanes. A word that the next row goes on with is written with that one."""
        for done, row in [entry for entry in self._under_way if entry[0] <= self.cycle]:
            self._under_way.remove((done, row))
            self.last = max(self.last, self.cycle)
            if self.dst:
                end = self.dst.of_row(row, self.length).stop
                if row + 1 < self._rows:
                    end = self.dst.of_row(row + 1, self.length).start
                for word in range(self._written, end):
                    self._to_write[self.dst.bank(word)].append(word)
                self._written = end

    def _serve_banks(self) -> None:
        wanted: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # bank -> (row that needs it, source, word)
        for number, source in enumerate(self.sources):
            for bank, (row, word) in self._next_reads(number, source).items():
                wanted[bank].append((row, number, word))
        for bank in {*wanted, *self._to_write}:
            writes = self._to_write[bank]
            if writes and (len(writes) >= WRITE_WORDS or not wanted[bank]):
                writes.pop(0)
                self.last = max(self.last, self.cycle)
            elif wanted[bank]:
                _, number, word = min(wanted[bank])
                self._come[number][word] = self.cycle + 1

    def _next_reads(self, number: int, source: Words) -> dict[int, tuple[int, int]]:
        """For each bank the next word of a source, if its generator has room: (first row that needs it, word)."""
        come = self._come[number]
        kept: Counter[int] = Counter()
        needed = source.of_row(self._row, self.length).start if self._row < self._rows else 0
        for word in come:
            kept[source.bank(word)] += word >= needed
        found: dict[int, tuple[int, int]] = {}
        for row in range(self._row, min(self._rows, self._row + 2 * READ_WORDS)):
            for word in source.of_row(row, self.length):
                bank = source.bank(word)
                if word not in come and bank not in found and kept[bank] < READ_WORDS:
                    found[bank] = (row, word)
        return found
