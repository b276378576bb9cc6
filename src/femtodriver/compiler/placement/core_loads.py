"""How much of each core's memories is taken while a network is laid out: an estimate that needs no addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil

from femtodriver.compiler.backend.core_map import buffer_bytes
from femtodriver.compiler.backend.lifetimes import SHORT_LIVED, lifetimes
from femtodriver.compiler.fmir.ir import (
    Fmir,
    If,
    Loop,
    Mac,
    Matrix,
    Op,
    Products,
    Role,
    Send,
    table_names,
    touches,
    walk,
)
from femtodriver.compiler.fmir.weight_groups import stored_words
from femtodriver.isa.limits import MAX_VECTOR_ELEMENTS, WORD_BITS
from femtodriver.part import Part

# A message takes an instruction on one core and a thread of this many words on the other.
RECEIVER_WORDS = 3


@dataclass(frozen=True)
class Load:
    """What some operations and their values need: sizes by name, for what operations may have in common.

    ``data``: bytes of data memory; ``tables``: words of table memory; ``words``: words of instruction memory.
    """

    data: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)
    words: int = 0

    def __add__(self, other: Load) -> Load:
        return Load({**self.data, **other.data}, {**self.tables, **other.tables}, self.words + other.words)


@dataclass
class CoreRoom:
    """One core while it is filled; ``limit``: bytes, table words and instruction words that it may take.

    ``messages``: how many it gets.
    """

    limit: tuple[float, float, float]
    data: dict[str, int] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    used: tuple[int, int, int] = (0, 0, 0)
    messages: int = 0

    def after(self, load: Load) -> tuple[int, int, int]:
        """What would be taken with this load too."""
        data = sum(size for name, size in load.data.items() if name not in self.data)
        tables = sum(size for name, size in load.tables.items() if name not in self.tables)
        return self.used[0] + data, self.used[1] + tables, self.used[2] + load.words

    def fits(self, load: Load, share: float = 1.0) -> bool:
        """Whether the load stays within this share of the limits; what needs nothing of a memory fits it."""
        before, after = self.used, self.after(load)
        return all(new <= most * share or new == old for old, new, most in zip(before, after, self.limit, strict=True))

    def fullness(self, load: Load | None = None) -> float:
        """How much of the fullest memory is taken, as a share of its limit; with a load, if that came too."""
        used = self.used if load is None else self.after(load)
        return max((taken / most for taken, most in zip(used, self.limit, strict=True) if most > 0), default=0.0)

    def overfull(self) -> bool:
        """Whether more is taken than may be."""
        return any(used > most for used, most in zip(self.used, self.limit, strict=True))

    def take(self, load: Load) -> None:
        """Add a load."""
        self.used = self.after(load)
        self.data.update(load.data)
        self.tables.update(load.tables)


def load_of(fmir: Fmir, op: Op) -> Load:
    """What an operation with its bodies needs on its core, its values included where they outlive the frame's work."""
    data: dict[str, int] = {}
    tables: dict[str, int] = {}
    for entry in walk((op,)):
        for view in touches(entry):
            buffer = fmir.buffers[view.buffer]
            if buffer.role in (Role.CONST, Role.STATE, Role.KEPT):
                data[buffer.name] = buffer_bytes(buffer)
        if isinstance(entry, Mac):
            data |= {name: matrix_bytes(fmir.matrices[name]) for name, _ in entry.parts}
        tables |= {name: len(fmir.tables[name]) for name in table_names(entry)}
    return Load(data, tables, sum(instruction_words(entry) for entry in walk((op,))))


def all_on_one(loads: Iterable[Load], limit: tuple[float, float, float]) -> CoreRoom:
    """A core that all of them are on."""
    room = CoreRoom(limit)
    for load in loads:
        room.take(load)
    return room


def matrix_bytes(matrix: Matrix) -> int:
    """Bytes of a matrix in data memory, mask included."""
    return WORD_BITS // 8 * stored_words(matrix, matrix.form)


def instruction_words(op: Op) -> int:
    """Words of an operation's own instructions, about."""
    if isinstance(op, Loop):
        return 2 + 2 * len(op.cursors) + 1
    if isinstance(op, If):
        return 2
    if isinstance(op, Send):
        return 1
    if isinstance(op, Mac):
        return 2 * (len(op.parts) + (1 if op.bias == 0 else 2))
    if isinstance(op, Products):
        return 2 * (len(op.factors) + 1)
    return 2 * ceil(op.dst.length / MAX_VECTOR_ELEMENTS)


def empty_rooms(fmir: Fmir, part: Part, cores: int) -> list[CoreRoom]:
    """Cores with nothing on them but the ports, on core 0, and room for what lives at the same time on any of them."""
    short = most_alive(fmir)
    limit = (part.dm_bytes - short, part.tm_banks * part.tm_bank_words, part.im_words)
    rooms = [CoreRoom(limit) for _ in range(cores)]
    ports = {port.buffer: buffer_bytes(fmir.buffers[port.buffer]) for port in (*fmir.inputs, *fmir.outputs)}
    rooms[0].take(Load(ports, {}, RECEIVER_WORDS * len(fmir.inputs) + len(fmir.outputs)))
    return rooms


def most_alive(fmir: Fmir) -> int:
    """Bytes of short-lived values that live at the same time, at the most."""
    changes: dict[int, int] = {}
    for name, (first, last) in lifetimes(fmir, 0).items():
        size = buffer_bytes(fmir.buffers[name]) if fmir.buffers[name].role in SHORT_LIVED else 0
        changes[first] = changes.get(first, 0) + size
        changes[last + 1] = changes.get(last + 1, 0) - size
    return _peak(changes[time] for time in sorted(changes))


def _peak(changes: Iterable[int]) -> int:
    level = most = 0
    for change in changes:
        level += change
        most = max(most, level)
    return most
