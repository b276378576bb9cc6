"""Raw PCM from a pipe: the frames of a WAV file of the same samples, however the bytes come."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import InputError, UsageError
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.pcm_format import PCM_FORMATS, format_for
from femtodriver.inputs.pcm_stream import PcmStream
from femtodriver.inputs.reading import Reading
from tests.inputs.wav_bytes import RAMP, pcm, simple

X = InputSpec("x", 16, 16)


def stream(content: bytes, spec: InputSpec = X, form: str = "s16le", parts: Any = None, **how: Any) -> PcmStream:
    """Of these bytes, which come in ``parts`` (sizes, again and again) or as they are asked for."""
    file, sizes = io.BytesIO(content), iter(parts or ())

    def read(most: int) -> bytes:
        return file.read(min(most, next(sizes, most)))

    return PcmStream(read, spec, PCM_FORMATS[form], Reading(rate_hz=16000, **how))


def rows(source: PcmStream, most: int = 256) -> list[list[int]]:
    found: list[list[int]] = []
    while block := source.next_frames(most):
        assert block["x"].dtype == np.int64
        assert len(block["x"]) <= most
        found += block["x"].tolist()
    return found


@given(st.data(), st.integers(1, 9), st.integers(0, 70), st.integers(1, 300))
def test_frames_are_those_of_the_samples_however_they_come(
    data: st.DataObject, width: int, size: int, most: int
) -> None:
    hop = data.draw(st.integers(1, width))
    parts = data.draw(st.lists(st.integers(1, 40), max_size=80))
    samples = list(range(-20, size - 20))
    source = stream(pcm(samples), InputSpec("x", width, 16), parts=parts, hop=hop)
    wanted = [samples[start : start + width] for start in range(0, size - width + 1, hop)]
    if not wanted:
        with pytest.raises(
            InputError, match=f"must have at least {width} samples, which make one frame of .*, not {size}"
        ):
            rows(source, most)
        return
    assert rows(source, most) == wanted
    left = size - (len(wanted) - 1) * hop - width
    told = [f"standard input: the last {left} samples are not used; a frame takes {width}"]
    assert list(source.notes) == (told if left else [])


def test_a_frame_comes_before_the_end() -> None:
    asked: list[int] = []

    def read(most: int) -> bytes:
        asked.append(most)
        return pcm(RAMP[:16]) if len(asked) == 1 else b""

    source = PcmStream(read, X, PCM_FORMATS["s16le"], Reading(rate_hz=16000))
    assert source.next_frames(256)["x"].tolist() == [RAMP[:16]]
    assert len(asked) == 1
    assert source.next_frames(256) == {}
    assert source.n_frames is None
    assert source.period_s == 0.001


def test_who_wants_all_frames_at_once_asks_for_some_bytes_at_a_time() -> None:
    asked: list[int] = []

    def read(most: int) -> bytes:
        asked.append(most)
        return pcm(RAMP[:16]) if len(asked) == 1 else b""

    source = PcmStream(read, X, PCM_FORMATS["s16le"], Reading(rate_hz=16000))
    assert source.next_frames(1 << 40)["x"].tolist() == [RAMP[:16]]
    assert source.next_frames(1 << 40) == {}
    assert max(asked) <= 1 << 20  # a pipe makes room for all that is asked for


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("u8", bytes(value + 128 for value in RAMP)),
        ("s16le", pcm([256 * value for value in RAMP])),
        ("s24le", pcm([65536 * value for value in RAMP], 24)),
        ("s32le", pcm([value << 24 for value in RAMP], 32)),
        ("f32le", (np.array(RAMP) / 128).astype("<f4").tobytes()),
    ],
)
def test_every_format_means_the_same(form: str, content: bytes) -> None:
    assert [value for row in rows(stream(content, form=form)) for value in row] == [256 * value for value in RAMP]


def test_a_reader_that_waits_no_longer_ends_it_as_it_is() -> None:
    source = PcmStream(lambda most: None, X, PCM_FORMATS["s16le"], Reading(rate_hz=16000))
    assert source.next_frames(5) == {}
    assert source.notes == ()


def test_a_sample_that_is_cut_off_is_told() -> None:
    source = stream(pcm(RAMP[:16]) + b"\1")
    rows(source)
    assert source.notes == ("standard input: the last sample is cut off and not used",)


def test_a_wav_file_is_not_taken_for_samples() -> None:
    with pytest.raises(InputError, match="standard input: must be raw PCM, not a WAV file"):
        rows(stream(simple(RAMP)))


def test_levels_follow_the_scale() -> None:
    spec = InputSpec("x", 16, 16, quanta=-14)
    assert rows(stream(pcm(RAMP[:16]), spec, scale="real")) == [[value // 2 for value in RAMP[:16]]]
    assert "reads as 2 (quanta -14)" in stream(b"", spec).notes[0]


def test_a_channel_is_refused() -> None:
    with pytest.raises(UsageError, match="channel: must be given for a WAV file"):
        stream(b"", channel=1)


def test_the_narrowest_format_that_holds_the_bits() -> None:
    assert [format_for(bits).name for bits in (8, 9, 16, 24, 32, 40)] == [
        "u8",
        "s16le",
        "s16le",
        "s24le",
        "s32le",
        "s32le",
    ]
