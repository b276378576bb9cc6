"""Where everything is on one core: what allocation decides, and what code and images are made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from femtodriver.arrays import Words
from femtodriver.compiler.fmir.ir import Buffer
from femtodriver.isa.limits import WORD_BITS

Packed = tuple[Words, Words]
"""Weight words and mask words (none when dense), uint64."""
PURPOSES = ("weights", "indices", "constants", "activations", "state", "tables")
"""What the bytes of data and table memory are for, in the order of reports."""


@dataclass(frozen=True)
class TablePlace:
    """A look-up table in table memory: copies at ``row`` of ``1 << ways`` banks from ``bank`` on."""

    row: int
    bank: int
    ways: int


@dataclass
class CoreMap:
    """Places on one core.

    ``address``: first byte of a buffer in data memory; ``acc_row``: first accumulator row of one that is there.
    ``weights``, ``masks``: first word of a matrix and of its mask (0: it has none), whose words are in ``packed``.
    ``usage``: bytes by purpose; ``used_bytes``: those of data memory. ``mac_row``: first row for sums of products.
    ``stretches``: the parts of data memory that are in use, as first and end address of each, in ascending order.
    """

    core: int
    address: dict[str, int] = field(default_factory=dict)
    acc_row: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=dict)
    packed: dict[str, Packed] = field(default_factory=dict)
    tables: dict[str, TablePlace] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PURPOSES, 0))
    used_bytes: int = 0
    stretches: list[tuple[int, int]] = field(default_factory=list)
    mac_row: int = 0


def buffer_bytes(buffer: Buffer) -> int:
    """Bytes of a buffer in data memory: whole 64-bit words, twice if it is circular."""
    copies = 1 if buffer.position is None else 2
    return copies * -(-buffer.length * buffer.bits // WORD_BITS) * 8
