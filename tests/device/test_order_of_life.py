"""A runner out of order, and inputs that are none: one sentence each, whatever the board, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from femtodriver.device import BoardSettings, SPURunner, make_runner
from femtodriver.device.session.frame_messages import output_arrays
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import DeviceError, InputError, UsageError
from femtodriver.program.metadata import OutputRecord
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


MASKED = np.ma.masked_array([1] * 16, [False, True] + [False] * 14)
WRONG = [
    (None, r'input "x": a frame must have the shape \(16,\), not \(\)'),
    ("abcd", r"must have the shape \(16,\), not \(\)"),
    (np.zeros((4, 4), int), r"must have the shape \(16,\), not \(4, 4\)"),
    ([0] * 17, r"must have the shape \(16,\), not \(17,\)"),
    ([[1], [2, 3], *[[4]] * 14], "must be an array of numbers with rows of equal length"),
    (MASKED, r"must be a plain array, not a masked one \(masked values: 1, the first at \[1\]\)"),
    ([MASKED[1], *[1] * 15], r"must be a plain array, not a masked one \(masked values: 1\)"),
    (["a"] * 16, "must hold integers, not <U1"),
    ([True] * 16, "must hold integers, not bool"),
    ([1j] * 16, "must hold integers, not complex128"),
    ([None] * 16, "must hold integers of at most 64 bits, not object"),
    ([1 << 70] * 16, "must hold integers of at most 64 bits, not object"),
    ([0, 0, 0.5, *[0] * 13], "element 2: must be a whole number, not 0.5"),
    ([0, np.nan, *[0] * 14], "element 1: must be a whole number, not nan"),
    ([np.inf, *[0] * 15], "element 0: must be a whole number, not inf"),
    ([0, 0, 0, 1e300, *[0] * 12], r"element 3: must be between -32768 and 32767 \(16 bits\), not 1e\+300"),
    ([0, 0, 0, 32768, *[0] * 12], "element 3: must be between -32768 and 32767"),
    ([0, 0, 0, -32769.0, *[0] * 12], "element 3: must be between -32768 and 32767"),
]


@pytest.mark.parametrize(("values", "sentence"), WRONG)
def test_values_that_are_no_frame(values: Any, sentence: str) -> None:
    with make_runner(compiled("identity"), "fakezynq") as runner:
        runner.reset()
        with pytest.raises(InputError, match=sentence):
            runner.step({"x": values})
        with pytest.raises(InputError, match='inputs: must have an array for "x", which is missing'):
            runner.step({"y": values})
        with pytest.raises(InputError, match='inputs: must be inputs of the network, not "y"'):
            runner.step({"x": values, "y": values})
        runner.step(GOOD)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.array([[0] * 16, [0] * 15 + [40000]]), "frame 1, element 15: must be between -32768 and 32767"),
        ([np.zeros(16, int), MASKED], r"must be a plain array, not a masked one"),
        (np.zeros((0, 16), int), "must have at least one frame"),
        (np.zeros(16, int), r"must have the shape \(frames, 16\), not \(16,\)"),
    ],
)
def test_a_run_sends_nothing_unless_all_frames_fit(
    runner: SPURunner, values: Any, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.reset()
    with monkeypatch.context() as patch:
        patch.setattr(runner.ioplug, "write", lambda *given: pytest.fail("something was sent"))
        with pytest.raises(InputError, match=sentence):
            runner.run({"x": values})
    runner.step(GOOD)


@pytest.mark.parametrize("values", [[1, -1] * 8, np.array([1, -1] * 8, np.float32), np.ma.array([1, -1] * 8)])
def test_whole_numbers_of_any_type(server: BoardServer, values: Any) -> None:
    with make_runner(compiled("identity"), "zynq", address=server.endpoint, timeout=20) as runner:
        runner.reset()
        (outputs,) = runner.step({"x": values})[0].values()
        assert outputs.tolist() == [1, -1] * 8


def test_the_order_of_life_is_told_before_the_inputs(runner: SPURunner) -> None:
    for call in (runner.step, runner.run):
        with pytest.raises(UsageError, match=r"reset\(\) must come first"):
            call({})


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


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda runner: runner.hw_recv((0, "DM0", 0), "a"), "the number of words must be a whole number, not 'a'"),
        (lambda runner: runner.hw_send(None, [1]), r"must be a register's name or \(core, name, offset\), not None"),
        (lambda runner: runner.hw_send(("0", "DM0", 0), [1]), r"must be a register's name or \(core, name, offset\)"),
        (lambda runner: runner.hw_send((0, "DM0", 0), MASKED), "values must be a 1-D list of whole numbers"),
        (lambda runner: runner.integrity_check_all_memories(0), "the number of words must be at least 1, not 0"),
        (lambda runner: runner.integrity_check_all_memories("a"), "the number of words must be at least 1, not 'a'"),
        (lambda runner: runner.make_fake_inputs(2.5), "the number of frames must be a whole number in .*, not 2.5"),
        (lambda runner: runner.make_fake_inputs(10**12), "the number of frames must be a whole number in "),
    ],
)
def test_arguments_of_other_methods(runner: SPURunner, call: Any, sentence: str) -> None:
    runner.reset()
    with pytest.raises(UsageError, match=sentence):
        call(runner)
    runner.step(GOOD)  # nothing has happened


def test_masked_words_are_refused() -> None:
    with pytest.raises(InputError, match="reply values: must be a plain array, not a masked one"):
        make_runner(compiled("identity"), "fakezynq", reply_values=MASKED)
