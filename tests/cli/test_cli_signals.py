"""Ctrl-C, readers that go away, and progress on a terminal."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from femtodriver.arrays import BusWords
from femtodriver.cli import main, terminal_driver
from femtodriver.cli.progress import RunProgress
from tests.board_bench import board_here

pytestmark = pytest.mark.slow

LONG = "1000000"


@pytest.fixture
def long_run(here: Path, spotter: str) -> Iterator[subprocess.Popen[str]]:
    """A run that takes minutes, in a process of its own, as it begins with its first runner."""
    words = [spotter, "--runners", "fqir,fasmir", "--n-frames", LONG]
    running = subprocess.Popen(
        [sys.executable, "-u", "-m", "femtodriver", *words],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if "core 1" in line:
                break
        yield running
    finally:
        running.kill()
        running.communicate()


@pytest.mark.parametrize(
    ("name", "status", "reason"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "ended by SIGTERM")]
)
def test_a_run_that_is_stopped_leaves_what_it_did_as_such(
    here: Path, long_run: subprocess.Popen[str], name: str, status: int, reason: str
) -> None:
    time.sleep(0.3)
    long_run.send_signal(getattr(signal, name))
    out, err = long_run.communicate(timeout=30)
    assert long_run.returncode == status
    told = re.fullmatch(
        f"femtodrive: frames ([0-9,]+) of 1,000,000, {reason}; what was done so far was written as such.\n", err
    )
    assert told is not None, err
    assert f"partial: frames {told[1]} of 1,000,000, {reason}" in out
    folder = here / "model_datas" / "keyword_spotter"
    done = int(told[1].replace(",", ""))
    assert yaml.safe_load((folder / "partial.yaml").read_text())["runners"] == {"fqir": done}
    for file in ("inputs", "fqir"):
        with np.load(folder / "outputs" / f"{file}.npz") as archive:
            assert {len(archive[key]) for key in archive.files if not key.startswith("quanta")} == {done}


@pytest.mark.parametrize("answers", [True, False])
def test_a_run_on_a_board_leaves_what_it_did_as_such(
    here: Path, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the board goes on, or has fallen silent after some frames."""
    with board_here() as server:
        message, many = server.board.message, threading.Event()

        def counted(words: BusWords) -> None:
            if server.board.frames >= 5:
                many.set()
            if answers or server.board.frames < 5:
                message(words)

        monkeypatch.setattr(server.board, "message", counted)
        board = ["--hardware", "zynq", "--zynq-host", server.endpoint, "--n-frames", LONG]
        command = [sys.executable, "-u", "-m", "femtodriver", "LOOPBACK", "--runners", "hw,fqir", *board]
        running = subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert many.wait(60)
            running.send_signal(signal.SIGINT)
            _, err = running.communicate(timeout=30)
        finally:
            running.kill()
            running.communicate()
    assert running.returncode == 130
    told = re.fullmatch(
        "femtodrive: frames ([0-9,]+) of 1,000,000, interrupted; what was done so far was written as such.\n", err
    )
    assert told is not None, err
    done = int(told[1].replace(",", ""))
    assert done >= 5 if answers else done == 5
    folder = here / "model_datas" / "LOOPBACK"
    with np.load(folder / "outputs" / "hardware.npz") as outputs, np.load(folder / "outputs" / "inputs.npz") as inputs:
        np.testing.assert_array_equal(outputs["%x.4"], inputs["x"])
        assert len(inputs["x"]) == done
    assert yaml.safe_load((folder / "partial.yaml").read_text()) == {
        "schema": "femtodriver-partial/1",
        "frames": done,
        "planned": 1000000,
        "reason": "interrupted",
        "runners": {"hardware": done},
    }
    assert main(["LOOPBACK"]) == 0
    assert not (folder / "partial.yaml").exists()


WHILE_WRITING = """
import os, signal, sys
from femtodriver.cli import main
from femtodriver.output import atomic_folder
number = getattr(signal, sys.argv.pop(1))
atomic_folder._sync = lambda folder: os.kill(os.getpid(), number)
sys.exit(main())
"""


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_signals_that_end_us_leave_nothing_behind(here: Path, name: str, status: int) -> None:
    command = [sys.executable, "-c", WHILE_WRITING, name, "LOOPBACK"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (
        status,
        f"femtodrive: ended by {name}; nothing was left half written.\n",
    )
    assert list(here.iterdir()) == []


def ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_a_run_that_ignores_the_hangup_goes_on(here: Path) -> None:
    command = [sys.executable, "-c", WHILE_WRITING, "SIGHUP", "LOOPBACK"]
    done = subprocess.run(
        command,
        cwd=here,
        capture_output=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert done.returncode == 0
    assert (here / "model_datas" / "LOOPBACK").is_dir()


def test_ctrl_c_leaves_the_files_of_an_earlier_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["LOOPBACK"]) == 0
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}

    def interrupt(self: object, *step: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RunProgress, "__call__", interrupt)
    monkeypatch.setattr(terminal_driver, "progress_for_terminal", RunProgress)
    assert main(["LOOPBACK", "--runners", "fasmir"]) == 130
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_a_reader_that_goes_away_is_no_fault_of_ours(here: Path) -> None:
    words = [sys.executable, "-m", "femtodriver", "LOOPBACK", "--runners", "fqir"]
    running = subprocess.Popen(words, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    assert running.stderr.read() == ""
    running.stderr.close()
    assert running.wait(timeout=60) in (0, 141)


FULL = "femtodrive: error: standard output: cannot be written: No space left on device; give it another place.\n"


@pytest.mark.parametrize("words", [["LOOPBACK"], ["--help"], ["--version"], ["inspect", "model_datas/LOOPBACK"]])
def test_a_full_output_is_told_in_one_line(here: Path, words: list[str]) -> None:
    assert main(["LOOPBACK"]) == 0
    command = [sys.executable, "-m", "femtodriver", *words]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=here, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, FULL)


@pytest.mark.parametrize(
    ("command", "status"),
    [("LOOPBACK >&-", 0), ("--help >&-", 0), ("gone.pt 2>&-", 1), ("gone.pt 2>/dev/full", 1), ("LOOPBACK >&- 2>&-", 0)],
)
def test_closed_streams_are_no_error(here: Path, command: str, status: int) -> None:
    shell = f"{sys.executable} -m femtodriver {command}"
    done = subprocess.run(shell, shell=True, cwd=here, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (status, "", "")


def test_an_error_that_we_did_not_foresee_is_told_in_one_line(here: Path) -> None:
    script = (
        "import sys; from femtodriver.cli import main, command; import femtodriver.driver as d\n"
        "d.Femtodriver.main = lambda self, arguments: 1 / 0\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "LOOPBACK"], cwd=here, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "femtodrive: internal error: ZeroDivisionError: division by zero. Please report it, with what --debug shows.\n"
    )
