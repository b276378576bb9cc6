"""WAV and .npy files that grow: other programs read them, and so do we."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from femtodriver.errors import UsageError
from femtodriver.inputs import InputSpec, open_inputs
from femtodriver.inputs.pcm_format import PCM_FORMATS
from femtodriver.inputs.wav_header import read_header
from femtodriver.output import sample_files
from femtodriver.output.pcm_encoder import PcmEncoder
from femtodriver.output.sample_files import NpyWriter, WavWriter

ROWS = np.arange(-15, 15).reshape(10, 3)
BITS = {"u8": 8, "s16le": 16, "s24le": 24, "s32le": 32}


def writer(path: Path, form: str, samples: int | None, rate: float = 16000) -> WavWriter:
    return WavWriter(path, PcmEncoder(InputSpec("y", 3, BITS.get(form, 16)), PCM_FORMATS[form]), rate, samples)


@pytest.mark.parametrize("samples", [30, None])
@pytest.mark.parametrize("form", BITS)
def test_the_standard_library_reads_it(tmp_path: Path, form: str, samples: int | None) -> None:
    path = tmp_path / "x.wav"
    made = writer(path, form, samples)
    for row in ROWS:
        made.write(row[np.newaxis])
    assert made.keep() == f"30 samples of {BITS[form]} bits at 16000 Hz"
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 16000, 30)
        assert file.getsampwidth() == BITS[form] // 8
    assert path.read_bytes()[36:40] == (b"data" if samples else bytes(4))
    if BITS[form] <= 24:
        with open_inputs(path, [InputSpec("x", 3, BITS[form])]) as reader:
            assert np.array_equal(reader.read(0, 10)["x"], ROWS)
            assert reader.rate_hz == 16000


def test_float_samples(tmp_path: Path) -> None:
    made = writer(tmp_path / "x.wav", "f32le", 30)
    made.write(ROWS)
    assert made.keep() == "30 float samples of 32 bits at 16000 Hz"
    with open_inputs(tmp_path / "x.wav", [InputSpec("x", 3, 16)]) as reader:
        assert np.array_equal(reader.read(0, 10)["x"], ROWS)


def test_an_odd_number_of_bytes_is_padded(tmp_path: Path) -> None:
    made = writer(tmp_path / "x.wav", "u8", 3)
    made.write(ROWS[:1])
    made.keep()
    content = (tmp_path / "x.wav").read_bytes()
    assert len(content) == 48
    assert struct.unpack("<I", content[4:8]) == (40,)
    assert struct.unpack("<I", content[40:44]) == (3,)


@pytest.mark.parametrize("form", ["s16le", "f32le"])
def test_a_long_file_is_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    path = tmp_path / "x.wav"
    made = writer(path, form, None)
    made.write(ROWS)
    monkeypatch.setattr(sample_files, "MOST_RIFF_BYTES", 100)
    made.keep()
    content = path.read_bytes()
    assert content[:4] == b"RF64"
    assert content[12:16] == b"ds64"
    whole, data, samples, table = struct.unpack("<QQQI", content[20:48])
    assert (whole, data, samples, table) == (len(content) - 8, 30 * PCM_FORMATS[form].block, 30, 0)
    content = content.replace(struct.pack("<I", 100), struct.pack("<I", (1 << 32) - 1))
    found = read_header(io.BytesIO(content), len(content), "x.wav")
    assert (found.count, found.start) == (30, len(content) - data)


def test_a_file_that_may_become_long_has_room_for_its_sizes(tmp_path: Path) -> None:
    made = writer(tmp_path / "x.wav", "s16le", 1 << 31)
    made.keep()
    assert (tmp_path / "x.wav").read_bytes()[12:20] == b"JUNK" + struct.pack("<I", 28)


@pytest.mark.parametrize("rate", [0.2, 1e10])
def test_a_rate_that_no_header_can_hold(tmp_path: Path, rate: float) -> None:
    with pytest.raises(UsageError, match="the rate must be from 1 to 4294967295 Hz"):
        writer(tmp_path / "x.wav", "s16le", 3, rate)
    assert list(tmp_path.iterdir()) == []


def test_what_is_finished_is_whole_but_not_in_its_place(tmp_path: Path) -> None:
    for make in (lambda: writer(tmp_path / "x.wav", "u8", 3), lambda: NpyWriter(tmp_path / "x.npy", 3, 16)):
        made = make()
        made.write(ROWS[:1])
        made.finish()
        (hidden,) = tmp_path.iterdir()
        content = hidden.read_bytes()
        made.finish()
        made.keep()
        (kept,) = tmp_path.iterdir()
        assert (hidden.name[0], kept.name[0], kept.read_bytes()) == (".", "x", content)
        kept.unlink()


def test_what_is_dropped_is_gone(tmp_path: Path) -> None:
    for made in (writer(tmp_path / "x.wav", "s16le", 3), NpyWriter(tmp_path / "x.npy", 3, 16)):
        made.write(ROWS)
        made.drop()
    assert list(tmp_path.iterdir()) == []


def test_one_value_is_told_as_one(tmp_path: Path) -> None:
    made = NpyWriter(tmp_path / "x.npy", 1, 16)
    made.write(ROWS[:2, :1])
    assert made.keep() == "2 frames of 1 value, int16"


@pytest.mark.parametrize(("bits", "kind"), [(8, np.int8), (16, np.int16), (24, np.int32), (40, np.int64)])
def test_numpy_reads_an_array_that_grew(tmp_path: Path, bits: int, kind: type[np.generic]) -> None:
    made = NpyWriter(tmp_path / "x.npy", 3, bits)
    for row in ROWS:
        made.write(row[np.newaxis])
    assert made.keep() == f"10 frames of 3 values, {np.dtype(kind).name}"
    found = np.load(tmp_path / "x.npy")
    assert found.dtype == kind
    assert np.array_equal(found, ROWS)
