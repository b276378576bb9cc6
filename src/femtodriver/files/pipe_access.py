"""Reading and writing pipes without being stuck in them: whoever waits looks now and then whether it should go on."""

from __future__ import annotations

import os
import select
from collections.abc import Callable

_LOOK_S = 0.1
# Elsewhere select() knows sockets only, and a signal has to wait for the next bytes.
_CAN_LOOK = os.name == "posix"
# What fits into a pipe that says it has room, whatever else is in it (POSIX); more could block.
_AT_ONCE = getattr(select, "PIPE_BUF", 512)


def read_some(descriptor: int, most: int, given_up: Callable[[], bool]) -> bytes | None:
    """The next bytes as soon as there are any, ``most`` at most; b"" at the end, None when ``given_up`` says so."""
    while _CAN_LOOK and not select.select([descriptor], [], [], _LOOK_S)[0]:
        if given_up():
            return None
    return os.read(descriptor, most)


def write_all_of(descriptor: int, content: bytes, given_up: Callable[[], bool]) -> None:
    """Write the bytes, at once. BrokenPipeError if the reader has gone; returns early when ``given_up`` says so."""
    rest = memoryview(content)
    while rest:
        if not _CAN_LOOK or select.select([], [descriptor], [], _LOOK_S)[1]:
            rest = rest[os.write(descriptor, rest[:_AT_ONCE]) :]
        elif given_up():
            return
