"""A runner out of order, and inputs that are none: one sentence each, whatever the board, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from femtodriver.device import BoardSettings, SPURunner
from femtodriver.device.session.frame_messages import input_messages, output_arrays
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import DeviceError, InputError, UsageError
from femtodriver.program.metadata import InputRecord, OutputRecord
from tests.device.networks import compiled

GOOD = {"x": np.zeros(16, np.int64)}


@pytest.fixture(params=["fakezynq", "zynq"])
def runner(request: pytest.FixtureRequest, server: BoardServer) -> Iterator[SPURunner]:
    address = None if request.param == "fakezynq" else server.endpoint
    settings = BoardSettings(hardware=request.param, address=address, timeout=20)
    with SPURunner(compiled("identity"), settings=settings) as found:
        yield found


def test_a_step_before_a_reset(runner: SPURunner) -> None:
    for step in (runner.step, lambda frame: runner.run({"x": frame["x"][np.newaxis]})):
        with pytest.raises(UsageError, match=r"reset\(\) must come first"):
            step(GOOD)


def test_a_step_after_the_end(runner: SPURunner) -> None:
    runner.reset()
    runner.step(GOOD)
    runner.finish()
    runner.finish()
    with pytest.raises(UsageError, match=r"the runner has finished; reset\(\) starts it again"):
        runner.step(GOOD)
    runner.reset()
    runner.step(GOOD)


def test_a_step_after_a_failure(runner: SPURunner, monkeypatch: pytest.MonkeyPatch) -> None:
    runner.reset()

    def fail(*arguments: object) -> None:
        raise DeviceError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(runner.ioplug, "write", fail)
        with pytest.raises(DeviceError, match="gone"):
            runner.step(GOOD)
    with pytest.raises(UsageError, match=r"a frame failed; reset\(\) must come first"):
        runner.step(GOOD)
    with monkeypatch.context() as patch:
        patch.setattr(runner.ioplug, "write", fail)
        with pytest.raises(DeviceError, match="gone"):
            runner.reset()
    with pytest.raises(UsageError, match=r"the last reset\(\) failed; reset\(\) must succeed first"):
        runner.step(GOOD)
    runner.reset()
    runner.step(GOOD)


def test_wrong_inputs_do_not_end_the_session(runner: SPURunner) -> None:
    runner.reset()
    with pytest.raises(InputError):
        runner.step({})
    runner.step(GOOD)


@pytest.mark.parametrize("wrong", [None, 7, "x", [1], np.zeros(16, int)])
def test_inputs_that_are_no_mapping(runner: SPURunner, wrong: Any) -> None:
    runner.reset()
    for call in (runner.step, runner.run):
        with pytest.raises(InputError, match="inputs: must be a mapping from input name to array, not "):
            call(wrong)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (None, r"input 'x': a frame must have shape \(4,\), not \(\)"),
        ("abcd", r"must have shape \(4,\), not \(\)"),
        (np.zeros((2, 2), int), r"must have shape \(4,\), not \(2, 2\)"),
        (np.zeros(3, int), r"must have shape \(4,\), not \(3,\)"),
        ([[1], [2, 3], [4], [5]], "must be an array of numbers with rows of equal length"),
        (np.ma.masked_array([1, 2, 3, 4], [False, True, False, False]), "must be a plain array, not a masked one"),
        (["a"] * 4, "elements must be integers, not <U1"),
        ([True] * 4, "elements must be integers, not bool"),
        ([1j] * 4, "elements must be integers, not complex128"),
        ([None] * 4, "elements must be integers, not object"),
        ([1 << 70] * 4, "elements must be integers, not object"),
        ([0, 0, 0.5, 0], "element 2 must be a whole number, not 0.5"),
        ([0, np.nan, 0, 0], "element 1 must be a whole number, not nan"),
        ([np.inf, 0, 0, 0], "element 0 must be a whole number, not inf"),
        ([0, 0, 0, 1e300], r"element 3 must be a whole number, not 1e\+300"),
        ([0, 0, 0, 32768], r"element 3 must be in -32768\.\.\.32767"),
        ([0, 0, 0, -32769.0], r"element 3 must be in -32768\.\.\.32767"),
    ],
)
def test_values_that_are_no_frame(values: Any, sentence: str) -> None:
    record = InputRecord("x", core=1, pc_val=3, words=1, bits=16, usable=4)
    with pytest.raises(InputError, match=sentence):
        input_messages({"x": values}, [record])


@pytest.mark.parametrize("values", [[1, -1, 2, 0], np.array([1, -1, 2, 0], np.float32), np.ma.array([1, -1, 2, 0])])
def test_whole_numbers_of_any_type(values: Any) -> None:
    record = InputRecord("x", core=1, pc_val=3, words=1, bits=16, usable=4)
    (message,) = input_messages({"x": values}, [record])
    assert message.tolist() == [1, 3, 0xFFFF0001, 2]


OUTPUTS = [OutputRecord(name, 0, mailbox, words=1, bits=16, usable=4) for name, mailbox in (("a", 1), ("b", 5))]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([0x1F, 1, 0, 0, 0x1F, 1, 0, 0], "test: expected an output of mailbox 5, got 1"),
        ([0x1F, 1, 0, 0, 0x1F, 5, 0, 0, 0x1F, 5, 0, 0], "test: expected an output of mailbox none, got 5"),
        ([0x1E, 1, 0, 0, 0x1F, 5, 0, 0], "test: expected status 0x1f in the header of an output, got 0x1e"),
        ([0x1F, 1, 0, 0, 0x1F, 5], "test: expected 1 payload words of output 'b', got 0"),
    ],
)
def test_messages_that_are_not_the_outputs(words: list[int], sentence: str) -> None:
    with pytest.raises(DeviceError, match=sentence):
        output_arrays(np.array(words, np.uint32), OUTPUTS, "test")


def test_an_output_that_is_missing() -> None:
    with pytest.raises(DeviceError, match="test: expected an output of mailbox 5, and there is none"):
        output_arrays(np.array([0x1F, 1, 0, 0], np.uint32), OUTPUTS, "test")
