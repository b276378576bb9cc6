"""Places for values that come and go: what does not live at the same time may be at the same place."""

from __future__ import annotations

import numpy as np

from femtodriver.compiler.backend.lifetimes import Life

# Values for which there is room at first.
_ROOM = 64
_FIRST, _LAST, _LOW, _HIGH = range(4)


class SharedSpace:
    """A stretch of memory from 0 on, in any unit; ``end`` is just after the last place taken."""

    def __init__(self) -> None:
        self.end = 0
        self._count = 0
        self._taken = np.zeros((4, _ROOM), np.int64)  # first and last moment, first and end unit of each value

    def find(self, life: Life, size: int) -> int:
        """The lowest place of ``size`` units at which nothing else stands during this life."""
        taken = self._taken[:, : self._count]
        there = taken[_LOW:, (taken[_FIRST] <= life[1]) & (life[0] <= taken[_LAST])]
        place = 0
        for low, high in there[:, np.lexsort(there[::-1])].T.tolist():
            if place + size <= low:
                break
            place = max(place, high)
        return place

    def take(self, life: Life, place: int, size: int) -> None:
        """Put a value there."""
        if self._count == self._taken.shape[1]:
            self._taken = np.concatenate([self._taken, np.zeros_like(self._taken)], axis=1)
        self._taken[:, self._count] = (*life, place, place + size)
        self._count += 1
        self.end = max(self.end, place + size)
