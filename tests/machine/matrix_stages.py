"""The stages of a matrix instruction, cycle by cycle: scanner, index, weights, lanes; dense or with a flat mask.

Cycle 0 decodes. From cycle 1 on, each bank serves one access per cycle: the weights of the next group first if enough
groups are known, then scanner and index (whichever is behind the other), then the weights of later groups. A group's
weights can be asked for two cycles after its activation and its part of the mask were read, and the lanes take it in
the cycle after its weights have come.
"""

from __future__ import annotations

from dataclasses import dataclass, field

KNOWN_GROUPS = 4
"""Groups that are known and not done: while there are fewer, scanner and index go first."""
WEIGHT_GROUPS = 4
"""Groups whose weights can be there before the lanes take them."""


@dataclass(frozen=True)
class Product:
    """A product; addresses are those of words. ``live``: of each column; ``kept``: of each column and group."""

    activations: int
    activation_bits: int
    live: list[bool]
    weights: int
    weight_bits: int
    kept: list[list[bool]]
    mask: int | None
    lane_passes: int
    bank_words: int

    @property
    def per_word(self) -> int:
        """Activations of a word."""
        return 64 // self.activation_bits

    @property
    def groups(self) -> int:
        """Groups of a column."""
        return len(self.kept[0])

    def bank(self, word: int) -> int:
        return 2 * (word // (2 * self.bank_words)) + word % 2

    def words_of_group(self, number: int) -> range:
        """The words of a stored group."""
        size = 8 * self.weight_bits
        return range(self.weights + number * size // 64, self.weights + ((number + 1) * size - 1) // 64 + 1)


@dataclass
class _Group:
    """A kept group of a live activation: the words that must be read before its weights, and its weights."""

    scanned: int
    flag: int
    words: range
    come: dict[int, int] = field(default_factory=dict)


class Stages:
    """One instruction under way."""

    def __init__(self, product: Product) -> None:
        self.product = product
        columns = len(product.live)
        self.scan_words = -(-columns // product.per_word)
        self.mask_words = 0 if product.mask is None else -(-columns * product.groups // 64)
        places = [(j, g) for j in range(columns) for g in range(product.groups) if product.kept[j][g]]
        self.groups = [
            _Group(j // product.per_word, (j * product.groups + g) // 64, product.words_of_group(number))
            for number, (j, g) in enumerate(places)
            if product.live[j]
        ]
        self.read_at: dict[str, list[int]] = {"scan": [], "mask": []}
        self.cycle = self.taken = self.free = self.last = 0

    def run(self) -> int:
        """Cycles of the instruction."""
        scanned, flags = self.read_at["scan"], self.read_at["mask"]
        while len(scanned) < self.scan_words or len(flags) < self.mask_words or self.taken < len(self.groups):
            self.cycle += 1
            self._take_group()
            self._serve_banks()
        return max(self.last, self.cycle) + 1

    def _take_group(self) -> None:
        if self.taken == len(self.groups) or self.cycle < self.free:
            return
        group = self.groups[self.taken]
        if len(group.come) == len(group.words) and max(group.come.values()) < self.cycle:
            self.free = self.cycle + self.product.lane_passes
            self.last = self.free - 1
            self.taken += 1

    def _serve_banks(self) -> None:
        busy: set[int] = set()
        if self._known(0) >= KNOWN_GROUPS:
            self._fetch(1, busy)
        product, scanned, flags = self.product, self.read_at["scan"], self.read_at["mask"]
        readers = [(len(scanned) * product.per_word * product.groups, "scan", product.activations, self.scan_words)]
        if product.mask is not None:
            readers.append((64 * len(flags), "mask", product.mask, self.mask_words))
        for _, name, first, words in sorted(readers, key=lambda reader: reader[0]):
            done = self.read_at[name]
            bank = product.bank(first + len(done))
            if len(done) < words and bank not in busy:
                busy.add(bank)
                done.append(self.cycle)
        self._fetch(WEIGHT_GROUPS, busy)

    def _known(self, delay: int) -> int:
        """How many of the next groups are known so many cycles after their words were read; the first few."""
        count = 0
        for group in self.groups[self.taken : self.taken + KNOWN_GROUPS]:
            words = [(self.read_at["scan"], group.scanned)]
            words += [(self.read_at["mask"], group.flag)] if self.product.mask is not None else []
            if any(number >= len(done) or done[number] + delay > self.cycle for done, number in words):
                break
            count += 1
        return count

    def _fetch(self, most: int, busy: set[int]) -> None:
        """Read weights of the next groups as far as their banks are free."""
        for group in self.groups[self.taken : self.taken + min(most, self._known(2))]:
            for word in group.words:
                bank = self.product.bank(word)
                if word not in group.come and bank not in busy:
                    busy.add(bank)
                    group.come[word] = self.cycle
