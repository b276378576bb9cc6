"""A board that is not there: writes are ignored, reads get made-up words."""

from __future__ import annotations

from femtodriver.arrays import BusWords
from femtodriver.device.fake.made_up_words import MadeUpWords
from femtodriver.device.link_request import LinkRequest
from femtodriver.device.timeouts import Timeouts
from femtodriver.device.transport import Transport


def make_link(request: LinkRequest) -> FakeLink:
    """The maker of the fake boards without any network."""
    return FakeLink(request.hardware, MadeUpWords.of(request), request.timeouts)


class FakeLink(Transport):
    """A fake board without any network."""

    is_fake = True

    def __init__(self, name: str, words: MadeUpWords, timeouts: Timeouts) -> None:
        super().__init__(name, timeouts)
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
