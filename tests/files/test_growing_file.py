"""A file that grows under another name, and takes its place when it is whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from femtodriver.errors import ProgramError
from femtodriver.files.growing_file import GrowingFile


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"old")
    file = GrowingFile(path)
    file.write(b"..new")
    assert path.read_bytes() == b"old"
    file.write_at(0, b"a ")
    file.write(b" content")
    assert file.size == 13
    file.keep()
    file.drop()
    assert path.read_bytes() == b"a new content"
    assert list(tmp_path.iterdir()) == [path]


def test_a_dropped_file_leaves_nothing(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "x.bin")
    file.write(b"1")
    file.drop()
    file.drop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"), [("gone/x.wav", "No such file or directory"), ("folder", "it is no ordinary file")]
)
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ProgramError, match=rf"{name}: cannot be written: {reason}\. Choose another place\."):
        GrowingFile(tmp_path / name)


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = GrowingFile(tmp_path / "x.wav")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file._file.fileno())
    os.close(full)
    with pytest.raises(ProgramError, match=r"x\.wav: cannot be written: No space left on device\. Free some room"):
        file.write(bytes(1 << 20))
    file.drop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="links are those of POSIX systems")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.wav").symlink_to(tmp_path / "x.wav")
    file = GrowingFile(tmp_path / "link.wav")
    file.write(b"new")
    file.keep()
    assert (tmp_path / "link.wav").is_symlink()
    assert (tmp_path / "x.wav").read_bytes() == b"new"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link.wav", "x.wav"]
