"""For tests over a redis server: the virtual board behind it, and a driver that knows nothing of this package."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from femtodriver.device import Timeouts
from femtodriver.device.redis.simulator_side import RedisPeer
from femtodriver.device.virtual.redis_side import RedisBoard
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.errors import DeviceError
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.compiled_data import CompiledData
from tests.device.networks import PART

WAIT_S = 30
WAITS = Timeouts(connect=WAIT_S, io=WAIT_S, output=WAIT_S, lock=WAIT_S)
TARGETS = {"apb": 0, "axis": 1, "spu_top": 2, "host": 3}


@dataclass
class Served:
    """A board in a thread. ``told``: what it says; ``ended_by``: the error that ended it."""

    board: VirtualBoard
    told: queue.Queue[str]
    ended_by: list[DeviceError] = field(default_factory=list)

    @property
    def counts(self) -> Mapping[str, int]:
        """Violations by kind."""
        return self.board.violations.counts

    def wait_for(self, text: str) -> str:
        """The next line with this text; queue.Empty when none comes."""
        while True:
            line = self.told.get(timeout=WAIT_S)
            if text in line:
                return line


@contextlib.contextmanager
def board_at(port: int) -> Iterator[Served]:
    """The virtual board behind the redis server on that port."""
    told: queue.Queue[str] = queue.Queue()
    served = Served(VirtualBoard(PART, tell=told.put), told)
    stop, ready = threading.Event(), threading.Event()
    peer = RedisPeer("127.0.0.1", port, "test", RedisBoard(served.board), served.board.note)

    def work() -> None:
        try:
            peer.serve(stop, ready.set)
        except DeviceError as error:
            served.ended_by.append(error)
            ready.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(WAIT_S)
    try:
        yield served
    finally:
        stop.set()
        thread.join(WAIT_S)


def plain_client(port: int) -> Any:
    """A connection of the package redis, which waits as long as it is told to."""
    import redis

    return redis.Redis(port=port, decode_responses=True, socket_timeout=None)


class PlainDriver:
    """A driver written from the specification alone: one connection, one RPUSH per element, blocking pops."""

    def __init__(self, port: int, flush: bool = False) -> None:
        self.redis = plain_client(port)
        if flush:
            self.redis.flushdb()

    def close(self) -> None:
        self.redis.close()

    def write(self, target: str, start: int, end: int, words: Sequence[int]) -> None:
        for element in (1, TARGETS[target], start, end, len(words), *words):
            self.redis.rpush("req", element)

    def ask(self, target: str, start: int, end: int, length: int) -> None:
        for element in (0, TARGETS[target], start, end, length):
            self.redis.rpush("req", element)

    def answer(self, count: int, seconds: float = WAIT_S) -> list[int]:
        """So many words; TimeoutError when one of them does not come."""
        found = []
        for _ in range(count):
            popped = self.redis.blpop(["reply"], timeout=seconds)
            if popped is None:
                raise TimeoutError
            found.append(int(popped[1]))
        return found

    def load(self, data: CompiledData) -> None:
        """Hard reset, clocks, the program."""
        for start, value in ((1, 1), (0, 20), (1, 0)):
            self.write("host", start, start + 1, [value])
        for record in load_sequence(data, program_pll=True):
            if record.direction == "w" and record.msgtype != "host":
                self.write(record.msgtype, record.start_addr, record.end_addr, record.vals)

    def send(self, data: CompiledData, payload: Sequence[int]) -> None:
        """The inputs of a frame of a network with one input: 64-bit words."""
        (record,) = data.metadata["inputs"].values()
        halves = [half for word in payload for half in (word & 0xFFFFFFFF, word >> 32)]
        self.write("axis", 0, 0, [record["core"], record["pc_val"], *halves])

    def frame(self, data: CompiledData, payload: Sequence[int]) -> list[int]:
        """Bus words of the output, headers included, of a network whose output is as long as its input."""
        self.send(data, payload)
        self.ask("spu_top", 0x24, 0x28, 1)
        assert self.answer(1) == [1]
        count = 2 * len(payload) + 2
        self.ask("axis", 0, 0, count)
        return self.answer(count)
