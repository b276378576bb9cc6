"""The redis boards over a real redis server: our link, the virtual board, the fake, and independent halves of each."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from typing import Any

import numpy as np
import pytest

from femtodriver.device import Faults, Timeouts, make_runner, serve
from femtodriver.device.fake.made_up_words import FILL
from femtodriver.device.redis.redis_link import RedisLink
from femtodriver.device.redis.redis_server import RedisServer
from femtodriver.errors import DeviceError, UsageError
from femtodriver.program.bus.load_sequence import load_sequence
from tests.board_bench import free_port, needs_redis
from tests.device.networks import NETWORKS, assert_equal, compiled, expected, random_inputs
from tests.device.redis_bench import WAITS, board_at

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", NETWORKS)
def test_the_virtual_board_through_a_server(client: Any, port: int, name: str) -> None:
    data = compiled(name)
    inputs = random_inputs(data, 5)
    with board_at(port) as served, make_runner(data, "redis", address=f"127.0.0.1:{port}", timeouts=WAITS) as runner:
        runner.reset()
        assert client.get("client_running") == "test"
        assert [client.get(f"client_{key}") for key in ("shutdown", "freerunning", "encrypted")] == ["0", "0", "0"]
        assert client.get("client_fast_mem_programming") == "1"
        outputs, _, _ = runner.run(inputs)
        runner.check_version_reg()
        runner.reset()
        outputs, _, _ = runner.run(inputs)
    assert_equal(outputs, expected(data, inputs))
    assert not served.counts
    assert client.get("client_shutdown") == "1"
    assert client.get("client_running") == "none"


def test_requests_on_the_wire(client: Any, port: int) -> None:
    link = RedisLink(("127.0.0.1", port), WAITS, encrypted=True)
    client.rpush("reply", 5)
    client.set("theirs", 1)
    with link:
        assert client.get("theirs") == "1"  # another's server keeps what is not ours
        assert [client.get(f"client_{key}") for key in ("encrypted", "fast_mem_programming")] == ["1", "0"]
        link.write("apb", 0x100000, 0x100008, 2, [7, 0xFFFFFFFF])
        link.write("axis", 0, 0, 4, [0, 3, 1, 2])
        link.write("spu_top", 8, 12, 1, [0x40])
        link.wait(1000, 0.0)
        client.rpush("reply", 31, 0, 5, 6)
        with pytest.raises(DeviceError, match="expected no words on `reply`, got 4"):
            link.read("axis", 0, 0, 4)
    assert client.lrange("req", 0, -1) == [
        *("1", "0", "1048576", "1048584", "2", "7", "4294967295"),
        *("1", "1", "0", "0", "4", "0", "3", "1", "2"),
        *("1", "2", "8", "12", "1", "64"),
        *("1", "3", "0", "1", "1", "1000"),
    ]


class SpecPeer:
    """A client side written from the specification alone: an identity network, one LPOP per element."""

    def __init__(self, port: int) -> None:
        import redis

        self.redis: Any = redis.Redis(port=port)
        self.memory: dict[int, int] = {0: 0x13}
        self.outputs: list[int] = []
        self.host: list[tuple[int, int]] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self) -> SpecPeer:
        self.redis.set("client_running", "spec")
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        self.redis.close()

    def pop(self) -> int:
        while not self.stop.is_set():
            found = self.redis.lpop("req")
            if found is not None:
                return int(found)
            time.sleep(0.001)
        raise InterruptedError

    def serve(self) -> None:
        with contextlib.suppress(InterruptedError):
            while True:
                kind, target, start, end, length = (self.pop() for _ in range(5))
                if kind == 1:
                    self.write(target, start, end, [self.pop() for _ in range(length)])
                else:
                    for word in self.read(target, start, length):
                        self.redis.rpush("reply", word)

    def write(self, target: int, start: int, end: int, words: list[int]) -> None:
        if target == 0:
            assert end == start + 4 * len(words)
            self.memory.update({start + 4 * at: word for at, word in enumerate(words)})
        elif target == 1:
            self.outputs += [0x1F, 0, *words[2:]]
        elif target == 3:
            self.host.append((start, words[0]))

    def read(self, target: int, start: int, length: int) -> list[int]:
        if target == 0:
            return [self.memory.get(start + 4 * at, 0) for at in range(length)]
        if target == 1:
            words, self.outputs = self.outputs[:length], self.outputs[length:]
            return words
        return [1 if start == 0x1C else int(bool(self.outputs))]


def test_the_link_against_an_independent_client_side(client: Any, port: int) -> None:
    data = compiled("identity")
    inputs = random_inputs(data, 3)
    with SpecPeer(port) as peer:
        runner = make_runner(data, "redis", address=f"localhost:{port}", timeouts=WAITS, verify=True)
        with runner:
            runner.reset()
            outputs, _, _ = runner.run(inputs)
    np.testing.assert_array_equal(outputs["%x.4"], inputs["x"])
    assert peer.host[:3] == [(1, 1), (0, 20), (1, 0)]  # hard reset
    assert peer.host[3] == (0, 1000)


def test_the_board_against_an_independent_driver(client: Any, port: int) -> None:
    data = compiled("two_in_three_out")
    codes = {"apb": 0, "spu_top": 2, "host": 3}

    def push(*elements: int) -> None:
        for element in elements:
            client.rpush("req", element)

    def answer(count: int) -> list[int]:
        return [int(client.blpop(["reply"], timeout=20)[1]) for _ in range(count)]

    with board_at(port) as served:
        push(1, 3, 1, 2, 1, 1)
        push(1, 3, 0, 1, 1, 20)
        push(1, 3, 1, 2, 1, 0)
        for record in load_sequence(data, program_pll=True):
            if record.direction == "w" and record.msgtype != "host":
                push(1, codes[record.msgtype], record.start_addr, record.end_addr, record.length, *record.vals)
        push(0, 0, 0, 4, 1)
        assert answer(1) == [0x13]
        push(0, 3, 2, 3, 1)
        assert answer(1) == [0]
        pcs = [record["pc_val"] for record in data.metadata["inputs"].values()]
        for pc, first in zip(pcs, (10, 3), strict=True):
            push(1, 1, 0, 0, 6, 0, pc, first, 0, 0, 0)
        push(0, 2, 0x24, 0x28, 1)
        assert answer(1) == [1]
        push(0, 3, 2, 3, 1)
        assert answer(1) == [1]
        push(0, 1, 0, 0, 18)
        words = answer(18)
        boxes = {words[at + 1]: words[at : at + 6] for at in (0, 6, 12)}
        assert boxes == {0: [31, 0, 13, 0, 0, 0], 1: [31, 1, 7, 0, 0, 0], 2: [31, 2, 3, 0, 0, 0]}
        assert not served.counts
        # What software of generation 1.3 asks for: one header in all. It gets exactly so many words, and stays in step.
        for pc in pcs:
            push(1, 1, 0, 0, 6, 0, pc, 1, 0, 0, 0)
        push(0, 1, 0, 0, 14)
        assert len(answer(14)) == 14
        push(0, 1, 0, 0, 6)
        assert answer(6) == [0] * 6
        assert client.llen("reply") == 0
        assert dict(served.counts) == {"message": 2}


def test_garbage_in_the_requests(client: Any, port: int) -> None:
    with board_at(port) as served:
        for elements in (["x"] * 5, [0, 9, 0, 0, 1], [1, 0, 0, 4, 0], [1, 0, 0, 4, 1 << 30], ["-1"] * 5, [b"\xff"] * 5):
            client.rpush("req", *elements)
            served.wait_for("protocol: ")
        client.rpush("req", 0, 0, 0, 4, 1)
        assert client.blpop(["reply"], timeout=20)[1] == "19"
        assert served.counts == {"protocol": 6}


@pytest.mark.parametrize("key", ["req", "reply"])
@pytest.mark.parametrize(("command", "kind"), [("set k v", "string"), ("hset k a b", "hash"), ("sadd k a", "set")])
def test_keys_that_are_no_lists_do_not_end_the_board(client: Any, port: int, key: str, command: str, kind: str) -> None:
    with board_at(port) as served:
        client.execute_command(*command.replace(" k", f" {key}").split())
        if key == "reply":
            client.rpush("req", 0, 0, 0, 4, 1)
        wanted = f"protocol: the key `{key}` must be a list, not a {kind}; it was removed."
        assert served.wait_for("protocol: ") == wanted
        client.rpush("req", 0, 0, 0, 4, 1)
        assert client.blpop(["reply"], timeout=20)[1] == "19"
    assert served.ended_by == []


def test_a_server_that_refuses_does_not_end_the_board(client: Any, port: int) -> None:
    with board_at(port) as served:
        client.rpush("req", 0, 0, 0, 4)
        client.config_set("maxmemory", 1)  # whatever needs memory is refused
        try:
            served.wait_for("the server refused a command: ")
        finally:
            client.config_set("maxmemory", 0)
        client.delete("req", "reply")
        client.rpush("req", 0, 0, 0, 4, 1)
        assert client.blpop(["reply"], timeout=20)[1] == "19"
    assert served.ended_by == []


def test_an_answer_that_does_not_come(client: Any, port: int) -> None:
    link = RedisLink(("127.0.0.1", port), Timeouts(connect=20, io=0.3))
    with link, pytest.raises(DeviceError, match=r"no answer within 0.3 s; expected 1 words, got 0. .* running: none"):
        link.read("apb", 0, 4, 1)


@pytest.mark.parametrize("answer", ["x", "-1", str(1 << 32), "1.5", "", b"\xff"])
def test_answers_that_are_none(client: Any, port: int, answer: str | bytes) -> None:
    def reply() -> None:
        for _ in range(5):
            client.blpop(["req"], timeout=20)
        client.rpush("reply", answer)

    with RedisLink(("127.0.0.1", port), WAITS) as link:
        thread = threading.Thread(target=reply, daemon=True)
        thread.start()
        with pytest.raises(DeviceError, match="expected decimal numbers below 2"):
            link.read("apb", 0, 4, 1)
        thread.join()


@needs_redis
def test_a_server_that_goes_away() -> None:
    number = free_port()
    server = RedisServer(number)
    first = server.start(5, "test")
    assert server.started
    other = RedisServer(number)
    other.start(5, "test").close()
    assert not other.started
    other.stop()  # not ours: it goes on
    assert first.ping()
    first.close()
    link = RedisLink(("127.0.0.1", number), WAITS)
    with link:
        server.stop()
        with pytest.raises(DeviceError, match="the server was lost"):
            link.read("apb", 0, 4, 1)
    with pytest.raises(DeviceError, match=r"no server answers a ping.*redis-server --port"):
        RedisLink(("127.0.0.1", number), Timeouts(connect=0.2)).open()


@needs_redis
def test_fakeredis_starts_its_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    number = free_port()
    monkeypatch.setattr("femtodriver.device.redis.redis_server.redis_port", lambda: number)
    data = compiled("two_in_three_out")
    with make_runner(data, "fakeredis", timeouts=WAITS) as runner:
        runner.reset()
        outputs, _ = runner.step({"a": np.zeros(8, int), "b": np.zeros(8, int)})
        assert outputs["sum"].tolist() == outputs["copy"].tolist() == [12816, 30292] * 4
        assert runner.hw_recv("VERSION").tolist() == [FILL]
        assert runner.hw_recv((0, "DM0", 0), 3).tolist() == [FILL << 32 | FILL] * 3
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", number), 1)


def test_fakeredis_with_values_on_an_existing_server(client: Any, port: int) -> None:
    data = compiled("identity")
    values = np.arange(8) | np.arange(8) << 16
    address = f"127.0.0.1:{port}"
    with make_runner(data, "fakeredis", address=address, timeouts=WAITS, fake_values=values) as runner:
        runner.reset()
        for _ in range(2):
            outputs, _ = runner.step({"x": np.zeros(16, int)})
            assert outputs["%x.4"].tolist() == [at // 2 for at in range(16)]
    assert client.ping()


def test_serve_on_redis(client: Any, port: int) -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, 3)
    stop, ready = threading.Event(), threading.Event()
    lines: list[str] = []

    def told(address: str) -> None:
        lines.append(address)
        ready.set()

    options = {"redis": f"127.0.0.1:{port}", "ready": told, "stop": stop, "tell": lines.append}
    thread = threading.Thread(target=serve, kwargs=options, daemon=True)
    thread.start()
    assert ready.wait(10)
    with make_runner(data, "redis", address=f"127.0.0.1:{port}", timeouts=WAITS) as runner:
        runner.reset()
        outputs, _, _ = runner.run(inputs)
    stop.set()
    thread.join()
    assert_equal(outputs, expected(data, inputs))
    assert lines[0] == f"127.0.0.1:{port}"


def test_a_missing_server_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("redis")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DeviceError, match=r"redis-server is not installed \(Debian: apt install redis-server\)"):
        RedisServer(free_port()).start(1, "test")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(DeviceError, match="the Python package `redis` is not installed; pip install"):
        make_runner(compiled("identity"), "redis", address="127.0.0.1:1").reset()


def test_faults_are_for_tcp_only() -> None:
    with pytest.raises(UsageError, match="faults are for the TCP link"):
        serve(redis="127.0.0.1:1", faults=Faults())
    with pytest.raises(UsageError, match="either an address to listen on or a redis server"):
        serve()
