"""Output messages that wait for the host: a bounded queue of whole messages."""

from __future__ import annotations

from collections import deque

import numpy as np

from femtodriver.arrays import BusWords, Words
from femtodriver.device.transport import GOOD_OUTPUT

MOST_WORDS = 1 << 16
"""64-bit words that wait at most, headers included."""
MOST_MESSAGES = 1024


class Outbox:
    """The queue. ``words``: 64-bit words in it, headers included."""

    def __init__(self) -> None:
        self._messages: deque[tuple[int, Words]] = deque()
        self.words = 0

    def __len__(self) -> int:
        return len(self._messages)

    def clear(self) -> None:
        """Drop everything."""
        self._messages.clear()
        self.words = 0

    def put(self, mailbox: int, payload: Words) -> bool:
        """Add a message (uint64 payload); False when there is no room for it."""
        size = 1 + len(payload)
        if self.words + size > MOST_WORDS or len(self._messages) >= MOST_MESSAGES:
            return False
        self.words += size
        self._messages.append((mailbox, payload))
        return True

    def take(self, words: int) -> BusWords | None:
        """The first messages (uint32 words, headers included) if they have exactly so many 64-bit words, else None."""
        if not 0 < words <= self.words:
            return None
        total = number = 0
        for _, payload in self._messages:
            if total >= words:
                break
            total += 1 + len(payload)
            number += 1
        if total != words:
            return None
        parts = []
        for _ in range(number):
            mailbox, payload = self._messages.popleft()
            parts += [np.array([GOOD_OUTPUT, mailbox], np.uint32), payload.astype("<u8").view("<u4")]
        self.words -= words
        return np.concatenate(parts).astype(np.uint32)

    def take_first(self) -> BusWords | None:
        """The first message, whatever its length; None when there is none."""
        return self.take(1 + len(self._messages[0][1])) if self._messages else None
