"""The client side of the redis protocol: takes requests from ``req`` and answers on ``reply``.

Life cycle: 1. construct, 2. ``serve(stop)`` until the event is set, 3. nothing to release: ``serve`` has done it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from femtodriver.arrays import BusWords
from femtodriver.device.redis.redis_server import connect, redis_errors
from femtodriver.device.redis.requests import HEADER_ELEMENTS, REPLIES, REQUESTS, Request, numbers, parse_header
from femtodriver.errors import DeviceError

MOST_WORDS = 1 << 18
"""Words of one request: more than any burst."""
_POLL_S = 0.1
# The words of a request follow at once; a sender that stops in the middle has gone.
_REST_S = 2.0
_BATCH = 4096


class Handler(Protocol):
    """What answers. Words are uint32."""

    def write(self, target: str, start: int, words: BusWords) -> None:
        """Take the words."""

    def read(self, target: str, start: int, length: int) -> BusWords:
        """Exactly ``length`` words."""


class RedisPeer:
    """Serves one redis server. ``note`` is told of everything that is against the protocol."""

    def __init__(
        self, host: str, port: int, name: str, handler: Handler, note: Callable[[str], None], timeout_s: float = 5.0
    ) -> None:
        self._address = (host, port)
        self._name = name
        self._handler = handler
        self._note = note
        self._timeout_s = timeout_s
        self._client: Any = None

    def serve(self, stop: threading.Event, ready: Callable[[], None] | None = None) -> None:
        """Answer requests until ``stop`` is set. DeviceError when there is no server, or it goes away."""
        errors = redis_errors()
        self._client = connect(*self._address, self._timeout_s)
        try:
            self._client.set("client_running", self._name)
            if ready is not None:
                ready()
            while not stop.is_set():
                self._serve_one()
        except errors as error:
            if not stop.is_set():
                raise DeviceError(f"redis: the server was lost: {str(error).rstrip('.')}.") from None
        finally:
            with contextlib.suppress(*errors):
                self._client.set("client_running", "none")
            self._client.close()

    def _serve_one(self) -> None:
        first = self._client.blpop([REQUESTS], timeout=_POLL_S)
        if not first:
            return
        try:
            elements = [first[1], *self._take(HEADER_ELEMENTS - 1)]
            request = parse_header(elements, MOST_WORDS)
            words = numbers(self._take(request.length), "request") if request.writes else []
        except DeviceError as error:
            # Nobody knows where the next request starts: what is there is dropped.
            self._note(str(error))
            self._client.delete(REQUESTS)
            return
        self._answer(request, words)

    def _answer(self, request: Request, words: list[int]) -> None:
        if request.writes:
            self._handler.write(request.target, request.start, np.array(words, np.uint32))
            return
        found = self._handler.read(request.target, request.start, request.length).tolist()
        for first in range(0, len(found), _BATCH):
            self._client.rpush(REPLIES, *found[first : first + _BATCH])

    def _take(self, count: int) -> list[str]:
        """Exactly so many elements; DeviceError when they do not come."""
        found: list[str] = []
        deadline = time.monotonic() + _REST_S
        while len(found) < count:
            found += self._client.lpop(REQUESTS, min(count - len(found), _BATCH)) or []
            if len(found) < count and time.monotonic() > deadline:
                raise DeviceError(f"request: expected {count} more elements, got {len(found)}.")
            if len(found) < count:
                time.sleep(1e-3)
        return found
