"""Flat archives and directories: a mapping of plain file names to bytes, with limits, without paths.

Nothing is ever extracted under a name found in an archive; names that look like paths are refused.
"""

from __future__ import annotations

import io
import logging
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

from femtodriver.errors import ProgramError
from femtodriver.files.file_access import MissingFileError, make_directory, read_file, remove_file, write_file

MAX_MEMBERS = 1024
MAX_FILE = 16 << 20
MAX_TOTAL = 96 << 20
MAX_ARCHIVE = 64 << 20
# Deflate reaches 1000:1 on an image of zeros, so the ratio counts for files larger than any image only.
RATIO_FROM = 2 << 20
MAX_RATIO = 100

_EPOCH = (1980, 1, 1, 0, 0, 0)
_NAME = re.compile(r"[^/\\:\x00-\x1f\x7f]{1,255}")
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
    OSError,
)
_log = logging.getLogger(__name__)


def read_directory(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """The regular files directly inside a directory, by name, sorted; larger ones than 16 MiB are left out."""
    folder = Path(path)
    try:
        entries = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except FileNotFoundError:
        raise MissingFileError(f"{folder}: the directory must exist.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProgramError(f"{folder}: the directory cannot be read: {reason}.") from None
    if len(entries) > MAX_MEMBERS:
        raise ProgramError(f"{folder}: a program directory must have at most {MAX_MEMBERS} files, not {len(entries)}.")
    files: dict[str, bytes] = {}
    for name in entries:
        if (folder / name).stat().st_size > MAX_FILE:
            _log.debug("%s: %s is larger than %d bytes and is ignored", folder, name, MAX_FILE)
            continue
        files[name] = read_file(folder / name, MAX_FILE)
    return files


def write_directory(path: str | os.PathLike[str], files: Mapping[str, bytes], stale: Collection[str] = ()) -> None:
    """Writes every file, each in one step; then removes those named in ``stale``."""
    folder = Path(path)
    make_directory(folder)
    for name, data in files.items():
        write_file(folder / check_name(name, str(folder)), data)
    for name in stale:
        remove_file(folder / name)


def check_name(name: str, where: str) -> str:
    """The name itself, when it is a plain file name; ProgramError for paths, drives, control characters."""
    if not _NAME.fullmatch(name) or name in (".", "..") or name != name.strip():
        shown = name if len(name) <= 60 else name[:60] + "..."
        raise ProgramError(f"{where}: a file name must be plain, without folders, not {shown!r}.")
    return name


def write_zip(files: Mapping[str, bytes]) -> bytes:
    """A flat deflated archive; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(check_name(name, "archive"), date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, compresslevel=6)
    return buffer.getvalue()


def read_zip(data: bytes, where: str = "archive") -> dict[str, bytes]:
    """Files of a flat archive by name, in the archive's order.

    Raises ProgramError for a damaged archive, for names that are not plain or appear twice, for encrypted or
    overlapping members, and when members are too many, too large or expand too much.
    """
    if not data.startswith(b"PK"):
        raise ProgramError(f"{where}: must be a zip archive; it does not start with the bytes PK.")
    if len(data) > MAX_ARCHIVE:
        raise ProgramError(f"{where}: an archive must have at most {MAX_ARCHIVE} bytes, not {len(data)}.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members, len(data), where)
            return {info.filename: _read_member(archive, info, where) for info in members}
    except _BROKEN as error:
        raise ProgramError(f"{where}: the archive is damaged: {error}.") from None


def _check_members(members: list[zipfile.ZipInfo], size: int, where: str) -> None:
    if len(members) > MAX_MEMBERS:
        raise ProgramError(f"{where}: an archive must have at most {MAX_MEMBERS} files, not {len(members)}.")
    names: set[str] = set()
    for info in members:
        _check_member(info, where)
        if info.filename in names:
            raise ProgramError(f"{where}: the file {info.filename!r} must appear once, not twice.")
        names.add(info.filename)
    total = sum(info.file_size for info in members)
    if total > MAX_TOTAL:
        raise ProgramError(f"{where}: the files must have at most {MAX_TOTAL} bytes in all, not {total}.")
    ends = 0
    for info in sorted(members, key=lambda info: info.header_offset):
        if info.header_offset < ends:
            raise ProgramError(f"{where}: the file {info.filename!r} must not overlap another one.")
        ends = info.header_offset + 30 + info.compress_size
    if ends > size:
        raise ProgramError(f"{where}: the files must end inside the archive's {size} bytes, not at {ends}.")


def _check_member(info: zipfile.ZipInfo, where: str) -> None:
    name = check_name(info.filename, where)
    if info.flag_bits & 0x1:
        raise ProgramError(f"{where}: {name} must not be encrypted; unpack the archive with its password first.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ProgramError(f"{where}: {name} must be stored or deflated, not method {info.compress_type}.")
    if info.file_size > MAX_FILE:
        raise ProgramError(f"{where}: {name} must have at most {MAX_FILE} bytes, not {info.file_size}.")
    if info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * info.compress_size:
        raise ProgramError(f"{where}: {name} must expand at most {MAX_RATIO}-fold; it claims {info.file_size} bytes.")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> bytes:
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise ProgramError(f"{where}: {info.filename} must have {info.file_size} bytes as listed, not {len(content)}.")
    return content
