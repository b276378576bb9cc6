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
from femtodriver.device.redis.list_users import DRIVER_NAME, foreign_drivers
from femtodriver.device.redis.redis_server import LOCAL, RedisServer, connect, is_refusal, redis_errors
from femtodriver.device.redis.requests import HOST_WAIT, REPLIES, REQUESTS, header, numbers
from femtodriver.device.redis.single_owner import CLIENT_SIDE, DRIVER, Claim, claim_keys, in_use_by
from femtodriver.device.timeouts import Timeouts
from femtodriver.device.transport import LinkLostError, Transport
from femtodriver.errors import DeviceError
from femtodriver.program.bus.transactions import end_address

_BATCH = 1024
_log = logging.getLogger(__name__)


def make_link(request: LinkRequest) -> RedisLink:
    """The maker of boards behind a redis server. UsageError for an address that is not HOST[:PORT]."""
    server = None if request.address is None else parse_endpoint(request.address, redis_port())
    return RedisLink(server, request.timeouts, request.encrypted)


class RedisLink(Transport):
    """Requests and replies as lists on a redis server.

    ``address`` (host, port): a running server; None: this user's, started if need be and stopped again at the end.
    ``encrypted``: told to the client side, whose fast loading knows plain images only.

    One driver at a time: see ``single_owner``. A DeviceError says so to the second one, or to one that has lost the
    board while it was silent.
    """

    def __init__(self, address: tuple[str, int] | None, timeouts: Timeouts, encrypted: bool = False) -> None:
        self._server = None if address else RedisServer()
        self.address = address or (LOCAL, self._server.port if self._server else 0)
        super().__init__(f"redis {endpoint_text(*self.address)}", timeouts)
        self._encrypted = encrypted
        self._client: Any = None
        self._claim: Claim | None = None
        self._errors: tuple[type[Exception], ...] = (OSError,)

    def wait(self, cycles: int, seconds: float) -> None:
        """Advance the simulator's clock."""
        self.write("host", HOST_WAIT, HOST_WAIT + 1, 1, [cycles])

    def _open(self) -> None:
        self._errors = redis_errors()
        timeout = self.timeouts.connect
        if self._server:
            self._client = self._server.start(timeout, DRIVER_NAME)
        else:
            self._client = connect(*self.address, timeout, DRIVER_NAME)
        keys = {
            "client_shutdown": 0,
            "client_freerunning": 0,
            "client_encrypted": int(self._encrypted),
            "client_fast_mem_programming": int(not self._encrypted),
        }
        try:
            if self._server and self._server.started:
                self._client.flushdb()
            self._take_over()
            # Another's server keeps what is not ours.
            self._client.delete(REQUESTS, REPLIES)
            self._client.mset(keys)
        except self._errors as error:
            raise self._lost("open", error) from None

    def _take_over(self) -> None:
        """Claim the server. DeviceError when another driver is at work there."""
        claim = Claim(self._client, DRIVER)
        claim.acquire(self.name)
        self._claim = claim
        if not self._client.exists(claim_keys(CLIENT_SIDE)[0]):
            return  # with another client side nobody could tell it from a driver
        others = list(foreign_drivers(self._client).values())
        if others:
            raise DeviceError(f"{self.name}: {in_use_by(DRIVER, others[0])}")

    def _close(self) -> None:
        client, self._client = self._client, None
        claim, self._claim = self._claim, None
        if client is not None:
            with contextlib.suppress(*self._errors):
                if claim is not None and claim.renew():
                    client.set("client_shutdown", 1)
                    claim.release()
            client.close()
        if self._server:
            self._server.stop()

    def _write(self, target: str, start: int, words: BusWords) -> None:
        end = end_address(target, start, len(words))
        elements = header(True, target, start, end, len(words)) + words.tolist()
        self._ask(elements, f"a write of {len(words)} words to {target}", empty="")

    def _read(self, target: str, start: int, length: int) -> BusWords:
        where = f"the {target} read of {length} words from {start:#x}"
        # Unsolicited words would be taken for the answer.
        self._ask(header(False, target, start, end_address(target, start, length), length), where, empty=REPLIES)
        deadline = time.monotonic() + self.timeouts.io
        found: list[int] = []
        while len(found) < length:
            some = self._some_of_the_reply(where, length, len(found), deadline)
            found += numbers(some, f"{self.name}: {where}")
        return np.array(found, np.uint32)

    def _ask(self, elements: list[int], where: str, empty: str) -> None:
        try:
            waiting = self._claimed().write(REQUESTS, elements, empty)
        except self._errors as error:
            raise self._lost(where, error) from None
        if waiting < 0:
            raise self._no_longer_ours(where)
        if waiting:
            raise DeviceError(f"{self.name}: before {where}: expected no words on `reply`, got {waiting}.")

    def _some_of_the_reply(self, where: str, wanted: int, got: int, deadline: float) -> list[str]:
        """At least one element, and all that are there; none of them is anybody else's."""
        told = False
        try:
            while True:
                ready = self._claimed().take(REPLIES, min(wanted - got, _BATCH))
                if ready is None:
                    raise self._no_longer_ours(where)
                if ready:
                    return ready
                left = deadline - time.monotonic()
                if left <= 0:
                    raise DeviceError(
                        f"{self.name}: {where}: no answer within {self.timeouts.io:g} s; expected {wanted} words, "
                        f"got {got}. {self._client_side()}"
                    )
                if not told and self.timeouts.io - left > self.timeouts.connect:
                    _log.warning("%s: %s: still no answer. %s", self.name, where, self._client_side())
                    told = True
                self._wait_for_reply(min(left, self.timeouts.connect / 2))
        except self._errors as error:
            raise self._lost(where, error) from None

    def _wait_for_reply(self, seconds: float) -> None:
        """Until there is something, or the time is over. It stays where it is: whose it is has yet to be seen."""
        # Shorter than the socket's own timeout, so that the server answers first.
        self._client.blmove(REPLIES, REPLIES, seconds, "LEFT", "LEFT")

    def _claimed(self) -> Claim:
        if self._claim is None:
            raise DeviceError(f"{self.name}: the link is not open.")
        return self._claim

    def _no_longer_ours(self, where: str) -> DeviceError:
        return DeviceError(
            f"{self.name}: {where}: another driver has used the board meanwhile, or emptied the server's database; "
            "reset to start again, when it has finished."
        )

    def _client_side(self) -> str:
        running = self._client.get("client_running") or "none"
        return f"The client side that says it is running: {running:.60}."

    def _lost(self, where: str, error: Exception) -> DeviceError:
        refused = is_refusal(error)
        kind, what = (DeviceError, "the server refused it") if refused else (LinkLostError, "the server was lost")
        return kind(f"{self.name}: {where}: {what}: {str(error).rstrip('.')}.")
