"""A virtual board on TCP belongs to one client at a time: others are told, and nobody ever gets another's values."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from femtodriver.device import SPURunner, make_runner
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import MOST_CLIENTS, BoardServer
from femtodriver.device.zcu104.parting_words import GAVE_WAY, IN_USE, SILENCE_S
from femtodriver.errors import DeviceError
from tests.device.networks import PART, compiled, expected, random_inputs
from tests.device.spec_client import SpecClient

IN_USE_TEXT = r"zynq 127\.0\.0\.1:\d+: the board is in use by another client; wait until that has finished"
GAVE_WAY_TEXT = "the board went to another client, as this one said nothing for 30 s; reset to start again"
POLL = struct.pack("<II", 7 << 28 | 0x24, 0)


class Clock:
    """A clock that stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(clock: Clock) -> Iterator[BoardServer]:
    """A board that goes by ``clock``."""
    with BoardServer(VirtualBoard(PART), clock=clock) as found:
        yield found


@contextlib.contextmanager
def connected(server: BoardServer) -> Iterator[socket.socket]:
    with socket.create_connection(server.address, 10) as link:
        yield link


def runner_of(server: BoardServer, name: str = "accumulator") -> SPURunner:
    return make_runner(compiled(name), "zynq", address=server.endpoint, timeout=30)


def end_of(link: socket.socket) -> bytes:
    """All that still comes before the connection is closed."""
    data = b""
    while more := link.recv(100):
        data += more
    return data


def answers(link: socket.socket) -> bool:
    """Whether the board answers a poll."""
    link.sendall(POLL)
    with contextlib.suppress(ConnectionError):
        return len(link.recv(8, socket.MSG_WAITALL)) == 8
    return False


def test_the_second_client_is_told_and_the_first_goes_on(server: BoardServer) -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, 6)
    wanted = expected(data, inputs)["sum"]
    with runner_of(server) as first, runner_of(server) as second:
        first.reset()
        for frame in range(6):
            np.testing.assert_array_equal(first.step({"x": inputs["x"][frame]})[0]["sum"], wanted[frame])
            with pytest.raises(DeviceError, match=IN_USE_TEXT):
                second.reset()
        assert server.board.violations.counts["owner"] == 6
        assert server.board.violations.counts.total() == 6
        first.finish()
        second.reset()
        np.testing.assert_array_equal(second.step({"x": inputs["x"][0]})[0]["sum"], wanted[0])


