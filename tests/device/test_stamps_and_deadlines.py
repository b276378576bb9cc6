"""Check sums on every kind of answer that has them, on both sides of the link; and deadlines that are already past."""

from __future__ import annotations

import socket
import struct
import zlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from femtodriver.device.redis import redis_link
from femtodriver.device.redis.redis_link import RedisLink
from femtodriver.device.timeouts import Timeouts
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.device.virtual.zcu104_side import Connection
from femtodriver.device.zcu104 import tcp_link
from femtodriver.device.zcu104.checksums import StampCheck, stamp, stream_sum
from femtodriver.device.zcu104.tcp_link import TcpLink
from femtodriver.errors import DeviceError
from tests.device.networks import PART

MAGIC = 0xF5D0000
TOP_READ = struct.pack("<II", 7 << 28 | 0x24, 0)
AXIS_READ = struct.pack("<II", 2 << 28 | 5, 0)
APB_WRITE = struct.pack("<II", 1 << 28 | 0x04, 0)


def check(words: bytes, received: bytes) -> int:
    """The stamp that the document promises."""
    return MAGIC | zlib.crc32(words, zlib.crc32(received)) & 0xFFFF


@pytest.mark.parametrize("before", [b"", APB_WRITE, TOP_READ, TOP_READ + APB_WRITE])
def test_the_board_stamps_top_reads_with_all_that_it_has_received(before: bytes) -> None:
    answers = Connection(VirtualBoard(PART)).feed(before + TOP_READ)
    head, word = struct.unpack("<II", answers[-8:])
    assert head == 11 << 28 | check(struct.pack("<I", word), before + TOP_READ)


def test_the_board_stamps_the_end_of_axis_reads() -> None:
    connection = Connection(VirtualBoard(PART))
    head, word = struct.unpack("<II", connection.feed(APB_WRITE + AXIS_READ))
    assert head == 6 << 28 | check(b"", APB_WRITE + AXIS_READ)
    assert word == zlib.crc32(APB_WRITE + AXIS_READ)


class Damaging:
    """A socket's ``recv`` that flips a bit in the answer of that number, counted from 0."""

    def __init__(self, number: int, byte: int) -> None:
        self.left, self.byte = number, byte
        self.plain = socket.socket.recv
        self.port = 0

    def __call__(self, link: socket.socket, size: int, flags: int = 0) -> bytes:
        data = self.plain(link, size, flags)
        if data and link.getsockname()[1] == self.port:
            self.left -= 1
            if self.left == -1:
                changed = bytearray(data)
                changed[self.byte] ^= 4
                return bytes(changed)
        return data


@pytest.mark.parametrize("byte", [0, 1, 4, 7])
@pytest.mark.parametrize("kind", ["top", "axis"])
def test_a_flipped_bit_in_a_stamped_answer_is_noticed(
    server: BoardServer, monkeypatch: pytest.MonkeyPatch, kind: str, byte: int
) -> None:
    damage = Damaging(3, byte)
    with TcpLink(*server.address, Timeouts()) as link:
        damage.port = link._link().getsockname()[1]
        monkeypatch.setattr(socket.socket, "recv", lambda *arguments: damage(*arguments))
        for _ in range(3):
            link.read("spu_top", 0x24, 0x28, 1)
        with pytest.raises(DeviceError, match="expected matching checksums, but "):
            link.read("spu_top", 0x24, 0x28, 1) if kind == "top" else link.read("axis", 0, 0, 10)
    assert damage.left == -1


def test_a_write_that_was_lost_is_noticed_at_the_next_top_read(
    server: BoardServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TcpLink(*server.address, Timeouts()) as link:
        for _ in range(2):
            link.read("spu_top", 0x24, 0x28, 1)
        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "sendall", lambda *arguments: None)
            link.write("apb", 0x04, 0x08, 1, [0])
        with pytest.raises(DeviceError, match="expected matching checksums, but the answer is not what the board"):
            link.read("spu_top", 0x24, 0x28, 1)


@pytest.mark.parametrize("late", [0.0, 0.5, 1000.0])
def test_a_deadline_that_is_already_past(server: BoardServer, monkeypatch: pytest.MonkeyPatch, late: float) -> None:
    """As after a long pause of this process: nothing is waited for, and the error is that of the time."""
    times = iter([100.0, 120.0 + late])
    with TcpLink(*server.address, Timeouts(io=20)) as link:
        monkeypatch.setattr(tcp_link, "time", SimpleNamespace(monotonic=lambda: next(times)))
        with pytest.raises(DeviceError, match="no answer within 20 s; expected 8 bytes, got 0"):
            link.read("spu_top", 0x24, 0x28, 1)


@pytest.mark.parametrize("late", [0.0, 1000.0])
def test_a_deadline_that_is_already_past_over_redis(
    client: Any, port: int, monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    times = iter([100.0, 120.0 + late])
    with RedisLink(("127.0.0.1", port), Timeouts(connect=20, io=20)) as link:
        monkeypatch.setattr(redis_link, "time", SimpleNamespace(monotonic=lambda: next(times)))
        with pytest.raises(DeviceError, match="no answer within 20 s; expected 3 words, got 0"):
            link.read("apb", 0, 12, 3)


def test_words_that_are_there_count_though_the_deadline_is_past(
    client: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisLink(("127.0.0.1", port), Timeouts(connect=20, io=20)) as link:
        plain = link._ask

        def ask(*arguments: Any, **named: Any) -> None:
            plain(*arguments, **named)
            client.rpush("reply", 7, 8, 9)

        monkeypatch.setattr(link, "_ask", ask)
        times = iter([100.0, 9999.0])
        monkeypatch.setattr(redis_link, "time", SimpleNamespace(monotonic=lambda: next(times)))
        assert link.read("apb", 0, 12, 3).tolist() == [7, 8, 9]
        assert client.llen("reply") == 0


def answer(checks: StampCheck, good: bool = True, marked: bool = True) -> str:
    """What is said of the next answer of a board."""
    words = np.array([7], np.uint32)
    field = stamp(words, 0) if marked else 123
    return checks.damage(field if good else field ^ 1, words)


def test_two_stamps_make_a_board_with_stamps() -> None:
    checks = StampCheck()
    assert answer(checks) == ""
    assert answer(checks, good=False, marked=False) == ""  # one may be chance
    assert answer(checks) == ""
    assert answer(checks, marked=False) == "the answer is not what the board has sent, or the request not what it got"
    assert answer(checks, good=False) != ""
    assert answer(checks) == ""


@pytest.mark.parametrize(("before", "insists"), [(0, True), (62, True), (63, False), (64, False), (1000, False)])
def test_only_the_first_64_answers_tell(before: int, insists: bool) -> None:
    checks = StampCheck()
    for _ in range(before):
        assert answer(checks, marked=False) == ""
    for _ in range(2):
        assert answer(checks) == ""
    assert bool(answer(checks, marked=False)) is insists


def test_a_board_that_received_something_else_says_so() -> None:
    checks = StampCheck()
    words = np.array([7], np.uint32)
    for _ in range(2):
        answer(checks)
    assert checks.damage(stamp(words, 0), words, 0) == ""
    assert checks.damage(stamp(words, 0), words, 5) == "the board has received something else than what was sent"
    assert checks.damage(123, words, 5).startswith("the answer is not what the board has sent")
    checks.sent(b"abc")
    received = stream_sum(b"abc")
    assert checks.damage(stamp(words, received), words, received) == ""
    checks.sent(b"def")
    received = stream_sum(b"abcdef")
    assert checks.damage(stamp(words, received), words, received) == ""
