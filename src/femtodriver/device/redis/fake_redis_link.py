"""A redis server with a fake client side, in a thread of this process."""

from __future__ import annotations

import threading

from femtodriver.device.addresses import parse_endpoint, redis_port
from femtodriver.device.fake.made_up_words import MadeUpWords
from femtodriver.device.link_request import LinkRequest
from femtodriver.device.redis.redis_link import RedisLink
from femtodriver.device.redis.simulator_side import RedisPeer
from femtodriver.device.timeouts import Timeouts
from femtodriver.errors import DeviceError

NAME = "fakeredis"


def make_link(request: LinkRequest) -> FakeRedisLink:
    """The maker of the fake boards behind a redis server. UsageError for an address that is not HOST[:PORT]."""
    server = None if request.address is None else parse_endpoint(request.address, redis_port())
    return FakeRedisLink(server, MadeUpWords.of(request), request.timeouts, request.encrypted)


class FakeRedisLink(RedisLink):
    """As ``RedisLink``, with the client side in a thread of ours."""

    is_fake = True

    def __init__(
        self, address: tuple[str, int] | None, words: MadeUpWords, timeouts: Timeouts, encrypted: bool = False
    ) -> None:
        super().__init__(address, timeouts, encrypted)
        self._words = words
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._notes: list[str] = []

    def _open(self) -> None:
        super()._open()
        self._stop.clear()
        self._ready.clear()
        self._notes.clear()
        self._thread = threading.Thread(target=self._serve, name=NAME, daemon=True)
        self._thread.start()
        if not self._ready.wait(self.timeouts.connect):
            raise DeviceError(f"{self.name}: the fake client side did not start. {' '.join(self._notes)}")

    def _serve(self) -> None:
        peer = RedisPeer(*self.address, NAME, self._words, self._noted, self.timeouts.connect)
        try:
            peer.serve(self._stop, self._ready.set)
        except DeviceError as error:
            self._notes.append(str(error))

    def _noted(self, kind: str, text: str) -> None:
        self._notes.append(text)

    def _close(self) -> None:
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(self.timeouts.connect)
        super()._close()
