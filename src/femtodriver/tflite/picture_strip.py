"""Neighbouring rows of a picture, and the rows of windows that lie over them."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Strip:
    """Neighbouring rows of a picture and what windows make of them.

    ``first``: the first row of the picture; ``rows``: how many; ``results``: rows of windows; ``above``, ``below``:
    rows of padding. ``stride``: rows from one row of windows to the next, ``reach``: rows that a window touches.
    """

    first: int
    rows: int
    results: int
    above: int
    below: int
    stride: int
    reach: int

    def part(self, begin: int, end: int) -> Strip:
        """Of the rows of windows, ``begin`` to ``end`` - 1."""
        top = begin * self.stride - self.above
        bottom = (end - 1) * self.stride - self.above + self.reach
        first, last = max(top, 0), min(bottom, self.rows)
        return replace(
            self,
            first=self.first + first,
            rows=last - first,
            results=end - begin,
            above=first - top,
            below=bottom - last,
        )

    @property
    def inside(self) -> tuple[int, int]:
        """The rows of windows, first and last + 1, that need no padding, and whose whole steps are in the picture."""
        begin = -(-self.above // self.stride)
        steps = -(-self.reach // self.stride) * self.stride
        end = (self.rows + self.above - steps) // self.stride + 1
        return begin, min(end, self.results)
