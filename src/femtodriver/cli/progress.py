"""How far a long run is, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

_QUIET_S = 1.0
_EVERY_S = 0.1


def progress_for_terminal() -> Callable[[str, int, int], None] | None:
    """A function that shows the progress of runners on stderr; None where stderr is no terminal."""
    return _Progress() if sys.stderr.isatty() else None


class _Progress:
    """Shows nothing in the first second of a runner, then one line that is written over, and wiped at the end."""

    def __init__(self) -> None:
        self._runner = ""
        self._next = 0.0
        self._shown = False

    def __call__(self, runner: str, done: int, frames: int) -> None:
        now = time.monotonic()
        if runner != self._runner or done == 1:
            self._runner, self._next = runner, now + _QUIET_S
        if done == frames:
            self._wipe()
        elif now >= self._next:
            self._next, self._shown = now + _EVERY_S, True
            print(
                f"\r{runner}: frame {done} of {frames} ({100 * done // frames} %)", end="", file=sys.stderr, flush=True
            )

    def _wipe(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
