"""Zip archives and files: what is refused, what is deterministic."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import ProgramError
from femtodriver.program import archive


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-zé%_]{1,9}\.txt", fullmatch=True), st.binary(max_size=99), max_size=5))
def test_write_and_read_are_inverse(files: dict[str, bytes]) -> None:
    data = archive.write_zip(files)
    assert archive.read_zip(data) == files
    assert list(archive.read_zip(data)) == list(files)
    assert archive.write_zip(files) == data


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def _patched(data: bytes, *patches: tuple[bytes, int, bytes]) -> bytes:
    """``data`` with bytes replaced at an offset after the last place of a marker."""
    changed = bytearray(data)
    for marker, offset, value in patches:
        at = changed.rindex(marker) + offset
        changed[at : at + len(value)] = value
    return bytes(changed)


CENTRAL, END = b"PK\x01\x02", b"PK\x05\x06"
ONE = _zip(("a.txt", b"hello"))
TWO = _zip(("a.txt", b"hello"), ("b.txt", b"world"))


def _bomb() -> bytes:
    return _zip(("a.txt", bytes(3 << 20)), method=zipfile.ZIP_DEFLATED)


def _lie(size: int) -> bytes:
    return _patched(_zip(("a.txt", b"hello"), method=zipfile.ZIP_DEFLATED), (CENTRAL, 24, struct.pack("<I", size)))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: b"", "must be a zip archive; it does not start with the bytes PK"),
        (lambda: b"text", "must be a zip archive"),
        (lambda: b"x" + ONE, "must be a zip archive"),
        (lambda: ONE[:-30], "the archive is damaged"),
        (lambda: ONE[: len(ONE) // 2], "the archive is damaged"),
        (lambda: _zip(("../a", b"")), r"a file name must be plain, without folders, not '\.\./a'"),
        (lambda: _zip(("/a", b"")), "must be plain, without folders, not '/a'"),
        (lambda: _zip(("d/", b"")), "must be plain, without folders, not 'd/'"),
        (lambda: _zip(("a\\b", b"")), "must be plain, without folders"),
        (lambda: _zip(("c:", b"")), "must be plain, without folders"),
        (lambda: _zip(("..", b"")), "must be plain, without folders"),
        (lambda: _zip(("a\nb", b"")), "must be plain, without folders"),
        (lambda: _patched(TWO, (CENTRAL, 46, b"a.txt")), "the file 'a.txt' must appear once, not twice"),
        (lambda: _patched(TWO, (CENTRAL, 42, bytes(4))), "must not overlap another one"),
        (lambda: _patched(ONE, (CENTRAL, 8, b"\x01")), "a.txt must not be encrypted"),
        (lambda: _zip(("a.txt", b"x"), method=zipfile.ZIP_LZMA), "a.txt must be stored or deflated, not method 14"),
        (lambda: _patched(ONE, (CENTRAL, 16, b"\x00\x00\x00\x00")), "the archive is damaged: Bad CRC-32"),
        (lambda: _patched(ONE, (END, 16, b"\xff\xff\xff\x00")), "the file 'a.txt' must not overlap"),
        (_bomb, "a.txt must expand at most 100-fold; it claims 3145728 bytes"),
        (lambda: _lie(1 << 31), "a.txt must have at most 16777216 bytes, not 2147483648"),
        (lambda: _lie(40), "a.txt must have 40 bytes as listed, not 5"),
        (lambda: _lie(3), "the archive is damaged"),
        (lambda: _zip(*((f"{i}", b"") for i in range(1025))), "must have at most 1024 files, not 1025"),
    ],
)
def test_archives_are_refused(make: Callable[[], bytes], sentence: str) -> None:
    with pytest.raises(ProgramError, match=f"^archive: .*{sentence}"):
        archive.read_zip(make())


def test_an_image_of_zeros_is_no_bomb() -> None:
    image = b"0000000000000000\n" * 65536
    data = archive.write_zip({"image.txt": image})
    assert len(image) > 300 * len(data)
    assert archive.read_zip(data) == {"image.txt": image}


def test_many_large_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_TOTAL", 100)
    with pytest.raises(ProgramError, match="the files must have at most 100 bytes in all, not 120"):
        archive.read_zip(_zip(("a", bytes(60)), ("b", bytes(60))))


def test_deflate_that_never_ends_is_bounded() -> None:
    """The stream holds more than the directory says; no more than that is taken."""
    stream = zlib.compress(bytes(1 << 20))[2:-4]
    data = _patched(
        archive.write_zip({"a.txt": bytes(1 << 20)}),
        (CENTRAL, 24, struct.pack("<I", 100)),
        (b"PK\x03\x04", 22, struct.pack("<I", 100)),
    )
    assert len(stream) < len(data)
    with pytest.raises(ProgramError, match="archive: "):
        archive.read_zip(data)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ProgramError, match="the directory cannot be made"):
        archive.write_directory(tmp_path / "file" / "x", {})
