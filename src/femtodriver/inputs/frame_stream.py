"""Frames of a run one block after the other, from wherever they come, so that memory need not hold them all."""

from __future__ import annotations

from typing import Protocol

from femtodriver.arrays import Int64Array
from femtodriver.inputs.frame_reader import FrameReader


class FrameSource(Protocol):
    """Where frames come from.

    ``n_frames``: how many there are, None where only the end will tell. ``period_s``: seconds between two frames,
    ``rate_hz``: samples per second, where they are known. ``notes``: what users should know, one line each; after the
    last frame there may be more of them.
    """

    @property
    def n_frames(self) -> int | None: ...

    @property
    def period_s(self) -> float | None: ...

    @property
    def rate_hz(self) -> float | None: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def next_frames(self, most: int) -> dict[str, Int64Array]:
        """The next frames by input name, new arrays (frames, length), ``most`` of them at most; {} at the end."""

    def close(self) -> None:
        """Close what was opened. May be called twice."""


class FrameStream:
    """Frames ``low`` to ``high`` - 1 of a reader, in order. ``notes``: more than the reader's own."""

    def __init__(self, reader: FrameReader, low: int, high: int, notes: tuple[str, ...] = ()) -> None:
        self._reader, self._next, self._end = reader, low, high
        self._notes = notes
        self.n_frames: int | None = high - low
        self.period_s, self.rate_hz = reader.period_s, reader.rate_hz

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the reader so far, and the others."""
        return (*self._reader.notes, *self._notes)

    def next_frames(self, most: int) -> dict[str, Int64Array]:
        """See ``FrameSource.next_frames``."""
        low, high = self._next, min(self._next + most, self._end)
        self._next = high
        return self._reader.read(low, high) if low < high else {}

    def close(self) -> None:
        """See ``FrameSource.close``."""
        self._reader.close()
