"""The virtual board as the client side of the redis protocol."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import BusWords
from femtodriver.device.redis.requests import HOST_INTERRUPT, HOST_RESET, HOST_WAIT
from femtodriver.device.virtual.virtual_board import VirtualBoard

NAME = "open-femtodriver"


class RedisBoard:
    """Requests of the redis protocol, carried out on a board. Every read gets exactly as many words as it asked for."""

    def __init__(self, board: VirtualBoard) -> None:
        self._board = board

    def write(self, target: str, start: int, words: BusWords) -> None:
        """Take the words."""
        if target == "apb":
            self._board.apb_write(start, words)
        elif target == "axis":
            self._board.message(words)
        elif target == "spu_top":
            for at, value in enumerate(words.tolist()):
                self._board.top_write(start + 4 * at, value)
        else:
            self._host_write(start, int(words[0]))

    def read(self, target: str, start: int, length: int) -> BusWords:
        """Exactly ``length`` words."""
        if target == "apb":
            return self._board.apb_read(start, length)
        if target == "axis":
            return self._outputs(length)
        if target == "spu_top":
            return np.array([self._board.top_read(start + 4 * at) for at in range(length)], np.uint32)
        found = np.zeros(length, np.uint32)
        if start == HOST_INTERRUPT:
            found[0] = len(self._board.outbox) > 0
        else:
            self._board.note("address", f"host read from {start:#x}: must come from INT_SPU_EXT (2)")
        return found

    def new_client(self) -> None:
        """Outputs that the driver before did not fetch are dropped."""
        self._board.new_client()

    def hard_reset(self) -> None:
        """The board as after power-on."""
        self._board.hard_reset()

    def _host_write(self, start: int, value: int) -> None:
        if start == HOST_RESET:
            if value:
                self._board.hard_reset()
        elif start != HOST_WAIT:
            self._board.note("address", f"host write to {start:#x}: must go to WAIT (0) or HARD_RESET (1)")

    def _outputs(self, length: int) -> BusWords:
        """Whole messages if their lengths fit; else what there is, cut to length or filled with zeros."""
        found = self._board.outbox.take(length // 2) if length % 2 == 0 else None
        if found is not None:
            return found
        self._board.note("message", f"axis read of {length} words: no waiting messages have this length together")
        words = np.zeros(length, np.uint32)
        at = 0
        while at < length:
            part = self._board.outbox.take_first()
            if part is None:
                break
            words[at : at + len(part)] = part[: length - at]
            at += len(part)
        return words
