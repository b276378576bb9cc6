"""Processes that work for us: what they say, how they end, and one that never begins."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType

import pytest

from femtodriver.worker_process import WorkerProcess, cores, packed

pytestmark = pytest.mark.slow


def echo(link: Connection) -> None:
    while True:
        link.send(link.recv())


def die(link: Connection) -> None:
    link.recv()
    os._exit(9)


def sleep(link: Connection) -> None:
    signal.pause()


@contextmanager
def working(work: Callable[[Connection], None]) -> Iterator[WorkerProcess]:
    process = WorkerProcess.start(work, "test")
    try:
        assert process.heard("test") is None
        yield process
    finally:
        process.kill()
        process.end()
        assert multiprocessing.active_children() == []


def test_what_is_sent_comes_back_also_mappings_that_python_does_not_pickle() -> None:
    with working(echo) as process:
        process.link.send_bytes(packed(MappingProxyType({"a": (1, 2)})))
        found = process.heard("test")
        assert isinstance(found, MappingProxyType)
        assert found == {"a": (1, 2)}


def test_the_end_of_a_process_is_heard() -> None:
    with working(die) as process:
        process.link.send(1)
        with pytest.raises(EOFError):
            process.heard("test")


def test_a_process_that_waits_for_work_ends_by_itself() -> None:
    process = WorkerProcess.start(echo, "test")
    assert process.heard("test") is None
    process.end()
    assert multiprocessing.active_children() == []


def test_ctrl_c_is_not_theirs() -> None:
    with working(echo) as process:
        assert process.process.pid is not None
        os.kill(process.process.pid, signal.SIGINT)
        process.link.send("still here")
        assert process.heard("test") == "still here"


def test_a_process_that_is_busy_is_ended() -> None:
    with working(sleep) as process:
        assert process.process.is_alive()


SCRIPT = """
from femtodriver.worker_process import WorkerProcess
from tests.test_worker_process import echo
process = WorkerProcess.start(echo, "test")
process.heard("test")
"""


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 1
    assert "WorkerError: test: a worker process ended before it began; a script that starts workers" in done.stderr


def test_all_cores_are_used_by_default() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
