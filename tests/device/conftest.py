"""Every test of this folder ends: by itself, or by an alarm; and it leaves no thread behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from tests.board_bench import HAS_REDIS, REDIS_MISSING, alarm, redis_here
from tests.device.networks import PART
from tests.device.redis_bench import plain_client


@pytest.fixture(autouse=True)
def _hard_limit() -> Iterator[None]:
    with alarm():
        yield


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """What a test starts it also stops."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert [thread.name for thread in left] == []


@pytest.fixture
def server() -> Iterator[BoardServer]:
    """A virtual board on a free port."""
    with BoardServer(VirtualBoard(PART)) as found:
        yield found


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    """The port of a redis server of our own."""
    if not HAS_REDIS:
        pytest.skip(REDIS_MISSING)
    with redis_here() as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
def client(port: int) -> Iterator[Any]:
    """A connection to it, with nothing in it before and after."""
    with plain_client(port) as connection:
        connection.flushall()
        yield connection
        connection.flushall()
