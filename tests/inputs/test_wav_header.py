"""Headers of WAV files: every form that writers leave, and every one that must be refused."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import InputError
from femtodriver.inputs.wav_header import MOST_CHUNKS, WavHeader, read_header
from tests.inputs.wav_bytes import RAMP, RATE, chunk, ds64, fmt, pcm, riff, simple

DATA = pcm(RAMP)
GOOD = riff(fmt(16), chunk(b"data", pcm([1, 2])))


def header(content: bytes) -> WavHeader:
    return read_header(io.BytesIO(content), len(content), "x.wav")


def outcome(content: bytes) -> WavHeader | str:
    """The header, or what is said of a file that is refused."""
    try:
        return header(content)
    except InputError as error:
        return str(error)


def refusal(content: bytes) -> str:
    text = outcome(content)
    assert isinstance(text, str)
    assert text.startswith("x.wav: ")
    return text


def test_the_usual_file() -> None:
    assert header(simple(RAMP)) == WavHeader(44, 80, 2, False, "<", RATE)


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("magic", [b"RIFF", b"RIFX"])
@pytest.mark.parametrize(("bits", "tag"), [(8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3)])
def test_every_sample_format(bits: int, tag: int, magic: bytes, extensible: bool) -> None:
    order = ">" if magic == b"RIFX" else "<"
    form = fmt(bits, tag=tag, extensible=extensible, order=order)
    found = header(riff(form, chunk(b"data", bytes(bits), order=order), magic=magic))
    assert (found.count, found.block, found.is_float, found.order) == (8, bits // 8, tag == 3, order)
    assert not found.streamed


@pytest.mark.parametrize(("bits", "block"), [(20, 3), (12, 2), (17, 3), (31, 4)])
def test_samples_may_have_fewer_bits_than_their_bytes(bits: int, block: int) -> None:
    assert header(riff(fmt(bits, block=block), chunk(b"data", bytes(12)))).block == block
    whole = fmt(8 * block, extensible=True, valid=bits)
    assert header(riff(whole, chunk(b"data", bytes(12)))).block == block


# What sox, arecord, ffmpeg and others leave where they cannot seek: the sizes of the samples and of the whole.
STREAMED = [
    (0xFFFFFFFF, 0xFFFFFFFF),
    (0xFFFFFFDB, 0xFFFFFFFF),
    (0x7FFFFFFF, 0x80000023),
    (0x7FFFF000, 0x7FFFF024),
    (0x7FFFFFDB, 0x7FFFFFFF),
    (0x80000000, 0x80000024),
    (0, 0),
    (0, 36),
    (0, 0xFFFFFFFF),
]


@pytest.mark.parametrize(("size", "total"), STREAMED)
def test_a_file_from_a_pipe_reaches_to_its_end(size: int, total: int) -> None:
    found = header(riff(fmt(16), chunk(b"data", DATA, size=size), size=total))
    assert (found.start, found.count, found.streamed, found.left_over) == (44, 80, True, 0)


@pytest.mark.parametrize(("size", "total"), STREAMED)
def test_a_file_from_a_pipe_may_end_within_a_sample(size: int, total: int) -> None:
    content = riff(fmt(24), chunk(b"LIST", b"abc"), chunk(b"data", DATA, size=size), size=total)
    found = header(content)
    assert (found.count, found.streamed, found.left_over) == (53, True, 1)


def test_a_long_file_tells_its_size_elsewhere() -> None:
    for magic in (b"RF64", b"BW64"):
        content = riff(
            ds64(160),
            fmt(16),
            chunk(b"data", DATA, size=0xFFFFFFFF),
            chunk(b"LIST", b"more"),
            magic=magic,
            size=2**32 - 1,
        )
        found = header(content)
        assert (found.count, found.streamed) == (80, False)


@pytest.mark.parametrize("size", [0, 2**64 - 1])
def test_a_long_file_from_a_pipe(size: int) -> None:
    sizes = chunk(b"ds64", struct.pack("<QQQI", size, size, 0, 0))
    found = header(riff(sizes, fmt(16), chunk(b"data", DATA, size=0xFFFFFFFF), magic=b"RF64", size=2**32 - 1))
    assert (found.count, found.streamed) == (80, True)


def test_a_file_of_more_than_four_gigabytes() -> None:
    size = 5 << 30
    content = riff(ds64(size), fmt(16), chunk(b"data", b"", size=0xFFFFFFFF), magic=b"RF64", size=2**32 - 1)
    found = read_header(io.BytesIO(content), len(content) + size, "x.wav")
    assert (found.count, found.streamed) == (size // 2, False)


def test_a_size_near_two_gigabytes_may_be_true() -> None:
    size = 0x7FFFF000
    content = riff(fmt(16), chunk(b"data", b"", size=size))
    found = read_header(io.BytesIO(content), len(content) + size + 100, "x.wav")
    assert (found.count, found.streamed) == (size // 2, False)


def test_other_chunks_of_odd_length_are_passed_over() -> None:
    content = riff(chunk(b"JUNK", b"abc"), fmt(16), chunk(b"LIST", b"12345"), chunk(b"data", b"\1\0\2\0"))
    assert header(content).count == 2


def test_what_follows_the_samples_does_not_matter() -> None:
    assert header(GOOD + b"LIST\xff\xff\xff\xffrest").count == 2


def test_samples_may_stand_before_their_format() -> None:
    assert header(riff(chunk(b"data", DATA), fmt(16))) == WavHeader(20, 80, 2, False, "<", RATE)


@pytest.mark.parametrize("total", [b"\0\0\0\0", b"\x04\0\0\0", b"\x10\x27\0\0"])
def test_a_wrong_size_of_the_whole_is_no_obstacle(total: bytes) -> None:
    assert header(GOOD[:4] + total + GOOD[8:]).count == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be a WAV file, not an empty file."),
        (b"hello, world", "must be a WAV file, not text."),
        (b"fLaC" + bytes(100), "must be a WAV file, not FLAC audio."),
        (b"RIFF\0\0\0\0AVI ", "must be a WAV file, not another RIFF file."),
        (GOOD[:30], 'chunk "fmt " must have 16 bytes, not 10. The file is cut off.'),
        (GOOD[:-1], 'chunk "data" must have 4 bytes, not 3. The file is cut off.'),
        (riff(fmt(16), chunk(b"data", DATA, size=10**9)), "must have 1000000000 bytes, not 160. The file is cut off."),
        (riff(fmt(16), chunk(b"data", DATA, size=0xFFFF0000)), "not 160. The file is cut off."),
        (
            riff(ds64(1600), fmt(16), chunk(b"data", DATA, size=0xFFFFFFFF), magic=b"RF64"),
            'chunk "data" must have 1600 bytes, not 160. The file is cut off.',
        ),
        (
            riff(fmt(16), chunk(b"data", DATA, size=0xFFFFFFFF), magic=b"RF64"),
            "an RF64 file must have a chunk 'ds64' before its samples.",
        ),
        (riff(chunk(b"a\x1b[m", DATA, size=10**9)), 'chunk "a\\u001b[m" must have 1000000000 bytes'),
        (GOOD[:36], "must have a chunk 'data', which is missing"),
        (riff(chunk(b"data", b"\1\0")), "must have a chunk 'fmt ', which is missing"),
        (riff(chunk(b"fmt ", b"\1\0"), chunk(b"data", b"\1\0")), "chunk 'fmt ' must have at least 16 bytes, not 2"),
        (riff(fmt(16), chunk(b"data", b"")), "must be a positive number of blocks of 2 bytes, not 0 bytes"),
        (
            riff(fmt(16), chunk(b"data", b""), chunk(b"LIST", b"abcd")),
            "must be a positive number of blocks of 2 bytes, not 0 bytes",
        ),
        (riff(fmt(16), chunk(b"data", b"\1\0\2")), "must be a positive number of blocks of 2 bytes, not 3 bytes"),
        (riff(fmt(16, channels=2), chunk(b"data", b"\1\0\2\0")), "must be mono, not of 2 channels. Choose one of them"),
        (riff(fmt(16, channels=0, block=2), chunk(b"data", b"\1\0")), "must have a channel, not 0."),
        (riff(fmt(8, tag=6), chunk(b"data", b"\1\0")), "samples must be PCM or float, not format 6 (A-law). Convert"),
        (riff(fmt(8, tag=999), chunk(b"data", b"\1\0")), "must be PCM or float, not format 999 (unknown)"),
        (riff(fmt(16, tag=0xFFFE), chunk(b"data", b"\1\0")), "must be PCM or float, not format 65534"),
        (riff(fmt(24, block=4), chunk(b"data", bytes(8))), "without unused bytes, not 24 bits in blocks of 4 bytes"),
        (riff(fmt(16, block=0), chunk(b"data", b"\1\0")), "not 16 bits in blocks of 0 bytes"),
        (riff(fmt(4, block=1), chunk(b"data", b"\1\0")), "PCM samples must have 8 to 32 bits without unused bytes"),
        (riff(fmt(40), chunk(b"data", bytes(10))), "PCM samples must have 8 to 32 bits without unused bytes, not 40"),
        (riff(fmt(16, tag=3), chunk(b"data", b"\1\0")), "float samples must have 32 or 64 bits without unused bytes"),
        (riff(fmt(16), *[chunk(b"JUNK", b"")] * MOST_CHUNKS), f"must have its samples among its first {MOST_CHUNKS} "),
    ],
)
def test_a_file_that_cannot_be_used_says_why(content: bytes, message: str) -> None:
    assert message in refusal(content)


@given(cut=st.integers(1, 159))
def test_a_file_that_was_cut_off_is_never_taken(cut: int) -> None:
    assert "The file is cut off." in refusal(simple(RAMP)[:-cut])


sizes = st.sampled_from([0, 1, 7, 16, 18, 40, 2**31 - 1, 2**31, 2**32 - 8192, 2**32 - 1]) | st.integers(0, 2**32 - 1)
chunks = st.tuples(st.sampled_from([b"fmt ", b"data", b"ds64", b"LIST", b"x\0\n\x1b"]), st.binary(max_size=60), sizes)


@pytest.mark.slow
@settings(max_examples=500)
@given(
    magic=st.sampled_from([b"RIFF", b"RIFX", b"RF64", b"BW64"]),
    total=sizes,
    parts=st.lists(chunks, max_size=5),
    good=st.booleans(),
)
def test_whatever_the_chunks_claim_the_samples_lie_within_the_file(
    magic: bytes, total: int, parts: list[tuple[bytes, bytes, int]], good: bool
) -> None:
    order = ">" if magic == b"RIFX" else "<"
    made = [chunk(name, body, size=size, order=order) for name, body, size in parts]
    content = riff(*([fmt(16, order=order)] if good else []), *made, magic=magic, size=total)
    found = outcome(content)
    if isinstance(found, str):
        assert found.isprintable()
        return
    assert found.count > 0
    assert 12 < found.start <= found.start + found.count * found.block + found.left_over <= len(content)


@pytest.mark.slow
@settings(max_examples=500)
@given(edits=st.lists(st.tuples(st.integers(0, 79), st.integers(0, 255)), max_size=4), end=st.integers(0, 90))
def test_a_damaged_header_is_read_or_refused_and_nothing_else(edits: list[tuple[int, int]], end: int) -> None:
    content = bytearray(riff(fmt(24, extensible=True), chunk(b"data", pcm([1, 2, 3, 4], 24))))
    for place, value in edits:
        content[place] = value
    found = outcome(bytes(content[:end]))
    assert isinstance(found, str) or found.start + found.count * found.block <= end
