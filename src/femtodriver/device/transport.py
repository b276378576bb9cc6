"""The one interface to every board: 32-bit words to and from four targets.

Life cycle of a transport, whatever is at its other end:

1. construct: address and timeouts are kept, nothing is opened
2. ``open()``: connect; possible again after ``close()`` and after a failure
3. ``write(target, start, end, length, words)`` and ``read(target, start, end, length)``, in any order;
   ``wait`` and ``settle`` between them let the board work
4. ``close()``: release everything; may be called twice

``with transport:`` is steps 2 and 4. A DeviceError in step 3 closes the link, because nobody knows which answers are
still under way; every further transfer is refused with that reason until ``open()`` makes a new one.

======== ============================================================ ==========================
target   what it reaches                                              ``end``
======== ============================================================ ==========================
apb      core registers (32 bits) and memories (64 bits as two words) ``start + 4 * length``
axis     messages in and out; ``start`` is 0                          ``start``
spu_top  chip-level registers                                         ``start + 4 * length``
host     the carrier board or simulator itself                        ``start + 1``
======== ============================================================ ==========================

``length`` counts 32-bit words. For an axis read it includes the headers, two words per message.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords
from femtodriver.device.timeouts import Timeouts
from femtodriver.errors import DeviceError, UsageError
from femtodriver.program.bus.transactions import SPACES, end_address

GOOD_OUTPUT = 0x1F
"""Status in the header of a good output message."""
Self = TypeVar("Self", bound="Transport")


class LinkLostError(DeviceError):
    """The link was cut, or the board fell silent: what has come so far is right, the rest is missing."""


class BoardBusyError(DeviceError):
    """Another client has the board."""


class Transport(ABC):
    """A link to one board; see the life cycle above.

    ``name`` is what messages call the link; ``is_fake``: nothing is behind it, every answer is made up.
    """

    name: str
    is_fake = False

    def __init__(self, name: str, timeouts: Timeouts) -> None:
        self.name = name
        self.timeouts = timeouts
        self._is_open = False
        self._failure = ""

    @property
    def is_open(self) -> bool:
        """Whether transfers are possible."""
        return self._is_open

    def open(self) -> None:
        """Connect, if the link is not open yet. DeviceError when that is not possible."""
        if self._is_open:
            return
        self._failure = ""
        try:
            self._open()
        except DeviceError:
            self._close()
            raise
        self._is_open = True

    def refresh(self) -> None:
        """As ``open``; a link whose other side has gone is opened again."""
        if self._is_open and not self._alive():
            self.close()
        self.open()

    def close(self) -> None:
        """Release everything; may be called twice."""
        self._is_open = False
        self._close()

    def write(self, target: str, start: int, end: int, length: int, words: npt.ArrayLike) -> None:
        """Send ``length`` words.

        UsageError for arguments that contradict each other; DeviceError, naming what was expected, for a failed link.
        """
        values = np.asarray(words, dtype=np.uint32).ravel()
        self._check(target, start, end, length)
        if len(values) != length:
            raise UsageError(f"{self.name}: a write of length {length} must have as many words, not {len(values)}.")
        try:
            self._write(target, start, values)
        except DeviceError as error:
            self._fail(error)
            raise

    def read(self, target: str, start: int, end: int, length: int) -> BusWords:
        """Ask for ``length`` words: uint32 array of that shape; for axis empty when no message of that size waits.

        UsageError for arguments that contradict each other; DeviceError, naming what was expected, for a failed link.
        """
        self._check(target, start, end, length)
        try:
            return self._read(target, start, length)
        except DeviceError as error:
            self._fail(error)
            raise

    def wait(self, cycles: int, seconds: float) -> None:
        """Let the board work: boards get ``seconds`` of time, simulators ``cycles`` of their clock."""
        time.sleep(seconds)

    def settle(self, cycles: int, seconds: float) -> None:
        """As ``wait``, where silicon needs the time but something simulated does not."""
        self.wait(cycles, seconds)

    def execution_time_us(self) -> int:
        """Microseconds that the board measured for the last frame; -1 when it cannot tell."""
        return -1

    def __enter__(self: Self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, target: str, start: int, end: int, length: int) -> None:
        if target not in SPACES:
            raise UsageError(f"{self.name}: the target must be one of {', '.join(SPACES)}, not {target!r}.")
        if length < 1 or start < 0 or end != end_address(target, start, length):
            raise UsageError(
                f"{self.name}: a transfer to {target} must have a length from 1 and fitting addresses, "
                f"not length {length} from {start:#x} to {end:#x}."
            )
        if target in ("apb", "spu_top") and start % 4:
            raise UsageError(f"{self.name}: an address of {target} must be a multiple of 4, not {start:#x}.")
        if target == "axis" and (start or length % 2):
            raise UsageError(f"{self.name}: a message must have the address 0 and whole 64-bit words.")
        if not self._is_open:
            reason = f"closed after a failure ({self._failure})" if self._failure else "not open"
            raise DeviceError(f"{self.name}: the link is {reason}; open it (or reset the runner) first.")

    def _fail(self, error: DeviceError) -> None:
        self._failure = str(error)
        self.close()

    def _alive(self) -> bool:
        """Whether the open link still has another side, and nothing unasked for has come from it."""
        return True

    @abstractmethod
    def _open(self) -> None:
        """Connect; ``_close`` is called if this fails."""

    @abstractmethod
    def _close(self) -> None:
        """Release what is held; the link may be in any state."""

    @abstractmethod
    def _write(self, target: str, start: int, words: BusWords) -> None:
        """Send the words; everything is checked."""

    @abstractmethod
    def _read(self, target: str, start: int, length: int) -> BusWords:
        """Ask and receive; everything is checked."""
