"""Reads and writes files. Every file that a user names is opened here, and nowhere else.

A file must be an ordinary one of at most the stated size: pipes and devices would make us wait or never end, so they
are refused before they are opened.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from femtodriver.errors import FemtoError, ProgramError

AnyPath = str | os.PathLike[str]


class MissingFileError(ProgramError, FileNotFoundError):
    """A file or directory of a compiled program that does not exist."""


def read_file(path: AnyPath, max_bytes: int, error: type[FemtoError] = ProgramError) -> bytes:
    """The bytes of an ordinary file of at most ``max_bytes``.

    Raises ``error`` for a file that does not exist, is not an ordinary one, is larger or cannot be read; where
    ``error`` is ProgramError, a file that does not exist is a MissingFileError, which is a FileNotFoundError too.
    """
    with open_file(path, max_bytes, error) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:  # it grew, or is one of those whose size the system does not know
        raise error(f"{shown_path(path)}: must have at most {max_bytes} bytes, not more.")
    return content


@contextlib.contextmanager
def open_file(path: AnyPath, max_bytes: int, error: type[FemtoError] = ProgramError) -> Iterator[BinaryIO]:
    """The same file, opened to be read in pieces; errors as for ``read_file``, also for a read that fails later."""
    where = shown_path(path)
    with _opened(path, where, max_bytes, error) as file:
        try:
            yield file
        except FemtoError:  # some are OSErrors as well
            raise
        except OSError as failure:
            raise error(f"{where}: cannot be read: {reason_of(failure)}.") from None


def _opened(path: AnyPath, where: str, max_bytes: int, error: type[FemtoError]) -> BinaryIO:
    if "\0" in os.fspath(path):
        raise error(f"{where}: a file name must not contain a NUL character.")
    try:
        _check(os.stat(path), where, max_bytes, error)  # before opening: opening some devices acts on them
        file = open(path, "rb", opener=_open_now)  # noqa: SIM115 (the caller closes it)
        try:
            _check(os.fstat(file.fileno()), where, max_bytes, error)
        except FemtoError:
            file.close()
            raise
        return file
    except FileNotFoundError:
        missing = MissingFileError if error is ProgramError else error
        raise missing(f"{where}: the file must exist.") from None
    except UnicodeEncodeError:
        raise error(f"{where}: a file name must be text that this system can write.") from None
    except OSError as failure:
        raise error(f"{where}: cannot be read: {reason_of(failure)}.") from None


def shown_path(path: AnyPath) -> str:
    """The path for a message: as it is when it can be printed, else quoted with escapes."""
    text = os.fspath(path)
    return text if text.isprintable() else repr(text)


def reason_of(failure: OSError) -> str:
    """The system's words for a failure."""
    return failure.strerror or str(failure)


def write_file(path: Path, data: bytes) -> None:
    """Replaces or makes the file in one step, as ``replaced`` does. ProgramError when that is not possible."""
    with replaced(path) as temporary, open(temporary, "xb") as file:
        file.write(data)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Replaces or makes the file in one step: a reader sees the old bytes or the new ones. Links stay links.

    The body writes the new file, to the path that it gets, which takes the place of the old one if the body ends well.
    Raises ProgramError with the system's reason when that is not possible.
    """
    temporary = None
    try:
        place, temporary = hidden_beside(path)
        yield temporary
        os.replace(temporary, place)
    except (OSError, UnicodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else error
        raise ProgramError(f"{shown_path(path)}: cannot be written: {reason}.") from None
    finally:
        if temporary is not None:
            remove_file(temporary)


def hidden_beside(path: Path) -> tuple[Path, Path]:
    """Where a file is to be, which for a link is what it leads to, and a new path beside it for what is unfinished.

    OSError for a device, a pipe or a folder, whose place the file would take, and for a name with a NUL character.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "embedded null byte", str(path))
    place = Path(os.path.realpath(path)) if path.is_symlink() else path
    if place.exists() and not place.is_file():
        raise OSError(errno.EINVAL, "it is no ordinary file", str(place))
    return place, place.parent / f".{place.name[:40]}.{secrets.token_hex(4)}"


def remove_file(path: Path) -> None:
    """Removes the file when it is there and can be removed."""
    with contextlib.suppress(OSError, ValueError):
        path.unlink(missing_ok=True)


def make_directory(path: Path) -> None:
    """Makes the directory and its parents; ProgramError with the system's reason when that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProgramError(f"{shown_path(path)}: the directory cannot be made: {reason_of(error)}.") from None


def _open_now(path: str, flags: int) -> int:
    """Opens without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def _check(status: os.stat_result, where: str, max_bytes: int, error: type[FemtoError]) -> None:
    for is_kind, kind in _OTHER_KINDS:
        if is_kind(status.st_mode):
            raise error(f"{where}: must be an ordinary file, not {kind}.")
    if status.st_size > max_bytes:
        raise error(f"{where}: must have at most {max_bytes} bytes, not {status.st_size}.")


_OTHER_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (lambda mode: not stat.S_ISREG(mode), "a device"),
)
