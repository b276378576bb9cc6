"""Files are read and written with limits, and every refusal is one sentence that names the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from femtodriver.errors import FemtoError, InputError, ModelError, ProgramError, UsageError
from femtodriver.files.file_access import MissingFileError, open_file, read_file, write_file

POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are those of POSIX systems")


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_file(tmp_path / "a", 10) == b"0123456789"
    with pytest.raises(ProgramError, match=r"a: must have at most 9 bytes, not 10\.$"):
        read_file(tmp_path / "a", 9)


@pytest.mark.parametrize("kind", [UsageError, InputError, ModelError])
def test_the_caller_names_the_kind_of_error(tmp_path: Path, kind: type[FemtoError]) -> None:
    with pytest.raises(kind, match=r"gone: the file must exist\.$"):
        read_file(tmp_path / "gone", 10, kind)
    with pytest.raises(kind, match=r"must be an ordinary file, not a directory\.$"):
        read_file(tmp_path, 10, kind)


def test_a_missing_program_is_a_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError) as caught:
        read_file(tmp_path / "gone", 10)
    assert isinstance(caught.value, FileNotFoundError)


@POSIX
def test_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ProgramError, match="pipe: must be an ordinary file, not a pipe"):
        read_file(tmp_path / "pipe", 10)


@POSIX
def test_a_file_that_became_a_pipe_is_refused_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    ordinary = os.stat(tmp_path / "file")
    monkeypatch.setattr(os, "stat", lambda path: ordinary)
    with pytest.raises(ProgramError, match="pipe: must be an ordinary file, not a pipe"):
        read_file(tmp_path / "pipe", 10)


@POSIX
def test_devices_are_refused_even_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "zero.wav").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"zero\.wav: must be an ordinary file, not a device"):
        read_file(tmp_path / "zero.wav", 10, InputError)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no files of unknown size on this system")
def test_a_file_whose_size_the_system_does_not_tell_is_limited() -> None:
    assert b"Name:" in read_file("/proc/self/status", 1 << 20)
    with pytest.raises(ProgramError, match="must have at most 9 bytes, not more"):
        read_file("/proc/self/status", 9)


def test_odd_names_are_refused_and_shown_escaped(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match=r"'a.x00b': a file name must not contain a NUL"):
        read_file("a\0b", 10)
    with pytest.raises(ProgramError, match=r"'.*x1b\[31m': the file must exist"):
        read_file(tmp_path / "\x1b[31m", 10)


def test_a_name_that_the_system_cannot_write_is_refused() -> None:
    with pytest.raises(ProgramError, match=r"a file name must be text that this system can write"):
        read_file("a\ud800b", 10)


def test_a_file_is_read_in_pieces_and_errors_of_the_reader_stay_their_own(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    with open_file(tmp_path / "a", 10) as file:
        file.seek(3)
        assert file.read(2) == b"34"
    assert file.closed
    with pytest.raises(ValueError, match="mine"), open_file(tmp_path / "a", 10):
        raise ValueError("mine")
    with pytest.raises(MissingFileError, match="other"), open_file(tmp_path / "a", 10):
        raise MissingFileError("other")


def test_a_read_that_fails_later_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    with (
        pytest.raises(InputError, match="a: cannot be read: Input/output error"),
        open_file(tmp_path / "a", 10, InputError),
    ):
        raise OSError(5, "Input/output error")


def test_failed_writes_leave_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(ProgramError, match=r"target: cannot be written: "):
        write_file(target, b"new")
    with pytest.raises(ProgramError, match=r"none/x: cannot be written: No such file or directory"):
        write_file(tmp_path / "none" / "x", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["target"]


@POSIX
def test_a_file_takes_the_place_of_no_pipe(tmp_path: Path) -> None:
    """Whoever may write into /dev would lose /dev/null otherwise."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ProgramError, match=r"pipe: cannot be written: it is no ordinary file\.$"):
        write_file(tmp_path / "pipe", b"new")
    assert [(entry.name, entry.is_fifo()) for entry in tmp_path.iterdir()] == [("pipe", True)]


@POSIX
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """/dev/stdout is one."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder / "target")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (folder / "target").read_bytes() == b"new"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "link"]
