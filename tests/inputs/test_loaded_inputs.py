"""The inputs of a run: what is used of a source, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import InputError, UsageError
from femtodriver.inputs.generated_frames import default_frames, random_inputs
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.loaded_inputs import load_inputs, read_inputs, select_frames
from tests.inputs.wav_bytes import RAMP, chunk, fmt, pcm, riff, simple

X = InputSpec("x", 16, 16)
BOTH = [InputSpec("a", 3, 16), InputSpec("b", 5, 8)]


def test_the_example_of_the_documentation() -> None:
    samples = np.random.default_rng(0).integers(-1024, 1024, size=(1000,))
    inputs = load_inputs(samples, [X], sample_indices=[0, 4])
    assert inputs["x"].tolist() == samples[:64].reshape(4, 16).tolist()


def test_everything_that_is_known_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(simple(RAMP))
    found = read_inputs(path, [InputSpec("x", 12, 16, quanta=0)], sample_indices=(1, 3))
    assert found.arrays["x"].tolist() == [RAMP[12:24], RAMP[24:36]]
    assert found.period_s == 12 / 16000
    assert found.notes == (
        'input "x": the last 8 of 80 samples are not used; a frame takes 12',
        f'{path}: full scale (1.0) becomes 32767, which input "x" reads as 32768 (quanta 0); '
        "--scale real keeps 1.0 at 1.0",
        "inputs: frames 1 to 2 of 6 are used, as the range 1,3 says",
    )


def test_inputs_by_scale() -> None:
    spec = InputSpec("x", 2, 16, quanta=-15)
    found = read_inputs([[0.5, -2.0]], [spec], scale="real")
    assert found.arrays["x"].tolist() == [[16384, -32768]]
    assert len(found.notes) == 2
    assert found.period_s is None


def test_what_a_range_leaves_out_is_told_after_what_is_clipped() -> None:
    found = read_inputs([[0.0], [9.0], [0.5]], [InputSpec("x", 1, 8)], scale=100, sample_indices=(1, 3))
    assert found.notes[1:] == (
        'input "x": 1 of 2 values clipped to -128..127; the farthest was 9 (times 100)',
        "inputs: frames 1 to 2 of 3 are used, as the range 1,3 says",
    )


@pytest.mark.parametrize(
    ("indices", "told"),
    [
        ((0, 4), ()),
        ((0, 9), ("inputs: frames 0 to 3 of 4 are used, as the range 0,9 says",)),
        ((3, 4), ("inputs: frame 3 of 4 is used, as the range 3,4 says",)),
    ],
)
def test_ranges_of_generated_frames(indices: tuple[int, int], told: tuple[str, ...]) -> None:
    found = read_inputs(None, BOTH, n_frames=4, seed=5, sample_indices=indices)
    whole = random_inputs(BOTH, 4, 5)
    assert all(np.array_equal(found.arrays[name], whole[name][slice(*indices)]) for name in whole)
    assert found.notes == told


def test_generated_frames_are_those_of_today_unless_varied_ones_are_asked_for() -> None:
    today, varied = (
        read_inputs(None, [X], n_frames=3, seed=4),
        read_inputs(None, [X], n_frames=3, seed=4, style="varied"),
    )
    assert np.array_equal(today.arrays["x"], random_inputs([X], 3, 4)["x"])
    assert today.notes == ()
    assert np.array_equal(varied.arrays["x"], default_frames([X], 3, 4)["x"])
    assert varied.notes == (
        "inputs: 3 frames from seed 4 (1 full-range, 1 all-max, 1 all-min); --input-file takes others",
    )


def test_a_scale_without_effect_is_told() -> None:
    assert read_inputs(None, [X], scale=2).notes == ("scale: without effect, because generated frames are integers",)


def test_load_inputs_gives_the_arrays_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(simple(RAMP))
    found = load_inputs(str(path), [X], sample_indices=[1, 9])
    assert type(found) is dict
    assert found["x"].tolist() == [RAMP[at : at + 16] for at in (16, 32, 48, 64)]


def test_of_a_long_recording_only_what_is_asked_for_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "hour.wav"
    size = 2 * 16000 * 3600
    with path.open("wb") as file:
        file.write(riff(fmt(16), chunk(b"data", pcm([7] * 64), size=size)))
        file.truncate(44 + size)
    found = read_inputs(path, [X], sample_indices=(0, 5))
    assert found.arrays["x"].tolist() == [[7] * 16] * 4 + [[0] * 16]
    assert found.notes == ("inputs: frames 0 to 4 of 3600000 are used, as the range 0,5 says",)


@given(st.integers(1, 12), st.integers(0, 15), st.integers(1, 15))
def test_a_frame_range_is_a_slice(frames: int, low: int, count: int) -> None:
    inputs = {"x": np.arange(frames * 2).reshape(frames, 2), "y": np.arange(frames).reshape(frames, 1)}
    if low >= frames:
        with pytest.raises(InputError, match=f"must start within the {frames} frames of the inputs, from 0"):
            select_frames(inputs, low, low + count)
        return
    chosen = select_frames(inputs, low, low + count)
    assert chosen["x"].tolist() == inputs["x"].tolist()[low : low + count]
    assert len(chosen["y"]) == len(chosen["x"]) >= 1


@pytest.mark.parametrize(("low", "high"), [(2, 2), (3, 1), (-1, 2)])
def test_an_empty_or_negative_range_is_refused(low: int, high: int) -> None:
    message = f"frame range: must be lo,hi with 0 <= lo < hi, not {low},{high}"
    with pytest.raises(InputError, match=message):
        select_frames({"x": np.zeros((4, 1), np.int64)}, low, high)
    with pytest.raises(InputError, match=message):
        read_inputs(None, [X], sample_indices=(low, high))


@pytest.mark.parametrize("indices", [[1], [1, 2, 3], "ab", 5, [0, 1.5], [None, 3]])
def test_a_range_that_is_none_is_refused(indices: Any) -> None:
    with pytest.raises(UsageError, match="input_sample_indices: must be two frame numbers lo, hi, not"):
        read_inputs(None, [X], sample_indices=indices)


def test_values_out_of_range_exit_with_one() -> None:
    with pytest.raises(InputError) as caught:
        read_inputs([[40000] * 16], [X])
    assert caught.value.exit_code == 1


def test_a_network_without_inputs_needs_none() -> None:
    assert read_inputs(None, []).arrays == {}
    assert load_inputs({}, []) == {}
