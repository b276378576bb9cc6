"""Latched inputs: left out of a frame, they keep their last value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import InputError
from femtodriver.inputs import InputSpec, LatchedInputs, read_inputs

AUDIO = InputSpec("audio", 2, 16)
GAIN = InputSpec("gain", 1, 8, latched=True)
SPECS = (AUDIO, GAIN)


def frame(audio: int, gain: int | None = None) -> dict[str, Any]:
    """A frame that may leave the gain out."""
    return {"audio": [audio, audio], **({} if gain is None else {"gain": [gain]})}


def test_a_list_of_frames_is_filled_in() -> None:
    found = LatchedInputs(SPECS).frames([frame(1), frame(2, 7), frame(3), frame(4, 8)])
    assert found["gain"].tolist() == [[0], [7], [7], [8]]
    assert found["audio"].tolist() == [[1, 1], [2, 2], [3, 3], [4, 4]]


def test_what_was_kept_goes_on_and_a_reset_clears_it() -> None:
    latches = LatchedInputs(SPECS)
    latches.keep({"audio": np.zeros(2, np.int64), "gain": np.array([5])})
    assert np.asarray(latches.frame(frame(1))["gain"]).tolist() == [5]
    assert latches.frames({"audio": np.zeros((3, 2), int)})["gain"].tolist() == [[5]] * 3
    latches.reset()
    assert latches.frames([frame(1)])["gain"].tolist() == [[0]]


def test_the_shape_that_the_frames_have_is_kept() -> None:
    square = InputSpec("gain", 4, 8, (2, 2), latched=True)
    found = LatchedInputs((AUDIO, square)).frames([frame(1), {**frame(2), "gain": [[1, 2], [3, 4]]}])
    assert found["gain"].shape == (2, 2, 2)


def test_without_latched_inputs_nothing_is_touched() -> None:
    given_arrays = {"audio": np.zeros((1, 2))}
    latches = LatchedInputs((AUDIO,))
    assert latches.frames(given_arrays) is given_arrays
    assert latches.frame(given_arrays) is given_arrays
    whole = {"audio": np.zeros((1, 2)), "gain": np.zeros((1, 1))}
    assert LatchedInputs(SPECS).frames(whole) is whole


def test_something_must_say_how_many_frames_there_are() -> None:
    with pytest.raises(InputError, match="how many frames"):
        LatchedInputs(SPECS).frames({})


def test_inputs_that_are_not_latched_must_be_given() -> None:
    with pytest.raises(InputError, match='must have an array for "audio"'):
        read_inputs([{"gain": [1]}, {}], SPECS)
    assert read_inputs([frame(1), frame(2, 3)], SPECS).arrays["gain"].tolist() == [[0], [3]]


@given(st.lists(st.none() | st.integers(-128, 127), min_size=1, max_size=8), st.integers(0, 8))
def test_one_list_is_the_same_as_two_after_each_other(gains: list[int | None], cut: int) -> None:
    frames: list[Mapping[str, Any]] = [frame(1, gain) for gain in gains]
    whole = LatchedInputs(SPECS).frames(frames)["gain"].tolist()
    latches, parts = LatchedInputs(SPECS), []
    for part in (frames[:cut], frames[cut:]):
        if part:
            rows = latches.frames(part)
            latches.keep({name: np.asarray(values)[-1] for name, values in rows.items()})
            parts += rows["gain"].tolist()
    assert parts == whole
