"""How long to wait for what."""

from __future__ import annotations

from dataclasses import dataclass, fields

from femtodriver.errors import UsageError
from femtodriver.safe_text import shown

MOST_SECONDS = 1e6


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for what, in seconds.

    ``connect``: until the link is open; ``io``: for the whole answer to one request, and for a write to be taken;
    ``output``: from the last input of a frame to its outputs; ``lock``: for the PLL.

    UsageError for anything but a positive number below a million.
    """

    connect: float = 5.0
    io: float = 20.0
    output: float = 20.0
    lock: float = 5.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not is_seconds(value) or value == 0:
                raise UsageError(f"timeouts: {one.name} must be a positive number of seconds, not {shown(value)}.")

    def limited(self, seconds: float) -> Timeouts:
        """``seconds`` for every answer and for the outputs of a frame, and at most that for anything else."""
        return Timeouts(min(seconds, self.connect), seconds, seconds, min(seconds, self.lock))


def is_seconds(value: object) -> bool:
    """Whether the value is a number from 0 that can be a time in seconds."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < MOST_SECONDS


USUAL = Timeouts()