def test_many_at_once_get_their_own_values_or_an_error(server: BoardServer) -> None:
    """Two networks, so that a frame of the other one is noticed."""
    outcomes: list[str] = []

    def work(name: str, seed: int) -> None:
        data = compiled(name)
        inputs = random_inputs(data, 3, seed)
        wanted = expected(data, inputs)
        for _ in range(100):
            if outcomes.count(f"{name} {seed} equal") == 3:
                return
            try:
                with runner_of(server, name) as runner:
                    runner.reset()
                    found, _, _ = runner.run(inputs)
            except DeviceError as error:
                outcomes.append("told" if "in use by another client" in str(error) else str(error))
            else:
                same = all(np.array_equal(found[output], wanted[output]) for output in wanted)
                outcomes.append(f"{name} {seed} equal" if same else "WRONG")

    names = ("accumulator", "identity", "accumulator", "two_in_three_out")
    threads = [threading.Thread(target=work, args=(name, at), daemon=True) for at, name in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {outcome for outcome in outcomes if not outcome.endswith(" equal")} == {"told"}
    assert sum(outcome.endswith(" equal") for outcome in outcomes) > 3


def test_a_client_that_knows_none_of_this_gets_no_answer(server: BoardServer) -> None:
    with runner_of(server) as runner, connected(server) as plain:
        runner.reset()
        plain.sendall(POLL)
        assert end_of(plain) == IN_USE
        assert runner.step({"x": np.ones(16, int)})[0]["sum"].tolist() == [1] * 16


def test_parting_words_are_never_an_answer() -> None:
    assert 0 < len(IN_USE) < 8
    assert 0 < len(GAVE_WAY) < 8
    assert IN_USE != GAVE_WAY


def test_a_plain_client_has_the_board_too(server: BoardServer) -> None:
    data = compiled("identity")
    plain = SpecClient(*server.address)
    plain.start()
    plain.load(data.metadata, data.mems_per_core)
    with runner_of(server) as runner:
        for _ in range(2):
            with pytest.raises(DeviceError, match=IN_USE_TEXT):
                runner.reset()
            assert plain.frame(data.metadata, {"x": list(range(16))}) == {"%x.4": list(range(16))}
        plain.close()
        runner.reset()
        assert runner.step({"x": np.ones(16, int)})[0]["sum"].tolist() == [1] * 16


def test_a_client_that_only_writes_is_sent_away_too(server: BoardServer) -> None:
    with connected(server) as owner, connected(server) as other:
        assert answers(owner)
        other.sendall(struct.pack("<II", 10 << 28, 0) * 100)
        assert end_of(other) == IN_USE
        assert answers(owner)


def test_outputs_are_for_the_client_that_sent_the_inputs(server: BoardServer) -> None:
    data = compiled("identity")
    first = SpecClient(*server.address)
    first.start()
    first.load(data.metadata, data.mems_per_core)
    first.message(0, data.metadata["inputs"]["x"]["pc_val"], [1, 2, 3, 4])
    assert first.top_read(0x24) == 1
    first.close()
    second = SpecClient(*server.address)
    assert second.top_read(0x24) == 0
    assert second.axis_read(5) == []
    # The program is still there, as on any board.
    assert second.frame(data.metadata, {"x": list(range(16))}) == {"%x.4": list(range(16))}
    second.close()


def test_half_a_message_ends_with_its_client(server: BoardServer) -> None:
    data = compiled("identity")
    first = SpecClient(*server.address)
    first.start()
    first.load(data.metadata, data.mems_per_core)
    for word in (0, data.metadata["inputs"]["x"]["pc_val"], 9, 9):
        first.entry(3, 0, word)
    first.close()
    second = SpecClient(*server.address)
    assert second.frame(data.metadata, {"x": list(range(16))}) == {"%x.4": list(range(16))}
    second.close()
    assert dict(server.board.violations.counts) == {"protocol": 1}


def test_who_comes_right_after_another_is_not_sent_away(server: BoardServer) -> None:
    for _ in range(300):
        with connected(server) as link:
            assert answers(link)
            link.sendall(POLL)  # and goes without waiting for the answer
    assert server.board.violations.counts == {}


def test_silent_clients_do_not_keep_others_away(server: BoardServer) -> None:
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connected(server)) for _ in range(3 * MOST_CLIENTS)]
        with runner_of(server) as runner:
            runner.reset()
            assert runner.step({"x": np.ones(16, int)})[0]["sum"].tolist() == [1] * 16
            for link in silent[: 2 * MOST_CLIENTS + 1]:
                assert end_of(link) == b""
        assert answers(silent[-1])


def test_half_an_entry_is_no_claim(server: BoardServer) -> None:
    with connected(server) as half, connected(server) as whole:
        half.sendall(POLL[:7])
        assert answers(whole)
        half.sendall(POLL[7:])
        assert end_of(half) == IN_USE
        assert answers(whole)


@pytest.mark.slow
def test_the_silent_are_let_go_after_half_a_minute(timed: BoardServer, clock: Clock) -> None:
    with connected(timed) as owner, connected(timed) as silent:
        assert answers(owner)
        clock.now += SILENCE_S - 1
        assert answers(owner)
        silent.settimeout(0.3)
        with pytest.raises(TimeoutError):
            silent.recv(1)
        silent.settimeout(10)
        clock.now += 1
        assert end_of(silent) == b""
        assert answers(owner)


