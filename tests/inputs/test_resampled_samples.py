"""Audio at another rate: block by block the same as at once, and what it says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import UsageError
from femtodriver.inputs import InputSpec, open_inputs, resampled_samples
from femtodriver.inputs.resampled_samples import resampled
from femtodriver.inputs.stored_array import in_memory
from tests.inputs.wav_bytes import RAMP, chunk, fmt, pcm, riff, simple

soxr = pytest.importorskip("soxr")
X = InputSpec("x", 16, 16)
NOISE = np.random.default_rng(5).integers(-32768, 32768, 3000).astype(np.int16)


def at_once(samples: Any, from_hz: float, to_hz: float) -> list[int]:
    made = soxr.resample(samples.astype(np.float64), from_hz, to_hz, quality="VHQ")
    return np.clip(np.floor(made + 0.5), -32768, 32767).astype(int).tolist()  # type: ignore[no-any-return]


@settings(deadline=None)
@given(
    st.integers(1, 3000),
    st.sampled_from([(44100, 16000), (8000, 16000), (16000, 16001), (48000, 100)]),
    st.data(),
    st.sampled_from([7, 100, 1 << 15]),
)
def test_any_part_is_that_of_all_at_once(count: int, rates: tuple[int, int], data: st.DataObject, block: int) -> None:
    wanted = at_once(NOISE[:count], *rates)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampled_samples, "_BLOCK", block)
        found = resampled(in_memory(NOISE[:count]), 16, *rates, "x.wav")
        assert found.size == len(wanted)
        assert found.dtype == np.int16
        for _ in range(4):  # forwards, a little back, and far back
            first, last = sorted(data.draw(st.tuples(st.integers(0, len(wanted)), st.integers(0, len(wanted)))))
            assert found.read(first, last).tolist() == wanted[first:last]


def test_what_is_behind_is_not_kept() -> None:
    source = resampled_samples._Source(in_memory(np.zeros(1 << 20, np.int16)), 16, 16000, 8000)
    for first in range(0, 1 << 19, 1000):
        source.read(first, min(first + 1500, 1 << 19))
        assert len(source._made) <= 1500 + (1 << 15)


def test_floats_keep_their_type() -> None:
    found = resampled(in_memory((NOISE / 32768).astype(np.float32)), 32, 16000, 8000, "x.wav")
    assert found.read(0, 10).dtype == np.float32


def test_frames_and_period_are_those_of_the_new_rate(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(riff(fmt(16, channels=2, rate=44100), chunk(b"data", pcm(NOISE.tolist()))))
    with open_inputs(path, [X], channel=2, resample_hz=16000, hop=8) as reader:
        wanted = at_once(NOISE[1::2], 44100, 16000)
        assert (reader.rate_hz, reader.period_s) == (16000, 8 / 16000)
        assert reader.read(3, 5)["x"].tolist() == [wanted[24:40], wanted[32:48]]
        assert f"{path}: resampled from 44100 to 16000 Hz (soxr {soxr.__version__}, VHQ)" in reader.notes


def test_the_rate_that_it_has_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(simple(RAMP))
    with open_inputs(path, [X], resample_hz=16000) as reader:
        assert reader.read(0, 5)["x"].reshape(-1).tolist() == RAMP
        assert not any("resampled" in note for note in reader.notes)


def test_what_cannot_be_resampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(simple(RAMP, rate=0))
    with pytest.raises(UsageError, match=r"resample: the rate of .* must be known"):
        open_inputs(path, [X], resample_hz=8000)
    with pytest.raises(UsageError, match="resample: must be given for a WAV file, not for arrays"):
        open_inputs(np.zeros(80), [X], resample_hz=8000)
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(UsageError, match=r"soxr must be installed; pip install 'open-femtodriver\[audio\]'"):
        open_inputs(path, [X], rate_hz=16000, resample_hz=8000)
