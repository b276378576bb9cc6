"""A link that is cut in the middle of a run: the run goes on, equal to an uncut one, or ends with one sentence."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from femtodriver.arrays import BusWords
from femtodriver.device import Faults, SPURunner, make_runner
from femtodriver.device.redis.list_users import DRIVER_NAME
from femtodriver.device.session import resumed_frames
from femtodriver.device.transport import LinkLostError
from femtodriver.device.virtual.link_faults import FaultStream
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import DeviceError
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.program.encryption.program_cipher import encrypt_program
from tests.board_bench import alarm, board_here, needs_redis, redis_here
from tests.device.cutting_proxy import cutting_proxy
from tests.device.networks import PART, compiled, expected, random_inputs
from tests.device.redis_bench import board_at, plain_client

FRAMES = 4
# What the client sends for a frame: header and payload, and then at least one poll and one request for the outputs.
MESSAGE, FRAME = 10, 12


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(resumed_frames, "FIRST_PAUSE_S", 0.0)
    with alarm():
        yield


def loading(data: CompiledData) -> int:
    """Entries that the client sends before the first frame: the program, and at least one question for the lock."""
    return sum(record.length for record in load_sequence(data, program_pll=True)) + 1


def runner_at(endpoint: str, data: CompiledData, tries: int = 3, **how: Any) -> SPURunner:
    return make_runner(data, "zynq", address=endpoint, **{"verify": False, "timeout": 20, "reconnect": tries, **how})


def check_cut(data: CompiledData, faults: Faults, caplog: pytest.LogCaptureFixture, frames: int = FRAMES) -> list[str]:
    """A run with a cut link is that of one without; what was told of it."""
    inputs = random_inputs(data, frames)
    with BoardServer(VirtualBoard(PART), faults=faults) as server, runner_at(server.endpoint, data) as runner:
        runner.reset()
        with caplog.at_level(logging.WARNING):
            outputs, _, _ = runner.run(inputs)
        assert server.faults is not None
        assert [event.kind for event in server.faults.log] == ["close"]
        assert set(server.board.violations.counts) <= {"protocol"}  # the half message
    np.testing.assert_array_equal(outputs["sum"], expected(data, inputs)["sum"])
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("entries", [0, 1, 5, MESSAGE - 1, MESSAGE, MESSAGE + 1, FRAME, FRAME + 1, 2 * FRAME + 3])
def test_a_link_that_is_cut_before_within_or_after_a_message(entries: int, caplog: pytest.LogCaptureFixture) -> None:
    data = compiled("accumulator")
    told = check_cut(data, Faults(close_after_entries=loading(data) + entries), caplog)
    if entries:
        assert "Connecting again in 0.0 s, try 1 of 3." in told[0]
        assert "the link is back, and the run goes on with frame" in told[-1]


@pytest.mark.slow
@pytest.mark.parametrize("after", range(16, 160, 5))
def test_a_link_that_is_cut_within_an_answer(after: int, caplog: pytest.LogCaptureFixture) -> None:
    check_cut(compiled("accumulator"), Faults(close_after=after), caplog)


def test_a_board_that_has_lost_its_power_is_programmed_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data, inputs = compiled("accumulator"), random_inputs(compiled("accumulator"), FRAMES)
    board = VirtualBoard(PART)
    close = FaultStream._close

    def close_and_lose_power(stream: FaultStream) -> None:
        close(stream)
        board.hard_reset()

    monkeypatch.setattr(FaultStream, "_close", close_and_lose_power)
    faults = Faults(close_after_entries=loading(data) + 3 * FRAME + 4)
    with BoardServer(board, faults=faults) as server, runner_at(server.endpoint, data) as runner:
        runner.reset()
        outputs, _, _ = runner.run(inputs)
    np.testing.assert_array_equal(outputs["sum"], expected(data, inputs)["sum"])
    assert "goes on with frame 3; 3 frames were run again" in caplog.text


@pytest.mark.parametrize(("verify", "again"), [(True, 2), (False, 10)])
def test_a_long_run_goes_on_from_a_saved_state(
    verify: bool, again: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(resumed_frames, "FRAMES_BETWEEN", 4)
    data, inputs = compiled("accumulator"), random_inputs(compiled("accumulator"), 20)
    with (
        BoardServer(VirtualBoard(PART)) as server,
        runner_at(server.endpoint, data, verify=verify, records_dir=tmp_path) as runner,
    ):
        runner.reset()
        first, _, _ = runner.run({"x": inputs["x"][:10]})
        server.stop()
        with BoardServer(VirtualBoard(PART), port=server.address[1]):
            rest, _, _ = runner.run({"x": inputs["x"][10:]})
    outputs = np.concatenate([first["sum"], rest["sum"]])
    np.testing.assert_array_equal(outputs, expected(data, inputs)["sum"])
    assert f"goes on with frame 10; {again} frames were run again" in caplog.text
    assert all(record.msgtype != "apb" for record in runner.ioplug.recordings["io_sequence"])


def test_variables_that_were_set_are_set_again(caplog: pytest.LogCaptureFixture) -> None:
    data = compiled("accumulator")
    with BoardServer(VirtualBoard(PART)) as server, runner_at(server.endpoint, data, verify=True) as runner:
        runner.reset()
        runner.step({"x": np.ones(16, int)})
        runner.set_vars({"s": np.arange(16)})
        runner.step({"x": np.ones(16, int)})
        server.stop()
        with BoardServer(VirtualBoard(PART), port=server.address[1]):
            assert runner.get_vars()["s"].tolist() == list(range(1, 17))
            assert runner.step({"x": np.ones(16, int)})[0]["sum"].tolist() == list(range(2, 18))
    assert "goes on with frame 2; 1 frames were run again" in caplog.text


@pytest.mark.parametrize("entries", [3, MESSAGE, MESSAGE + 1])
def test_a_frame_is_recorded_once(entries: int, tmp_path: Path) -> None:
    data = compiled("accumulator")
    faults = Faults(close_after_entries=loading(data) + 2 * FRAME + entries)
    with (
        BoardServer(VirtualBoard(PART), faults=faults) as server,
        runner_at(server.endpoint, data, records_dir=tmp_path) as runner,
    ):
        runner.reset()
        runner.run(random_inputs(data, FRAMES))
        recorded = runner.ioplug.recordings["io_sequence"]
    assert sum(record.msgtype == "axis" and record.direction == "w" for record in recorded) == FRAMES
    assert all(record.msgtype != "apb" for record in recorded)


def test_a_program_without_known_states_begins_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(resumed_frames, "FRAMES_BETWEEN", 1)
    data = compiled("accumulator")
    told = {name: value for name, value in data.metadata["femtodriver"].items() if name != "states"}
    foreign = replace(data, metadata={**data.metadata, "femtodriver": told})
    faults = Faults(close_after_entries=loading(data) + 3 * FRAME + 4)
    assert "goes on with frame 3; 3 frames were run again" in check_cut(foreign, faults, caplog)[-1]
    monkeypatch.setattr(resumed_frames, "MOST_WORDS", 2 * MESSAGE - 1)
    with pytest.raises(
        DeviceError, match=r"The run cannot go on: 2 frames would have to be run again, which are too many"
    ):
        check_cut(foreign, faults, caplog)


@pytest.mark.parametrize(
    ("tries", "message"), [(0, r"(lost|closed)[^.]*\.$"), (2, r"cannot be reached: .* 2 tries to go on have failed\.$")]
)
def test_a_board_that_stays_away_ends_the_run(tries: int, message: str) -> None:
    data = compiled("accumulator")
    with BoardServer(VirtualBoard(PART)) as server, runner_at(server.endpoint, data, tries) as runner:
        runner.reset()
        server.stop()
        with pytest.raises(DeviceError, match=message):
            runner.step({"x": np.ones(16, int)})


def test_what_was_done_gives_all_tries_back() -> None:
    cuts: list[str] = []

    def cut_once(what: str) -> Any:
        def act(*_: object) -> Any:
            if what not in cuts:
                cuts.append(what)
                raise LinkLostError(f"{what} was cut.")
            return {}, {}

        return act

    frames: Any = SimpleNamespace(count=0, send=lambda messages: None, receive=cut_once("the frame"))
    link = SimpleNamespace(name="stub")
    recorder: Any = SimpleNamespace(position=0, rewind=lambda position: None, paused=nullcontext, transport=link)
    board: Any = SimpleNamespace(load_again=lambda: None)
    resumed = resumed_frames.ResumedFrames(frames, recorder, board, 1)
    resumed.begin()
    resumed.send([])
    assert resumed.receive(dict) == ({}, {})
    assert resumed.surely(cut_once("a variable")) == ({}, {})
    assert cuts == ["the frame", "a variable"]


def test_variables_that_were_set_where_nothing_can_be_read_end_the_run() -> None:
    data = compiled("accumulator")
    with BoardServer(VirtualBoard(PART)) as server, runner_at(server.endpoint, data) as runner:
        runner.reset(reset_vals={"s": np.arange(16)})
        server.stop()
        with pytest.raises(DeviceError, match="cannot go on: variables were set, and the state cannot be read back"):
            runner.step({"x": np.ones(16, int)})


def test_an_encrypted_program_begins_anew(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(resumed_frames, "FRAMES_BETWEEN", 2)
    keys = Keyring({3: bytes(range(32))}, "the keyring")
    plain, inputs = compiled("accumulator"), random_inputs(compiled("accumulator"), 8)
    data = encrypt_program(plain, keys, 3, 0)
    faults = Faults(close_after=2000)
    with board_here(keys, faults) as server, runner_at(server.endpoint, data) as runner:
        runner.reset()
        outputs, _, _ = runner.run({"x": np.tile(inputs["x"], (4, 1))})
    np.testing.assert_array_equal(outputs["sum"], expected(plain, {"x": np.tile(inputs["x"], (4, 1))})["sum"])
    (again,) = re.findall(r"goes on with frame (\d+); (\d+) frames were run again", caplog.text)
    assert again[0] == again[1] != "0"


def test_a_board_that_was_changed_by_hand_cannot_go_on() -> None:
    data = compiled("accumulator")
    faults = Faults(close_after_entries=loading(data) + 2 * FRAME)
    with BoardServer(VirtualBoard(PART), faults=faults) as server, runner_at(server.endpoint, data) as runner:
        runner.reset()
        runner.hw_send((0, "DM0", 8000), [1])
        with pytest.raises(DeviceError, match=r"The run cannot go on: hw_send has changed the board\.$"):
            runner.run(random_inputs(data, FRAMES))


def test_other_outputs_than_before_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    data, board = compiled("accumulator"), VirtualBoard(PART)
    message, given = board.message, list[BusWords]()

    def changed_from_the_third_on(words: BusWords) -> None:
        given.append(words)
        message(words if len(given) < 3 else words ^ np.array([0, 0, *[1] * (len(words) - 2)], np.uint32))

    monkeypatch.setattr(board, "message", changed_from_the_third_on)
    faults = Faults(close_after_entries=loading(data) + 2 * FRAME + 4)
    with BoardServer(board, faults=faults) as server, runner_at(server.endpoint, data) as runner:
        runner.reset()
        with pytest.raises(DeviceError, match="frame 0, run again after a cut link: its outputs must be those"):
            runner.run(random_inputs(data, FRAMES))


@pytest.mark.slow
def test_random_cuts_never_change_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumed_frames, "FRAMES_BETWEEN", 10)
    rng = random.Random(11)
    data = compiled("accumulator")
    inputs = random_inputs(data, 60)
    whole = expected(data, inputs)["sum"]
    cuts, least = 0, 24 * loading(data) + 1500
    for _ in range(8):
        with (
            BoardServer(VirtualBoard(PART)) as server,
            cutting_proxy(server.address, lambda: rng.randrange(least, least + 6000)) as (endpoint, carried),
            runner_at(endpoint, data, tries=20, verify=True) as runner,
        ):
            runner.reset()
            outputs, _, _ = runner.run(inputs)
            cuts += len(carried)
        np.testing.assert_array_equal(outputs["sum"], whole)
    assert cuts > 16


@needs_redis
@pytest.mark.slow
@pytest.mark.parametrize("cut", ["the connection", "a connection in a frame"])
def test_a_cut_connection_to_a_redis_server(cut: str, caplog: pytest.LogCaptureFixture) -> None:
    data, inputs = compiled("accumulator"), random_inputs(compiled("accumulator"), FRAMES)
    with redis_here() as address, board_at(int(address.rpartition(":")[2])) as served:
        client = plain_client(int(address.rpartition(":")[2]))
        killed: list[str] = []

        def kill() -> None:
            rows = [row for row in client.client_list() if row["name"] == DRIVER_NAME]
            killed.extend(row["id"] for row in rows)
            client.client_kill_filter(_id=rows[0]["id"])

        message = served.board.message

        def kill_in_the_frame(words: BusWords) -> None:
            message(words)
            if served.board.frames == 3 and not killed:
                kill()

        if cut != "the connection":
            served.board.message = kill_in_the_frame  # type: ignore[method-assign]
        with make_runner(data, "redis", address=address, timeout=20, reconnect=3) as runner:
            runner.reset()
            first, _, _ = runner.run({"x": inputs["x"][:2]})
            if cut == "the connection":
                kill()
            rest, _, _ = runner.run({"x": inputs["x"][2:]})
        client.close()
    assert len(killed) == 1
    np.testing.assert_array_equal(np.concatenate([first["sum"], rest["sum"]]), expected(data, inputs)["sum"])
    if cut != "the connection":  # between two frames the redis client makes it again, and nothing is lost
        assert "the link is back, and the run goes on with frame 2; 2 frames were run again" in caplog.text
