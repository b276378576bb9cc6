"""Words of messages between cores that wait in the router, core by core.

Cores are simulated a thread at a time, so the words are written down with their cycles and counted in order of time
when all cores are at rest.
"""

from __future__ import annotations

from itertools import accumulate

from femtodriver.errors import MachineFault
from femtodriver.machine.core import Message


class Router:
    """What waits for each core, in words with headers; ``words``: how many there is room for."""

    def __init__(self, words: int) -> None:
        self.words = words
        self._changes: dict[int, list[tuple[int, int]]] = {}  # core -> cycle, words that come (go: negative)

    def clear(self) -> None:
        """Nothing is under way."""
        self._changes.clear()

    def keep(self, message: Message, end: int) -> None:
        """A message was there from the beginning of its ``send`` to ``end``, when it was taken or lost."""
        changes = self._changes.setdefault(message.core, [])
        changes += [(message.sent, message.words), (end, -message.words)]

    def most(self, core: int) -> int:
        """The most words that have waited for a core at one time. What goes in a cycle makes room for what comes."""
        return max(accumulate(words for _, words in sorted(self._changes.get(core, ()))), default=0)

    def check(self) -> None:
        """MachineFault if more words have waited for a core than there is room for."""
        for core in sorted(self._changes):
            if (most := self.most(core)) > self.words:
                raise self.overflow(core, most)

    def overflow(self, core: int, most: int) -> MachineFault:
        """The fault of a program that has had so many words wait for a core."""
        return MachineFault(
            f"router: at most {self.words} words must wait for core {core} at one time, not {most}. "
            "Have messages taken before more are sent, or use a part with a larger router (router_words)."
        )
