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
from femtodriver.device.addresses import endpoint_text
from femtodriver.device.redis.list_users import CLIENT_SIDE_NAME, drivers
from femtodriver.device.redis.redis_server import connect, is_refusal, redis_errors
from femtodriver.device.redis.requests import HEADER_ELEMENTS, REPLIES, REQUESTS, Request, numbers, parse_header
from femtodriver.device.redis.single_owner import CLIENT_SIDE, DRIVER, Claim, claim_keys
from femtodriver.errors import DeviceError

MOST_WORDS = 1 << 18
"""Words of one request: more than any burst."""
_POLL_S = 0.1
# The words of a request follow at once; a sender that stops in the middle has gone.
_REST_S = 2.0
_BATCH = 4096
_RENEW_S = 1.0


class Handler(Protocol):
    """What answers. Words are uint32."""

    def write(self, target: str, start: int, words: BusWords) -> None:
        """Take the words."""

    def read(self, target: str, start: int, length: int) -> BusWords:
        """Exactly ``length`` words."""

    def new_client(self) -> None:
        """Another driver begins: what the one before did not fetch is not for it."""

    def hard_reset(self) -> None:
        """Forget everything."""


class RedisPeer:
    """Serves one redis server, one driver at a time. ``note(kind, text)`` is told what is against the protocol.

    Drivers of this package claim the server (see ``single_owner``). Those of others are known by their connections:
    while two of them are at work, neither is answered, because nobody could tell whose request is whose.
    """

    def __init__(
        self,
        host: str,
        port: int,
        name: str,
        handler: Handler,
        note: Callable[[str, str], None],
        timeout_s: float = 5.0,
    ) -> None:
        self._address = (host, port)
        self._name = name
        self._handler = handler
        self._note = note
        self._timeout_s = timeout_s
        self._client: Any = None
        self._driver = ""
        self._renewed_s = 0.0

    def serve(self, stop: threading.Event, ready: Callable[[], None] | None = None) -> None:
        """Answer requests until ``stop`` is set.

        DeviceError when there is no server, when it goes away, or when another board of this package serves it.
        """
        errors = redis_errors()
        self._client = connect(*self._address, self._timeout_s, CLIENT_SIDE_NAME)
        try:
            claim = Claim(self._client, CLIENT_SIDE)
            try:
                self._begin(claim)
                if ready is not None:
                    ready()
                while not stop.is_set():
                    self._turn(claim, stop)
            finally:
                with contextlib.suppress(*errors):
                    if claim.renew():
                        self._client.set("client_running", "none")
                        claim.release()
        except errors as error:
            if not stop.is_set():
                what = "the server refused a command" if is_refusal(error) else "the server was lost"
                raise DeviceError(f"redis: {what}: {str(error).rstrip('.')}.") from None
        finally:
            self._client.close()

    def _begin(self, claim: Claim) -> None:
        claim.acquire(f"redis {endpoint_text(*self._address)}")
        self._client.set("client_running", self._name)
        self._renewed_s = time.monotonic()

    def _turn(self, claim: Claim, stop: threading.Event) -> None:
        try:
            if time.monotonic() - self._renewed_s > _RENEW_S:
                self._renewed_s = time.monotonic()
                if not claim.renew():  # somebody has emptied the database
                    self._begin(claim)
            self._serve_one()
        except redis_errors() as error:
            if not is_refusal(error):
                raise
            self._mend(error)
            stop.wait(_POLL_S)

    def _mend(self, error: Exception) -> None:
        """A key of the protocol that is no list is removed: anybody can write anything there."""
        for key in (REQUESTS, REPLIES):
            kind = self._client.type(key)
            if kind not in ("list", "none"):
                self._client.delete(key)
                self._note("protocol", f"the key `{key}` must be a list, not a {kind}; it was removed")
                return
        self._note("protocol", f"the server refused a command: {error}")

    def _serve_one(self) -> None:
        first = self._client.blpop([REQUESTS], timeout=_POLL_S)
        if not first:
            return
        try:
            rest, users = self._rest_of_header()
            request = parse_header([first[1], *rest], MOST_WORDS)
            words = numbers(self._take(request.length), "request") if request.writes else []
        except DeviceError as error:
            # Nobody knows where the next request starts: what is there is dropped.
            self._client.delete(REQUESTS)
            self._note("protocol", str(error))
            return
        if self._one_driver(users):
            self._answer(request, words)

    def _rest_of_header(self) -> tuple[list[str], dict[str, str]]:
        """The other elements of a header, and the drivers that were at work when they were taken; in one round trip."""
        pipe = self._client.pipeline(transaction=False)
        pipe.lpop(REQUESTS, HEADER_ELEMENTS - 1).client_list().get(claim_keys(DRIVER)[0])
        rest, rows, owner = pipe.execute(raise_on_error=False)
        for one in (rest, owner):
            if isinstance(one, Exception):
                raise one
        # Not every server lets everybody list its connections: then none is seen.
        users = drivers(self._client, [] if isinstance(rows, Exception) else rows, owner)
        return [*(rest or []), *self._take(HEADER_ELEMENTS - 1 - len(rest or []))], users

    def _one_driver(self, found: dict[str, str]) -> bool:
        """Whether a request can only be from one driver; if not, nobody's session goes on."""
        if len(found) > 1:
            self._client.delete(REQUESTS, REPLIES, *claim_keys(DRIVER))
            self._handler.hard_reset()
            self._driver = ""
            who = " and ".join(found.values())
            self._note("owner", f"{who} use the server at once; neither is answered, and the board is reset")
            return False
        driver = next(iter(found), self._driver)
        if driver != self._driver:
            self._handler.new_client()
            self._driver = driver
        return True

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