@pytest.mark.parametrize("pause", [0.0, SILENCE_S - 0.001])
def test_an_owner_that_was_heard_lately_keeps_the_board(timed: BoardServer, clock: Clock, pause: float) -> None:
    with connected(timed) as owner, connected(timed) as other:
        assert answers(owner)
        clock.now += pause
        other.sendall(POLL)
        assert end_of(other) == IN_USE
        assert answers(owner)


def test_a_silent_owner_gives_way_to_who_asks(timed: BoardServer, clock: Clock) -> None:
    data = compiled("accumulator")
    inputs = random_inputs(data, 2)
    wanted = expected(data, inputs)["sum"]
    with runner_of(timed) as first, runner_of(timed) as second:
        first.reset()
        first.step({"x": inputs["x"][0]})
        clock.now += 1000  # nobody asks: it goes on
        np.testing.assert_array_equal(first.step({"x": inputs["x"][1]})[0]["sum"], wanted[1])
        clock.now += SILENCE_S
        second.reset()
        np.testing.assert_array_equal(second.step({"x": inputs["x"][0]})[0]["sum"], wanted[0])
        with pytest.raises(DeviceError, match=GAVE_WAY_TEXT):
            first.step({"x": inputs["x"][1]})
        np.testing.assert_array_equal(second.step({"x": inputs["x"][1]})[0]["sum"], wanted[1])
        second.finish()
        first.reset()
        np.testing.assert_array_equal(first.step({"x": inputs["x"][0]})[0]["sum"], wanted[0])


def test_who_was_sent_away_and_does_not_go_is_closed(timed: BoardServer, clock: Clock) -> None:
    with connected(timed) as owner, connected(timed) as other:
        assert answers(owner)
        other.sendall(POLL)
        assert end_of(other) == IN_USE
        other.sendall(POLL)  # is read, and not answered
        clock.now += 2

        def send_until_closed() -> None:
            while True:
                other.sendall(POLL)

        with pytest.raises(ConnectionError):
            send_until_closed()
        assert answers(owner)


def test_answers_that_nobody_fetches_are_not_followed_by_words(clock: Clock) -> None:
    """They would be taken for the rest of an answer: the connection is closed instead."""
    server = BoardServer(VirtualBoard(PART), clock=clock)
    requests = b"".join(struct.pack("<II", 0x100000 + 4 * at, 0) for at in range(8192))
    with contextlib.closing(server), connected(server) as greedy, connected(server) as other:
        greedy.setblocking(False)
        for _ in range(400):  # until the board reads no more from it
            with contextlib.suppress(BlockingIOError):
                greedy.send(requests)
            server.turn(0)
        clock.now += SILENCE_S
        other.sendall(POLL)
        for _ in range(3):
            server.turn(0)
        assert len(other.recv(8)) == 8
        greedy.settimeout(10)
        rest = b""
        with contextlib.suppress(ConnectionError):
            rest = end_of(greedy)
        assert GAVE_WAY not in rest


def test_answers_are_whole_though_they_are_fetched_late() -> None:
    server = BoardServer(VirtualBoard(PART))
    requests = b"".join(struct.pack("<II", 0x100000 + 4 * at, 0) for at in range(8192))
    with contextlib.closing(server), connected(server) as slow:
        slow.setblocking(False)
        sent = got = 0
        for _ in range(400):  # more than all buffers hold
            with contextlib.suppress(BlockingIOError):
                sent += slow.send(requests)
            server.turn(0)
        assert server._owner is not None
        assert server._owner.unsent
        for _ in range(100_000):
            if got == sent // 8 * 8:
                break
            with contextlib.suppress(BlockingIOError):
                got += len(slow.recv(1 << 20))
            server.turn(0)
        assert got == sent // 8 * 8
        assert not server._owner.unsent
