"""Frames by number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import InputError
from femtodriver.inputs import frame_reader
from femtodriver.inputs.array_inputs import whole_numbers
from femtodriver.inputs.frame_reader import FrameReader, InputFrames
from femtodriver.inputs.input_spec import MOST_ELEMENTS, InputSpec
from femtodriver.inputs.real_values import RealValues
from femtodriver.inputs.stored_array import StoredArray, in_memory


def numbered(spec: InputSpec, frames: AnyArray, first: int) -> Int64Array:
    """The values, with the number of the frame in front of them."""
    numbers = 1000 * (first + np.arange(len(frames)))
    return frames.astype(np.int64) + numbers[:, np.newaxis]


def reader(size: int, width: int) -> FrameReader:
    spec = InputSpec("x", width, 16)
    stored = in_memory(np.arange(size, dtype=np.int16))
    return FrameReader([InputFrames(spec, stored, partial(numbered, spec))])


@given(st.integers(1, 6), st.integers(1, 20), st.data(), st.sampled_from([1, 2, 7, 1000]))
def test_a_part_is_a_slice_of_all_however_it_is_cut(width: int, frames: int, data: st.DataObject, block: int) -> None:
    low, high = sorted((data.draw(st.integers(0, frames)), data.draw(st.integers(0, frames))))
    rest = data.draw(st.integers(0, width - 1))
    wanted = np.arange(frames * width).reshape(frames, width) + 1000 * np.arange(frames)[:, np.newaxis]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_reader, "_BLOCK", block)
        with reader(frames * width + rest, width) as source:
            assert source.n_frames == frames
            found = source.read(low, high)["x"]
    assert found.dtype == np.int64
    assert np.array_equal(found, wanted[low:high])


@given(st.integers(1, 8), st.data(), st.integers(0, 60), st.sampled_from([1, 5, 1000]))
def test_frame_i_begins_at_sample_i_times_the_hop(width: int, data: st.DataObject, size: int, block: int) -> None:
    hop = data.draw(st.integers(1, width))
    spec = InputSpec("x", width, 16)
    samples = np.arange(size, dtype=np.int16)
    wanted = [samples[start : start + width].tolist() for start in range(0, size - width + 1, hop)]
    source = FrameReader(
        [InputFrames(spec, in_memory(samples), lambda rows, first: whole_numbers(rows, spec, first), hop=hop)]
    )
    assert source.n_frames == len(wanted)
    low, high = sorted((data.draw(st.integers(0, len(wanted))), data.draw(st.integers(0, len(wanted)))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_reader, "_BLOCK", block)
        assert source.read(low, high)["x"].tolist() == wanted[low:high]


def test_only_the_frames_that_are_asked_for_are_read() -> None:
    asked: list[tuple[int, int]] = []

    def read(first: int, last: int) -> AnyArray:
        asked.append((first, last))
        return np.zeros(last - first, np.int16)

    spec = InputSpec("x", 16, 16)
    stored = StoredArray((10**9,), np.dtype(np.int16), read)
    FrameReader([InputFrames(spec, stored, partial(numbered, spec))]).read(10**6, 10**6 + 4)
    assert asked == [(16 * 10**6, 16 * 10**6 + 64)]


def test_more_than_memory_should_hold_is_refused_before_it_is_read() -> None:
    def read(first: int, last: int) -> AnyArray:
        raise AssertionError("nothing must be read")

    spec = InputSpec("x", 16, 16)
    stored = StoredArray((2 * MOST_ELEMENTS,), np.dtype(np.int16), read)
    source = FrameReader([InputFrames(spec, stored, partial(numbered, spec))])
    with pytest.raises(InputError, match=r"at most 268435456 elements can be read at once, not 536870912\. Choose"):
        source.read(0, source.n_frames)


def test_notes_are_those_of_files_of_inputs_and_of_what_was_clipped() -> None:
    spec = InputSpec("x", 2, 8)
    stored = in_memory(np.array([1.0, 200.0, 3.0, -200.0]), ("of the file",))
    convert = RealValues(spec, 1.0)
    source = FrameReader([InputFrames(spec, stored, convert, ("of the input",))])
    assert list(source.notes) == ["of the file", "of the input"]
    source.read(0, 1)
    assert list(source.notes) == [
        "of the file",
        "of the input",
        'input "x": 1 of 2 values clipped to -128..127; the farthest was 200 (times 1)',
    ]


def test_files_are_closed_once_whatever_happens() -> None:
    closed: list[str] = []

    def source() -> FrameReader:
        files = ExitStack()
        files.callback(closed.append, "x")
        return FrameReader([], files)

    def failing(one: FrameReader) -> None:
        with one:
            raise InputError("stop")

    ends: list[Callable[[FrameReader], None]] = [FrameReader.close, lambda one: one.__exit__(None, None, None)]
    for end in ends:
        one = source()
        end(one)
        one.close()
    with pytest.raises(InputError, match="stop"):
        failing(source())
    assert closed == ["x"] * 3


def test_a_network_without_inputs_has_no_frames() -> None:
    assert FrameReader([]).n_frames == 0
    assert FrameReader([]).read(0, 0) == {}
