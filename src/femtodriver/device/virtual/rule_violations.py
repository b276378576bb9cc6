"""What a client did against the rules, as the board saw it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

KINDS = {
    "address": "an access where nothing is, or not allowed",
    "power": "an access to a memory that is not on, or an illegal power command",
    "clock": "work while clocks are gated or cores are held in reset",
    "order": "a message before a program is completely loaded",
    "program": "a program that the part cannot run, or that cannot be deciphered",
    "message": "a message that no core can take, or that breaks the framing",
    "fault": "the running program broke a rule of the machine",
    "protocol": "bytes that are no request",
    "owner": "a second client while the board is in use",
}
MOST_KEPT = 200
MOST_TOLD = 20


@dataclass(frozen=True)
class Violation:
    """One event; ``kind`` is one of KINDS."""

    kind: str
    text: str


class Violations:
    """The last violations and the number of all of them. ``tell`` gets the first lines of every kind."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self.recent: deque[Violation] = deque(maxlen=MOST_KEPT)
        self.counts: Counter[str] = Counter()
        self._tell = tell

    def add(self, kind: str, text: str) -> None:
        """Note a violation."""
        self.counts[kind] += 1
        self.recent.append(Violation(kind, text))
        if self._tell is None or self.counts[kind] > MOST_TOLD:
            return
        self._tell(f"{kind}: {text}")
        if self.counts[kind] == MOST_TOLD:
            self._tell(f"{kind}: further ones are counted, but not shown")

    def clear(self) -> None:
        """Forget everything."""
        self.recent.clear()
        self.counts.clear()
