"""Faults of a link, on purpose: the same seed gives the same faults."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from femtodriver.device.zcu104.entries import ENTRY_BYTES, Entries
from femtodriver.errors import UsageError

_MOST_LOGGED = 1000
_LONGEST_PIECE = 24


@dataclass(frozen=True)
class Faults:
    """What goes wrong between client and board.

    ``drop``, ``corrupt``: share of entries, in both directions, that vanish or get one bit flipped. ``delay``: share
    of answers that come late, by up to ``delay_s`` seconds. ``split``: answers come in small pieces. ``close_after``:
    the connection is closed after so many bytes from the board, ``close_after_entries``: after so many entries from
    the client; both count on over connections and act once. ``seed``: of all of this.
    """

    drop: float = 0.0
    corrupt: float = 0.0
    delay: float = 0.0
    delay_s: float = 0.02
    split: bool = False
    close_after: int | None = None
    close_after_entries: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("drop", "corrupt", "delay"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"faults: {name} must be a share from 0 to 1, not {getattr(self, name)!r}.")
        if not 0 <= self.delay_s <= 60:
            raise UsageError(f"faults: delay_s must be 0 to 60 seconds, not {self.delay_s!r}.")
        for name in ("close_after", "close_after_entries"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise UsageError(f"faults: {name} must be a number from 0, not {value!r}.")

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Faults of a text such as ``drop=0.01,split,close_after=400,seed=7``. UsageError for anything else."""
        kinds = {entry.name: str(entry.type) for entry in fields(cls)}
        found: dict[str, float | int | bool] = {}
        for item in filter(None, (part.strip() for part in text.split(","))):
            name, equals, value = item.partition("=")
            name = name.replace("-", "_")
            if name not in kinds or name in found or bool(equals) == (kinds[name] == "bool"):
                raise UsageError(f"faults: must be a list of {_usage()}, not {item!r:.60}.")
            found[name] = True if kinds[name] == "bool" else _number(item, value, kinds[name])
        return cls(**found)  # type: ignore[arg-type]


@dataclass(frozen=True)
class FaultEvent:
    """One fault that happened. ``entry``: what was dropped, or the entry before it was corrupted."""

    kind: str
    outgoing: bool
    entry: tuple[int, int] = (0, 0)


class FaultStream:
    """The faults as they happen, over all connections of a server. ``log`` has the last of them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._random = random.Random(faults.seed)
        self._entries_left = faults.close_after_entries
        self._bytes_left = faults.close_after
        self.closing = False
        self.log: deque[FaultEvent] = deque(maxlen=_MOST_LOGGED)

    def incoming(self, table: Entries) -> Entries:
        """What the board gets of the client's entries."""
        if self._entries_left is not None:
            if len(table) >= self._entries_left:
                table = table[: self._entries_left]
                self._close()
                self._entries_left = None
            else:
                self._entries_left -= len(table)
        return self._damaged(table, outgoing=False)

    def outgoing(self, table: Entries) -> Entries:
        """What the client gets of the board's entries."""
        return self._damaged(table, outgoing=True)

    def limited(self, data: bytes) -> bytes:
        """What goes out before the connection is closed."""
        if self._bytes_left is None:
            return data
        if len(data) >= self._bytes_left:
            data = data[: self._bytes_left]
            self._bytes_left = None
            self._close()
        else:
            self._bytes_left -= len(data)
        return data

    def pause_s(self) -> float:
        """How late the next answer is."""
        if not self._faults.delay or self._random.random() >= self._faults.delay:
            return 0.0
        self.log.append(FaultEvent("delay", True))
        return self._random.uniform(0, self._faults.delay_s)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The pieces in which an answer is sent."""
        if not self._faults.split:
            yield data
            return
        at = 0
        while at < len(data):
            size = self._random.randint(1, _LONGEST_PIECE)
            yield data[at : at + size]
            at += size

    def _close(self) -> None:
        self.closing = True
        self.log.append(FaultEvent("close", True))

    def _damaged(self, table: Entries, outgoing: bool) -> Entries:
        if not (self._faults.drop or self._faults.corrupt):
            return table
        kept = np.ones(len(table), np.bool_)
        table = table.copy()
        for at in range(len(table)):
            entry = (int(table[at, 0]), int(table[at, 1]))
            if self._random.random() < self._faults.drop:
                kept[at] = False
                self.log.append(FaultEvent("drop", outgoing, entry))
            elif self._random.random() < self._faults.corrupt:
                bit = self._random.randrange(8 * ENTRY_BYTES)
                table[at, bit // 32] ^= np.uint32(1 << (bit % 32))
                self.log.append(FaultEvent("corrupt", outgoing, entry))
        return table[kept]


def _number(item: str, value: str, kind: str) -> float | int:
    try:
        return float(value) if kind == "float" else int(value)
    except ValueError:
        raise UsageError(f"faults: {item!r:.60} must have a number after the =.") from None


def _usage() -> str:
    return "drop=SHARE, corrupt=SHARE, delay=SHARE, delay_s=S, split, close_after=BYTES, close_after_entries=N, seed=N"
