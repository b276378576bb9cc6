"""Runners on frames that come block by block: the same verdict as when all frames are there at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.arrays import Int64Array
from femtodriver.inputs import InputSpec, open_inputs
from femtodriver.inputs.frame_stream import FrameStream
from femtodriver.runners.compare_runs import Comparison, run_all
from femtodriver.runners.runner import Runner, Values
from femtodriver.runners.stream_runs import stream_all
from femtodriver.stop_signals import FrameBrokenError, Stop

SPEC = InputSpec("x", 2, 16)


class Odd(Runner):
    """Gives its input plus ``errors[frame]``, for at most ``frames`` frames, ``frames_at_once`` at a time."""

    def __init__(self, name: str, errors: dict[int, int], frames: int | None = None, at_once: int = 1) -> None:
        super().__init__(name, [SPEC])
        self.errors, self.frames, self.frames_at_once = errors, frames, at_once
        self.frame = self.finishes = 0

    @property
    def frames_left(self) -> int | None:
        return None if self.frames is None else self.frames - self.frame

    def _reset(self) -> None:
        self.frame = 0

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        raise AssertionError("blocks are given")

    def _run_block(self, inputs: Values) -> tuple[Values, Values]:
        x = inputs["x"]
        added = np.array([self.errors.get(self.frame + place, 0) for place in range(len(x))], np.int64)
        self.frame += len(x)
        made = x + added[:, np.newaxis]
        return {"y": made, "z": x.copy()}, {"inside": made * 2}

    def _finish(self) -> None:
        self.finishes += 1


def source(frames: int) -> FrameStream:
    return FrameStream(open_inputs({"x": rows(frames)}, [SPEC]), 0, frames)


def rows(frames: int) -> Int64Array:
    return np.arange(2 * frames).reshape(frames, 2)


ERRORS = st.dictionaries(st.integers(0, 30), st.integers(-3, 3), max_size=5)


@given(ERRORS, ERRORS, st.integers(1, 30), st.integers(1, 9), st.sampled_from([None, 2.0]))
def test_the_verdict_is_that_of_all_frames_at_once(
    one: dict[int, int], two: dict[int, int], frames: int, at_once: int, tolerance: float | None
) -> None:
    def runners() -> list[Runner]:
        return [Odd("a", {}, at_once=at_once), Odd("b", one, at_once=at_once), Odd("c", two, at_once=at_once)]

    wanted = run_all({"x": rows(frames)}, runners(), with_internals=True, error_tolerance=tolerance)
    given = {runner.name: runner for runner in runners()}
    found = stream_all(source(frames), given, stop=Stop(), tolerance=tolerance)
    assert found.verdicts == wanted.verdicts
    assert (found.passed, found.lines, found.frames) == (wanted.passed, wanted.lines, wanted.frames)
    assert (dict(found.outputs), dict(found.internals)) == ({}, {})


def test_a_runner_that_ends_early_is_compared_as_far_as_it_went() -> None:
    ended = {"a": Odd("a", {}, at_once=4), "b": Odd("b", {5: 1}, frames=6, at_once=4)}
    found = stream_all(source(10), ended, stop=Stop())
    assert found.frames == {"a": 10, "b": 6}
    assert found.status == (
        "a != b: output 'y', frame 5, element 0: a gives 10, b gives 11 (2 of 12 values differ, by at most 1); "
        "a != b inside: internal value 'inside', frame 5, element 0: a gives 20, b gives 22 "
        "(2 of 12 values differ, by at most 2)"
    )
    equal = {"a": Odd("a", {}, at_once=4), "b": Odd("b", {}, frames=8, at_once=4)}
    assert stream_all(source(10), equal, stop=Stop()).lines == ["a = b, 8 frames of 10, bit-exact"]


def test_outputs_of_the_first_are_given_in_order_and_progress_is_told() -> None:
    made: list[list[int]] = []
    told: list[Any] = []
    pair = {"a": Odd("a", {1: 1}, at_once=4), "b": Odd("b", {}, at_once=8)}
    stream_all(
        source(10),
        pair,
        lambda outputs: made.extend(outputs["y"].tolist()),
        stop=Stop(),
        progress=lambda *what: told.append(what),
    )
    assert made == [[0, 1], [3, 4], *rows(10)[2:].tolist()]
    assert told == [("a, b", 4, 10), ("a, b", 8, 10), ("a, b", 10, 10)]


def test_it_stops_between_two_blocks() -> None:
    stop, runner = Stop(), Odd("a", {}, at_once=4)
    told: list[Any] = []
    found: Comparison = stream_all(
        source(10),
        {"a": runner},
        lambda outputs: stop.ask("enough", 1),
        stop=stop,
        progress=lambda *what: told.append(what),
    )
    assert told == [("a", 4, 10), ("a", 4, 4)]
    assert found.frames == {"a": 4}
    assert runner.finishes == 1
    assert replace(found, streamed=None).frames == {}


def test_runners_are_finished_when_one_raises() -> None:
    class Faulty(Odd):
        def _run_block(self, inputs: Values) -> tuple[Values, Values]:
            raise ZeroDivisionError

    pair = {"a": Odd("a", {}), "b": Faulty("b", {})}
    with pytest.raises(ZeroDivisionError):
        stream_all(source(3), pair, stop=Stop())
    assert [runner.finishes for runner in pair.values()] == [1, 1]


class Board(Odd):
    """Breaks off at some frame, or in its reset (-1), as a board does when the run is to end."""

    runs_first = True

    def __init__(self, name: str, at: int, stop: Stop) -> None:
        super().__init__(name, {})
        self.at, self.stop = at, stop

    def _reset(self) -> None:
        super()._reset()
        self._break(-1)

    def _run_block(self, inputs: Values) -> tuple[Values, Values]:
        self._break(self.frame)
        return super()._run_block(inputs)

    def _break(self, frame: int) -> None:
        if frame == self.at:
            self.stop.ask("interrupted", 2)
            raise FrameBrokenError


@pytest.mark.parametrize("at", [-1, 0, 3])
def test_a_frame_that_a_board_gives_up_ends_the_run_before_it(at: int) -> None:
    stop = Stop()
    found = stream_all(source(9), {"a": Odd("a", {}), "board": Board("board", at, stop)}, stop=stop)
    assert found.frames == {"a": max(at, 0), "board": max(at, 0)}
    assert found.passed
    stop = Stop()
    whole = run_all({"x": rows(9)}, [Odd("a", {}), Board("board", at, stop)], stop=lambda: stop.asked)
    assert whole.frames == {"board": max(at, 0)}
