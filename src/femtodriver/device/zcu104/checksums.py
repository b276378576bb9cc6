"""Checksums in fields that the ZCU104 protocol ignores, so that a damaged link is noticed.

The virtual board puts a *stamp* into the address field of the answers with code 11 (spu_top read) and 6 (axis end
marker): ``MAGIC`` in the upper 12 bits, a checksum of the answer's words and of everything that the board has
received over the connection in the lower 16. The data of the end marker are the checksum of what was received, in
full. Other boards have a buffer's length there, or nothing; everybody else ignores it.
"""

from __future__ import annotations

import zlib

from femtodriver.arrays import BusWords

MAGIC = 0xF5D0000
_CHECK = 0xFFFF
# A board has stamps if two of its first answers do: chance finds that once in 250,000 boards with random fields.
_ENOUGH, _FIRST = 2, 64


def stream_sum(data: bytes | memoryview, before: int = 0) -> int:
    """Check sum of a stream of bytes after some more of them."""
    return zlib.crc32(data, before)


def stamp(words: BusWords, received: int) -> int:
    """The stamp of an answer with these words, when the stream received so far has that checksum."""
    return MAGIC | (zlib.crc32(words.astype("<u4").tobytes(), received) & _CHECK)


class StampCheck:
    """The client's side of one connection."""

    def __init__(self) -> None:
        self._sent = 0
        self._answers = 0
        self._found = 0

    def sent(self, data: bytes | memoryview) -> None:
        """These bytes go out."""
        self._sent = stream_sum(data, self._sent)

    def damage(self, field: int, words: BusWords, received: int | None = None) -> str:
        """What is wrong with an answer, "" if nothing is, or if the board has no stamps.

        ``received``: the data of an end marker.
        """
        self._answers += 1
        marked = field & ~_CHECK == MAGIC
        if marked and self._answers <= _FIRST:
            self._found += 1
        fits = field == stamp(words, self._sent) and received in (None, self._sent)
        if fits:
            return ""
        if self._found < _ENOUGH:
            return ""
        if received not in (None, self._sent) and marked:
            return "the board has received something else than what was sent"
        return "the answer is not what the board has sent, or the request not what it got"
