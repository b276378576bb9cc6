"""What a terminal shows: progress of long runs and colour, unless it or its user wants neither."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from femtodriver import Femtodriver
from femtodriver.cli.progress import RunProgress, progress_for_terminal

pytest.importorskip("rich")
SLOW_CLOCK = """
import sys, time
from femtodriver.cli import main
seconds = iter(range(10 ** 6))
time.monotonic = lambda: float(next(seconds))
sys.exit(main())
"""


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard error is a terminal from now on. (In a fixture, pytest would take it back.)"""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_pipe_gets_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert progress_for_terminal() is None


def test_a_terminal_that_cannot_move_its_cursor_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    assert isinstance(progress_for_terminal(), RunProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert progress_for_terminal() is None


def test_progress_shows_up_late_and_is_wiped(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    terminal = on_terminal(monkeypatch)
    show = RunProgress()
    for done in range(1, 31):
        clock[0] += 0.125
        before = terminal.getvalue()
        show("fqir", done, 30)
        assert (terminal.getvalue() != before) is (done >= 9), done
    shown = terminal.getvalue()
    assert "frame 9 of 30" in shown
    assert "frame 29 of 30" in shown
    assert shown.endswith("\x1b[2K")
    assert "fqir" in shown


def test_frames_without_a_known_end_are_counted(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    terminal = on_terminal(monkeypatch)
    show = RunProgress()
    for done in (1, 2, 3):
        show("fqir", done, 0)
        clock[0] += 2
    assert "frame 3" in terminal.getvalue()
    assert "of 0" not in terminal.getvalue()
    show("fqir", 3, 3)
    assert terminal.getvalue().endswith("\x1b[2K")


def test_short_runs_show_nothing(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    terminal = on_terminal(monkeypatch)
    show = RunProgress()
    for runner in ("fqir", "fasmir"):
        for done in (1, 2, 3):
            clock[0] += 0.2
            show(runner, done, 3)
    assert terminal.getvalue() == ""


def test_an_interrupted_run_wipes_its_line(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    terminal = on_terminal(monkeypatch)
    show = RunProgress()
    for done in (1, 2):
        show("fqir", done, 9)
        clock[0] += 2
    assert "frame 2 of 9" in terminal.getvalue()
    show.stop()
    show.stop()
    assert terminal.getvalue().endswith("\x1b[2K")


def shown_on_terminal(words: list[str], folder: Path, **environment: str) -> bytes:
    """All that a command writes to a terminal, of standard output and standard error."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(words, cwd=folder, stdout=theirs, stderr=theirs, env={**os.environ, **environment})
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert running.wait(timeout=60) == 0
    return shown


@pytest.mark.slow
def test_a_long_run_on_a_terminal_shows_progress_and_colour(here: Path) -> None:
    words = [sys.executable, "-c", SLOW_CLOCK, "LOOPBACK", "--runners", "fqir,fasmir", "--n-frames", "9"]
    shown = shown_on_terminal(words, here)
    assert re.search(rb"\x1b\[32mfqir = fasmir, 9 frames, bit-exact\x1b\[0m", shown)
    assert b"frame 5 of 9" in shown


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_plain_text_for_those_who_want_it(here: Path, environment: dict[str, str]) -> None:
    words = [sys.executable, "-m", "femtodriver", "LOOPBACK", "--runners", "fqir,fasmir"]
    shown = shown_on_terminal(words, here, **environment)
    assert b"fqir = fasmir, 8 frames, bit-exact" in shown
    assert b"\x1b" not in shown


def test_a_long_verdict_is_not_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = Terminal()
    monkeypatch.setattr(sys, "stdout", made)
    text = "fqir != dummy: [red] output 'y' " + "very long " * 40
    Femtodriver().print_comparison_results({"pass": False, "status_str": text})
    assert made.getvalue() == f"\x1b[31m{text}\x1b[0m\n"
