"""Boards that are not there: writes are swallowed, reads get made-up words."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords
from femtodriver.device.redis.redis_link import RedisLink
from femtodriver.device.redis.simulator_side import RedisPeer
from femtodriver.device.transport import Timeouts, Transport
from femtodriver.errors import DeviceError, InputError

FILL = 0x76543210
"""What every word is without a list of values: 16-bit elements are 12816, 30292, 12816, ..."""
GOOD = 0x1F
Layout = tuple[tuple[int, int], ...]


class FakeWords:
    """The answers of a fake board.

    ``values``: 32-bit words; every read gets them from their beginning, cut or filled with zeros; None: ``FILL``.
    ``layout``: (mailbox, payload in 64-bit words) of each output. An axis read of just these outputs has a header per
    output, and the values run on from payload to payload; any other has one header, of mailbox 0.
    """

    def __init__(self, values: npt.ArrayLike | None = None, layout: Layout = ()) -> None:
        self._values = None if values is None else checked_values(values)
        self._layout = layout

    def read(self, target: str, start: int, length: int) -> BusWords:
        """Exactly ``length`` words."""
        if target != "axis":
            return self._filled(length)
        layout = self._layout
        if length != sum(2 * (words + 1) for _, words in layout):
            layout = ((0, length // 2 - 1),)
        payload = self._filled(sum(2 * words for _, words in layout))
        parts: list[BusWords] = []
        first = 0
        for mailbox, words in layout:
            parts += [np.array([GOOD, mailbox], np.uint32), payload[first : first + 2 * words]]
            first += 2 * words
        return np.concatenate(parts)

    def write(self, target: str, start: int, words: BusWords) -> None:
        """Nothing happens."""

    def _filled(self, length: int) -> BusWords:
        if self._values is None:
            return np.full(length, FILL, np.uint32)
        found = np.zeros(length, np.uint32)
        found[: len(self._values)] = self._values[:length]
        return found


def checked_values(values: npt.ArrayLike, where: str = "fake values") -> BusWords:
    """A 1-D list of whole numbers as uint32 words (negative ones as two's complement); else InputError."""
    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise InputError(f"{where}: must be a 1-D array of integers, not {found.ndim}-D of {found.dtype}.")
    if found.size and not (int(found.min()) >= -(1 << 31) and int(found.max()) < 1 << 32):
        raise InputError(f"{where}: must be words of 32 bits, not {int(found.min())} to {int(found.max())}.")
    return (found.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)


class FakeLink(Transport):
    """A fake board without any network (``fakezynq``)."""

    ready_always = True

    def __init__(self, words: FakeWords, timeouts: Timeouts) -> None:
        super().__init__("fakezynq", timeouts)
        self._words = words

    def wait(self, cycles: int, seconds: float) -> None:
        """Nothing is there to wait for."""

    def _open(self) -> None:
        """Nothing to connect to."""

    def _close(self) -> None:
        """Nothing is held."""

    def _write(self, target: str, start: int, words: BusWords) -> None:
        self._words.write(target, start, words)

    def _read(self, target: str, start: int, length: int) -> BusWords:
        return self._words.read(target, start, length)


class FakeRedisLink(RedisLink):
    """A redis server with a fake client side, in a thread of ours (``fakeredis``)."""

    ready_always = True

    def __init__(
        self, address: tuple[str, int] | None, words: FakeWords, timeouts: Timeouts, encrypted: bool = False
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
        self._thread = threading.Thread(target=self._serve, name="fakeredis", daemon=True)
        self._thread.start()
        if not self._ready.wait(self.timeouts.connect):
            raise DeviceError(f"{self.name}: the fake client side did not start. {' '.join(self._notes)}")

    def _serve(self) -> None:
        peer = RedisPeer(*self.address, "fakeredis", self._words, self._notes.append, self.timeouts.connect)
        try:
            peer.serve(self._stop, self._ready.set)
        except DeviceError as error:
            self._notes.append(str(error))

    def _close(self) -> None:
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(self.timeouts.connect)
        super()._close()


def output_layout(outputs: Sequence[tuple[int, int]]) -> Layout:
    """(mailbox, words) of the outputs, in the order in which a fake board sends them: by mailbox."""
    return tuple(sorted(outputs))
