"""Every test of this folder ends: by itself, or by an alarm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

HARD_LIMIT_S = 60


@pytest.fixture(autouse=True)
def _hard_limit() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"the test did not end within {HARD_LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HARD_LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """What a test starts it also stops."""
    before = set(threading.enumerate())
    yield
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []
