"""Places for values that come and go: what does not live at the same time may be at the same place."""

from __future__ import annotations

from femtodriver.compiler.backend.lifetimes import Life, overlap


class SharedSpace:
    """A stretch of memory from 0 on, in any unit; ``end`` is just after the last place taken."""

    def __init__(self) -> None:
        self.end = 0
        self._taken: list[tuple[Life, int, int]] = []

    def find(self, life: Life, size: int) -> int:
        """The lowest place of ``size`` units at which nothing else stands during this life."""
        place = 0
        for low, high in sorted((low, high) for other, low, high in self._taken if overlap(life, other)):
            if place + size <= low:
                break
            place = max(place, high)
        return place

    def take(self, life: Life, place: int, size: int) -> None:
        """Put a value there."""
        self._taken.append((life, place, place + size))
        self.end = max(self.end, place + size)
