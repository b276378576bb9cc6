"""Going on after a cut link: the board is brought to the very state in which it was, and the run is as if never cut.

Nobody can know how much of a frame a board has done when the link is cut, nor whether it kept its memory. So it is
always reset and loaded anew, is given the last state that was saved, and runs the frames since then again. Their
outputs must be those that it gave before. Then the frame that was cut is run, and counted once.

A state is saved by reading it from the board every ``FRAMES_BETWEEN`` frames. Where that is not possible, or nobody has
seen that the board's memory can be read, all frames since the reset are run again, as long as there is room for their
inputs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol, TypeVar

from femtodriver.arrays import BusWords
from femtodriver.device.session.frame_exchange import Frames
from femtodriver.device.session.frame_messages import Values
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.device.transport import BoardBusyError, LinkLostError
from femtodriver.errors import DeviceError

FRAMES_BETWEEN = 100
"""From one saved state to the next: reading one is a small part of their traffic, running them again is quick."""
MOST_WORDS = 1 << 20
"""Words of inputs that are kept of frames after the last saved state."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
Made = TypeVar("Made")
_log = logging.getLogger(__name__)


class Restorable(Protocol):
    """What a run needs of a board to go on."""

    def load_again(self) -> None:
        """Open the link, reset the board, load the program. LinkLostError when the link cannot be had."""

    def saved_states(self) -> Values | None:
        """The states of the network, {} if it has none; None where they cannot be read and set."""

    def write_back(self, states: Values) -> None:
        """Set the states."""


@dataclass
class _Past:
    """What the board has done since a known state: ``states`` before frame number ``first`` ({}: those of the program),
    and for each frame since then its messages and a digest of its outputs. ``broken``: why they cannot be run again."""

    first: int = 0
    states: Values = field(default_factory=dict)
    frames: list[tuple[list[BusWords], bytes]] = field(default_factory=list)
    words: int = 0
    broken: str = ""


class ResumedFrames:
    """Frames on a board whose link may be cut: each is done once, or there is a DeviceError.

    ``tries``: how often in a row to connect again before a frame is done; 0: never.
    """

    def __init__(self, frames: Frames, recorder: Recorder, board: Restorable, tries: int) -> None:
        self._frames, self._recorder, self._board, self._tries = frames, recorder, board, tries
        self._past = _Past()
        self._messages: list[BusWords] = []
        self._tried = 0
        self._begun = 0  # transactions that were recorded before the frame

    def begin(self) -> None:
        """After a reset: the next frame is the first one."""
        self._past, self._tried = _Past(), 0
        self._frames.count = 0

    def spoil(self, why: str) -> None:
        """The board was changed in a way that nobody could repeat."""
        self._past.broken = self._past.broken or why

    def send(self, messages: list[BusWords]) -> None:
        """Begin a frame."""
        self._messages, self._begun = messages, self._recorder.position
        self._surely(self._send, self._send, self._begun)

    def receive(self, internals: Callable[[], Values]) -> tuple[Values, Values]:
        """End it; see ``Frames.receive``."""
        found = self._surely(lambda: self._frames.receive(internals), lambda: self._whole(internals), self._begun)
        self._tried = 0
        if self._tries:
            self._keep(found[0])
        return found

    def surely(self, action: Callable[[], Made]) -> Made:
        """Do something between two frames, again if the link is cut meanwhile."""
        try:
            return self._surely(action, action, self._recorder.position)
        finally:
            self._tried = 0

    def save(self) -> bool:
        """Remember the state in which the board is now; whether that was possible, and of any use."""
        if not self._tries:
            return False
        with self._recorder.paused():
            states = self._board.saved_states()
        if states is not None:
            self._past = _Past(self._frames.count, states, broken=self._past.broken)
        return states is not None

    def _send(self) -> None:
        if len(self._past.frames) >= FRAMES_BETWEEN:
            self.save()
        self._frames.send(self._messages)

    def _whole(self, internals: Callable[[], Values]) -> tuple[Values, Values]:
        self._send()
        return self._frames.receive(internals)

    def _keep(self, outputs: Values) -> None:
        past = self._past
        past.words += sum(len(message) for message in self._messages)
        past.frames.append((self._messages, _digest(outputs)))
        if past.words > MOST_WORDS:
            self.spoil(f"{len(past.frames)} frames would have to be run again, which are too many to be kept")
            past.frames.clear()

    def _surely(self, action: Callable[[], Made], again: Callable[[], Made], recorded: int) -> Made:
        """``action``, or after a cut link ``again``; then the recording goes on after so many transactions."""
        try:
            return action()
        except LinkLostError as error:
            lost: DeviceError = error
        while self._tries and not self._past.broken and self._tried < self._tries:
            pause = min(FIRST_PAUSE_S * 2**self._tried, LONGEST_PAUSE_S)
            self._tried += 1
            _log.warning("%s Connecting again in %.1f s, try %d of %d.", lost, pause, self._tried, self._tries)
            time.sleep(pause)
            self._recorder.rewind(recorded)
            try:
                self._restore()
                return again()
            except (LinkLostError, BoardBusyError) as error:
                lost = error
        raise self._given_up(lost)

    def _given_up(self, lost: DeviceError) -> DeviceError:
        if self._tries and self._past.broken:
            return DeviceError(f"{lost} The run cannot go on: {self._past.broken}.")
        return DeviceError(f"{lost} {self._tried} tries to go on have failed.") if self._tried else lost

    def _restore(self) -> None:
        past = self._past
        with self._recorder.paused():
            self._board.load_again()
            if past.states:
                self._board.write_back(past.states)
            self._frames.count = past.first
            for messages, digest in past.frames:
                self._frames.send(messages)
                if _digest(self._frames.receive(dict)[0]) != digest:
                    raise DeviceError(
                        f"{self._recorder.transport.name}: frame {self._frames.count - 1}, run again after a cut link: "
                        "its outputs must be those that the board gave before, and are not; test the board's memories "
                        "with integrity_check_all_memories."
                    )
        _log.warning(
            "%s: the link is back, and the run goes on with frame %d; %d frames were run again",
            self._recorder.transport.name,
            self._frames.count,
            len(past.frames),
        )


def _digest(outputs: Values) -> bytes:
    summed = blake2b(digest_size=16)
    for values in outputs.values():
        summed.update(values.tobytes())
    return summed.digest()
