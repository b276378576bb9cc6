"""How far a long run is, on a terminal. The package rich draws it, and is loaded when there is something to show."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_QUIET_S = 1.0
_EVERY_S = 0.1


class RunProgress:
    """Shows nothing in the first second of a runner, then one line that is wiped at the end. Call it for each frame.

    ``unit``: what is counted, if not frames.
    """

    def __init__(self, unit: str = "frame") -> None:
        self._unit = unit
        self._runner = ""
        self._next = 0.0
        self._shown: Progress | None = None

    def __call__(self, runner: str, done: int, frames: int) -> None:
        """Runner ``runner`` has done so many of its frames; 0 frames: nobody knows how many there will be."""
        now = time.monotonic()
        if runner != self._runner or done == 1:
            self.stop()
            self._runner, self._next = runner, now + _QUIET_S
        if done == frames:
            self.stop()
        elif now >= self._next:
            self._next = now + _EVERY_S
            if self._shown is None:
                self._shown = _started(runner, self._unit, frames)
            self._shown.update(self._shown.task_ids[0], completed=done, refresh=True)

    def stop(self) -> None:
        """Wipe the line, if there is one."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None


def progress_for_terminal(unit: str = "frame") -> RunProgress | None:
    """What shows the progress of runners on standard error; None where that is no terminal, or one that cannot."""
    return RunProgress(unit) if sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown") else None


def _started(runner: str, unit: str, frames: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn(f"{unit} {{task.completed}}" + (" of {task.total}" if frames else ""), markup=False),
        *((TimeRemainingColumn(),) if frames else ()),
    )
    # Drawn by the calls alone: no thread of its own, and nothing after the last frame.
    shown = Progress(*columns, console=Console(file=sys.stderr), transient=True, auto_refresh=False)
    shown.add_task(runner, total=frames or None)
    shown.start()
    return shown
