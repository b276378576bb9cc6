"""The link to an RTL simulator, or any other client side, through a redis server."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Any

import numpy as np

from femtodriver.arrays import BusWords
from femtodriver.device.addresses import endpoint_text, parse_endpoint, redis_port
from femtodriver.device.link_request import LinkRequest
from femtodriver.device.redis.redis_server import LOCAL, RedisServer, connect, redis_errors
from femtodriver.device.redis.requests import HOST_WAIT, REPLIES, REQUESTS, header, numbers
from femtodriver.device.timeouts import Timeouts
from femtodriver.device.transport import Transport
from femtodriver.errors import DeviceError
from femtodriver.program.bus.recording import end_address

_BATCH = 1024
_log = logging.getLogger(__name__)


def make_link(request: LinkRequest) -> RedisLink:
    """The maker of boards behind a redis server. UsageError for an address that is no HOST[:PORT]."""
    server = None if request.address is None else parse_endpoint(request.address, redis_port())
    return RedisLink(server, request.timeouts, request.encrypted)


class RedisLink(Transport):
    """Requests and replies as lists on a redis server.

    ``address`` (host, port): a running server; None: this user's, started if need be and stopped again at the end.
    ``encrypted``: told to the client side, whose fast loading knows plain images only.
    """

    def __init__(self, address: tuple[str, int] | None, timeouts: Timeouts, encrypted: bool = False) -> None:
        self._server = None if address else RedisServer()
        self.address = address or (LOCAL, self._server.port if self._server else 0)
        super().__init__(f"redis {endpoint_text(*self.address)}", timeouts)
        self._encrypted = encrypted
        self._client: Any = None
        self._errors: tuple[type[Exception], ...] = (OSError,)

    def wait(self, cycles: int, seconds: float) -> None:
        """Advance the simulator's clock."""
        self.write("host", HOST_WAIT, HOST_WAIT + 1, 1, [cycles])

    def _open(self) -> None:
        self._errors = redis_errors()
        timeout = self.timeouts.connect
        self._client = self._server.start(timeout) if self._server else connect(*self.address, timeout)
        keys = {
            "client_shutdown": 0,
            "client_freerunning": 0,
            "client_encrypted": int(self._encrypted),
            "client_fast_mem_programming": int(not self._encrypted),
        }
        try:
            if self._server and self._server.started:
                self._client.flushdb()
            # Another's server keeps what is not ours.
            self._client.delete(REQUESTS, REPLIES)
            self._client.mset(keys)
        except self._errors as error:
            raise self._lost("open", error) from None

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*self._errors):
                client.set("client_shutdown", 1)
            client.close()
        if self._server:
            self._server.stop()

    def _write(self, target: str, start: int, words: BusWords) -> None:
        end = end_address(target, start, len(words))
        elements = header(True, target, start, end, len(words)) + words.tolist()
        self._push(elements, f"a write of {len(words)} words to {target}")

    def _read(self, target: str, start: int, length: int) -> BusWords:
        where = f"the {target} read of {length} words from {start:#x}"
        self._check_quiet(where)
        self._push(header(False, target, start, end_address(target, start, length), length), where)
        deadline = time.monotonic() + self.timeouts.io
        found: list[int] = []
        while len(found) < length:
            found += numbers(
                self._pop(where, length - len(found), deadline, len(found), length), f"{self.name}: {where}"
            )
        return np.array(found, np.uint32)

    def _push(self, elements: list[int], where: str) -> None:
        try:
            self._client.rpush(REQUESTS, *elements)
        except self._errors as error:
            raise self._lost(where, error) from None

    def _pop(self, where: str, most: int, deadline: float, got: int, wanted: int) -> list[str]:
        """At least one element of the reply, at most so many."""
        told = False
        try:
            ready = self._client.lpop(REPLIES, min(most, _BATCH))
            while not ready:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise DeviceError(
                        f"{self.name}: {where}: no answer within {self.timeouts.io:g} s; expected {wanted} words, "
                        f"got {got}. {self._client_side()}"
                    )
                if not told and self.timeouts.io - left > self.timeouts.connect:
                    _log.warning("%s: %s: still no answer. %s", self.name, where, self._client_side())
                    told = True
                # Shorter than the socket's own timeout, so that the server answers first.
                popped = self._client.blpop([REPLIES], timeout=min(left, self.timeouts.connect / 2))
                ready = [popped[1]] if popped else []
        except self._errors as error:
            raise self._lost(where, error) from None
        found: list[str] = ready
        return found

    def _check_quiet(self, where: str) -> None:
        """Words that nobody asked for would be taken for the answer to the next request."""
        try:
            waiting = self._client.llen(REPLIES)
        except self._errors as error:
            raise self._lost(where, error) from None
        if waiting:
            raise DeviceError(f"{self.name}: before {where}: expected no words on `reply`, got {waiting}.")

    def _client_side(self) -> str:
        running = self._client.get("client_running") or "none"
        return f"The client side that says it is running: {running:.60}."

    def _lost(self, where: str, error: Exception) -> DeviceError:
        return DeviceError(f"{self.name}: {where}: the server was lost: {str(error).rstrip('.')}.")
