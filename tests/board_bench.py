"""For tests that need a board: a virtual one in a thread or in a process of its own, a redis server, an alarm."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from types import FrameType

import pytest

from femtodriver.device.timeouts import Timeouts
from femtodriver.device.virtual.deciphering import decipherer
from femtodriver.device.virtual.link_faults import Faults
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.part import load_part
from femtodriver.program.encryption.keyring import Keyring

LIMIT_S = 120
REDIS_MISSING = "needs the program redis-server (Debian: apt install redis-server) and the Python package redis"
HAS_REDIS = shutil.which("redis-server") is not None and importlib.util.find_spec("redis") is not None
needs_redis = pytest.mark.skipif(not HAS_REDIS, reason=REDIS_MISSING)


@contextlib.contextmanager
def alarm(seconds: int = LIMIT_S) -> Iterator[None]:
    """Whatever hangs ends with TimeoutError."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"the test did not end within {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def board_here(keyring: Keyring | None = None, faults: Faults | None = None) -> Iterator[BoardServer]:
    """A virtual board on a free port, in a thread; ``server.endpoint`` is its address."""
    with BoardServer(VirtualBoard(load_part(), decipherer(keyring)), faults=faults) as server:
        yield server


@dataclass
class BoardProcess:
    """``femtodrive board`` in a process of its own. ``lines``: what it has printed so far."""

    process: subprocess.Popen[str]
    address: str = ""
    lines: list[str] = field(default_factory=list)

    def stop(self, number: int = signal.SIGINT) -> int:
        """End it by a signal; its exit status, once all of its lines are here."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S / 2)


@contextlib.contextmanager
def board_process(folder: Path, *words: str) -> Iterator[BoardProcess]:
    """``femtodrive board WORDS``, when it is ready to serve."""
    command = [sys.executable, "-m", "femtodriver", "board", *words]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    served = BoardProcess(process)
    reader = Thread(target=_read, args=(served,), daemon=True)
    reader.start()
    try:
        deadline = time.monotonic() + LIMIT_S / 2
        while not served.address and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        if process.stdout is not None:
            process.stdout.close()


def _read(served: BoardProcess) -> None:
    assert served.process.stdout is not None
    for line in served.process.stdout:
        served.lines.append(line.rstrip("\n"))
        found = re.match(r"serving the \S+ protocol at (\S+) ", line)
        if found:
            served.address = found.group(1)


def limit_outputs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option timeout limits the outputs of a frame alone: other answers come late on a loaded machine."""
    monkeypatch.setattr(Timeouts, "limited", lambda waits, seconds: Timeouts(output=seconds))


def free_port() -> int:
    """A port of this machine that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def redis_here() -> Iterator[str]:
    """A redis server of our own: its address."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(LIMIT_S / 2)
