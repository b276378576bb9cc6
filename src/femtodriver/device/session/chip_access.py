"""Registers and memories of the chip, by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords, Words, is_masked
from femtodriver.device.session.target_addresses import BusPlace, Target, places
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.errors import UsageError
from femtodriver.program.packing import join_words, split_words


@dataclass(frozen=True)
class _Pending:
    place: BusPlace
    words: BusWords
    comment: str | None


class ChipAccess:
    """Writes and reads of the targets of ``places``; writes may be gathered and sent later."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._pending: list[_Pending] = []

    def send(self, target: Target, vals: npt.ArrayLike, flush: bool = True, comment: str | None = None) -> None:
        """Write words: 64 bits each for memories and the router, 32 for registers.

        ``flush`` False: not yet, but before the next read or flushing write, in order. UsageError for an unknown
        target or values that its words cannot hold; DeviceError when the link fails.
        """
        values = _values(target, vals)
        at = 0
        for place in places(target, len(values)):
            here = values[at : at + place.count]
            if not place.wide and int(here.max()) >> 32:
                raise UsageError(f"{target!r}: a value must have 32 bits, not {int(here.max()):#x}.")
            self._pending.append(_Pending(place, split_words(here) if place.wide else here.astype(np.uint32), comment))
            at += place.count
        if flush:
            self.flush()

    def flush(self) -> None:
        """Send what was gathered."""
        pending, self._pending = self._pending, []
        for item in pending:
            self._recorder.write(item.place.space, item.place.address, item.words, item.comment)

    def recv(self, target: Target, num_words: int = 1, comment: str | None = None) -> Words:
        """Read words (uint64, 1-D): 64 bits each for memories and the router, 32 for registers.

        From the router: header and payload words of a message of just this size, or none. UsageError for an unknown
        target; DeviceError when the link fails.
        """
        if isinstance(num_words, bool) or not isinstance(num_words, (int, np.integer)):
            raise UsageError(f"{target!r:.60}: the number of words must be a whole number, not {num_words!r:.60}.")
        self.flush()
        found = []
        for place in places(target, num_words):
            count = 2 * place.count if place.wide else place.count
            words = self._recorder.read(place.space, place.address, count, comment)
            found.append(join_words(words) if place.wide else words.astype(np.uint64))
        return np.concatenate(found)


def _values(target: Target, vals: npt.ArrayLike) -> Words:
    # As objects: numpy would turn a list of large and small numbers into floats.
    found = np.atleast_1d(np.array(vals, dtype=object))
    whole = not is_masked(vals) and found.ndim == 1 and all(isinstance(value, (int, np.integer)) for value in found)
    if not whole or not found.size or not 0 <= min(found) <= max(found) < 1 << 64:
        raise UsageError(f"{target!r}: values must be a 1-D list of whole numbers from 0, at least one, below 2^64.")
    return found.astype(np.uint64)
