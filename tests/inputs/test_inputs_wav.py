"""WAV files of every form that users have, written here byte by byte or by the standard library."""

from __future__ import annotations

import struct
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from femtodriver.errors import InputError
from femtodriver.inputs import InputSpec, load_inputs, read_wav
from femtodriver.inputs.wav_file import rescale

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
RATE = 16000
Write = Callable[[bytes], Path]


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def fmt(bits: int, *, tag: int = 1, channels: int = 1, block: int | None = None, extensible: bool = False) -> bytes:
    block = channels * bits // 8 if block is None else block
    head = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, RATE, RATE * block, block, bits)
    if extensible:
        head += struct.pack("<HHIH", 22, bits, 0, tag) + GUID_TAIL
    return chunk(b"fmt ", head)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def packed24(values: list[int]) -> bytes:
    return b"".join(struct.pack("<i", value)[:3] for value in values)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: bytes) -> Path:
        path = tmp_path / "x.wav"
        path.write_bytes(content)
        return path

    return write_file


def by_wave(path: Path, width: int, data: bytes, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(RATE)
        file.writeframes(data)
    return path


def test_16_bit_pcm_of_the_standard_library_is_taken_as_it_is(tmp_path: Path) -> None:
    values = np.array([0, 1, -1, 32767, -32768, 1234], "<i2")
    samples, bits, rate = read_wav(by_wave(tmp_path / "a.wav", 2, values.tobytes()))
    assert samples.tolist() == values.tolist()
    assert (samples.dtype, bits, rate) == (np.int64, 16, RATE)


def test_8_bit_pcm_is_unsigned(tmp_path: Path) -> None:
    samples, bits, _ = read_wav(by_wave(tmp_path / "a.wav", 1, bytes([0, 127, 128, 255])))
    assert (samples.tolist(), bits) == ([-128, -1, 0, 127], 8)


def test_24_bit_pcm(tmp_path: Path) -> None:
    values = [0, 1, -1, 2**23 - 1, -(2**23), 0x123456]
    samples, bits, _ = read_wav(by_wave(tmp_path / "a.wav", 3, packed24(values)))
    assert (samples.tolist(), bits) == (values, 24)


def test_32_bit_pcm(tmp_path: Path) -> None:
    samples, bits, _ = read_wav(by_wave(tmp_path / "a.wav", 4, struct.pack("<3i", -(2**31), 5, 2**31 - 1)))
    assert (samples.tolist(), bits) == ([-(2**31), 5, 2**31 - 1], 32)


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("bits", [32, 64])
def test_float_is_scaled_rounded_half_up_and_saturated(write: Write, bits: int, extensible: bool) -> None:
    step = 2.0**-15
    values = [0.0, 1.0, -1.0, 2.5, -7.0, 0.5 * step, -0.5 * step, 1.4 * step, -1.6 * step, 0.25]
    data = struct.pack(f"<10{'f' if bits == 32 else 'd'}", *values)
    samples, width, _ = read_wav(write(riff(fmt(bits, tag=3, extensible=extensible), chunk(b"data", data))))
    assert samples.tolist() == [0, 32767, -32768, 32767, -32768, 1, 0, 1, -2, 8192]
    assert width == 16


def test_huge_floats_saturate_without_a_warning(write: Write) -> None:
    data = struct.pack("<2d", 1e308, -1e308)
    assert read_wav(write(riff(fmt(64, tag=3), chunk(b"data", data))))[0].tolist() == [32767, -32768]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_number_is_refused(write: Write, value: float) -> None:
    path = write(riff(fmt(32, tag=3), chunk(b"data", struct.pack("<3f", 0, 0, value))))
    with pytest.raises(InputError, match=r"x\.wav: sample 2 must be a finite number, not (nan|inf|-inf)\."):
        read_wav(path)


def test_extensible_24_bit_pcm(write: Write) -> None:
    path = write(riff(fmt(24, extensible=True), chunk(b"data", packed24([-5, 7]))))
    assert read_wav(path)[0].tolist() == [-5, 7]


def test_other_chunks_of_odd_length_are_passed_over(write: Write) -> None:
    content = riff(chunk(b"JUNK", b"abc"), fmt(16), chunk(b"LIST", b"12345"), chunk(b"data", b"\1\0\2\0"))
    assert read_wav(write(content))[0].tolist() == [1, 2]


def test_what_follows_the_samples_does_not_matter(write: Write) -> None:
    content = riff(fmt(16), chunk(b"data", b"\1\0\2\0"))
    assert read_wav(write(content + b"LIST\xff\xff\xff\xffrest"))[0].tolist() == [1, 2]


def test_a_header_with_a_wrong_total_size_is_no_obstacle(write: Write) -> None:
    content = riff(fmt(16), chunk(b"data", b"\1\0\2\0"))
    assert read_wav(write(content[:4] + b"\0\0\0\0" + content[8:]))[0].tolist() == [1, 2]


GOOD = riff(fmt(16), chunk(b"data", b"\1\0\2\0"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be a RIFF WAVE file, not a file that starts with b''"),
        (b"hello, world", "must be a RIFF WAVE file, not a file that starts with b'hello, world'"),
        (b"RIFX" + GOOD[4:], "must be a RIFF WAVE file, not a file that starts with b'RIFX"),
        (GOOD[:30], "chunk 'fmt ' must have 16 bytes, not 10. The file is cut off."),
        (GOOD[:-1], "chunk 'data' must have 4 bytes, not 3. The file is cut off."),
        (GOOD[:36], "must have a chunk 'data', which is missing"),
        (riff(chunk(b"data", b"\1\0")), "must have a chunk 'fmt ', which is missing"),
        (riff(chunk(b"fmt ", b"\1\0"), chunk(b"data", b"\1\0")), "chunk 'fmt ' must have at least 16 bytes, not 2"),
        (riff(fmt(16), chunk(b"data", b"")), "must be a positive number of blocks of 2 bytes, not 0 bytes"),
        (riff(fmt(16), chunk(b"data", b"\1\0\2")), "must be a positive number of blocks of 2 bytes, not 3 bytes"),
        (riff(fmt(16, channels=2), chunk(b"data", b"\1\0\2\0")), "must be mono, not of 2 channels. Mix them or choose"),
        (riff(fmt(16, channels=0, block=2), chunk(b"data", b"\1\0")), "must be mono, not of 0 channels"),
        (riff(fmt(8, tag=6), chunk(b"data", b"\1\0")), "samples must be PCM or float, not format 6 (A-law). Convert"),
        (riff(fmt(8, tag=999), chunk(b"data", b"\1\0")), "must be PCM or float, not format 999 (unknown)"),
        (
            riff(fmt(12, block=2), chunk(b"data", b"\1\0")),
            "PCM samples must have 8, 16, 24, 32 bits without gaps, not 12",
        ),
        (riff(fmt(24, block=4), chunk(b"data", b"\1\0")), "not 24 bits in blocks of 4 bytes"),
        (riff(fmt(16, block=0), chunk(b"data", b"\1\0")), "not 16 bits in blocks of 0 bytes"),
        (
            riff(fmt(16, tag=3), chunk(b"data", b"\1\0")),
            "float samples must have 32, 64 bits without gaps, not 16 bits",
        ),
        (riff(fmt(16, tag=0xFFFE), chunk(b"data", b"\1\0")), "must be PCM or float, not format 65534"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(write: Write, content: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_wav(write(content))
    assert message in str(caught.value)
    assert "x.wav: " in str(caught.value)


def test_stereo_of_the_standard_library_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Mix them or choose one first: ffmpeg -i in\.wav -ac 1 out\.wav"):
        read_wav(by_wave(tmp_path / "a.wav", 2, b"\0" * 8, channels=2))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.wav: the file cannot be read: No such file or directory\."):
        read_wav(tmp_path / "none.wav")
    with pytest.raises(InputError, match="the file cannot be read: "):
        read_wav(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1))
def test_24_bits_survive(tmp_path: Path, values: list[int]) -> None:
    assert read_wav(by_wave(tmp_path / "a.wav", 3, packed24(values)))[0].tolist() == values


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(place=st.integers(0, 79), value=st.integers(0, 255), end=st.integers(0, 90))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(write: Write, place: int, value: int, end: int) -> None:
    content = bytearray(riff(fmt(24, extensible=True), chunk(b"data", packed24([1, 2, 3, 4]))))
    content[place] = value
    try:
        samples, bits, _ = read_wav(write(bytes(content[:end])))
    except InputError:
        return
    assert len(samples) > 0
    assert abs(samples).max() <= 2 ** (bits - 1)


@pytest.mark.parametrize(
    ("from_bits", "to_bits", "before", "after"),
    [
        (16, 16, [-32768, 5], [-32768, 5]),
        (24, 16, [256, 255, -1, -256, -257, 2**23 - 1], [1, 0, -1, -1, -2, 32767]),
        (8, 16, [-128, 1, 127], [-32768, 256, 32512]),
        (16, 8, [-32768, 255, 256, -1, 32767], [-128, 0, 1, -1, 127]),
        (16, 24, [-32768, 1], [-(2**23), 256]),
        (32, 16, [-(2**31), 65536], [-32768, 1]),
    ],
)
def test_full_scale_stays_full_scale(from_bits: int, to_bits: int, before: list[int], after: list[int]) -> None:
    assert rescale(np.array(before), from_bits, to_bits).tolist() == after


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 16, 24])
def test_every_width_fits_every_input(tmp_path: Path, width: int, bits: int) -> None:
    extremes = b"\0\xff" if width == 1 else b"\0" * (width - 1) + b"\x80" + b"\xff" * (width - 1) + b"\x7f"
    path = by_wave(tmp_path / "a.wav", width, extremes)
    frames = load_inputs(path, [InputSpec("x", 2, bits)])["x"]
    low, high = InputSpec("x", 2, bits).limits
    lost = 2 ** max(0, bits - 8 * width) - 1
    assert frames.tolist() == [[low, high - lost]]
