"""Samples of WAV files, compared with those that were written, by us or by the standard library."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import InputError
from femtodriver.inputs.stored_array import StoredArray
from femtodriver.inputs.wav_file import wav_samples
from tests.inputs.wav_bytes import RAMP, chunk, fmt, pcm, real, riff


def samples(content: bytes) -> StoredArray:
    return wav_samples(io.BytesIO(content), len(content), "x.wav")[0]


def by_wave(width: int, data: bytes) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(data)
    return stream.getvalue()


def test_8_bits_are_unsigned() -> None:
    found = samples(by_wave(1, bytes([0, 127, 128, 255])))
    assert found.whole().tolist() == [-128, -1, 0, 127]
    assert found.dtype == found.whole().dtype == np.int16


@pytest.mark.parametrize(("bits", "dtype"), [(16, np.int16), (24, np.int32), (32, np.int32)])
def test_samples_of_the_standard_library(bits: int, dtype: type[np.generic]) -> None:
    values = [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), 0x1234]
    found = samples(by_wave(bits // 8, pcm(values, bits)))
    assert found.whole().tolist() == values
    assert found.dtype == found.whole().dtype == dtype


@given(values=st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1), big=st.booleans())
def test_24_bits_survive_in_both_orders(values: list[int], big: bool) -> None:
    order, magic = (">", b"RIFX") if big else ("<", b"RIFF")
    content = riff(fmt(24, order=order), chunk(b"data", pcm(values, 24, order), order=order), magic=magic)
    assert samples(content).whole().tolist() == values


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_big_endian_files(bits: int) -> None:
    content = riff(fmt(bits, order=">"), chunk(b"data", pcm(RAMP, bits, ">"), order=">"), magic=b"RIFX")
    assert samples(content).whole().tolist() == RAMP


@pytest.mark.parametrize("bits", [32, 64])
def test_floats_stay_what_they_are(bits: int) -> None:
    values = [0.0, 1.0, -2.5, float("inf"), 0.1]
    assert samples(real(values, bits)).whole().tolist() == np.array(values, f"f{bits // 8}").tolist()


def test_big_endian_floats() -> None:
    content = riff(
        fmt(32, tag=3, order=">"), chunk(b"data", np.array([0.25, -3.0], ">f4").tobytes(), order=">"), magic=b"RIFX"
    )
    assert samples(content).whole().tolist() == [0.25, -3.0]


def test_20_bits_stand_at_the_upper_end_of_24() -> None:
    values = [value << 4 for value in (-(2**19), -1, 0, 5, 2**19 - 1)]
    for form in (fmt(20, block=3), fmt(24, extensible=True, valid=20)):
        assert samples(riff(form, chunk(b"data", pcm(values, 24)))).whole().tolist() == values


@given(st.integers(0, 80), st.integers(0, 80), st.sampled_from([8, 16, 24, 32]))
def test_a_part_is_a_slice_of_the_whole(first: int, last: int, bits: int) -> None:
    first, last = sorted((first, last))
    found = samples(riff(fmt(bits), chunk(b"data", bytes(range(80)) * (bits // 8))))
    assert found.read(first, last).tolist() == found.whole()[first:last].tolist()


def test_only_what_is_asked_for_is_read() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            content = super().read(size)
            self.taken += len(content)
            return content

    content = riff(fmt(16), chunk(b"data", bytes(1_000_000)))
    file = Counting(content)
    found, _ = wav_samples(file, len(content), "x.wav")
    found.read(100_000, 100_010)
    assert file.taken < 300


def test_the_rest_of_a_file_that_ends_within_a_sample_is_told() -> None:
    found = samples(riff(fmt(16), chunk(b"data", b"\1\0\2\0\3", size=0xFFFFFFFF))[:-1])
    assert found.whole().tolist() == [1, 2]
    assert found.notes == ("x.wav: the last sample is cut off and not used",)


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    content = riff(fmt(16), chunk(b"data", bytes(100)))
    file = io.BytesIO(content)
    found, _ = wav_samples(file, len(content), "x.wav")
    file.truncate(60)
    with pytest.raises(InputError, match=r"x\.wav: must have 100 bytes from byte 44 on, not 16\. The file was cut off"):
        found.whole()
