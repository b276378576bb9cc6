"""Reading arrays that NumPy saved, piece by piece: ``.npy`` files and the members of ``.npz`` archives.

Headers are parsed by NumPy and archives by the standard library. Objects are never loaded: they would be pickles,
which can run anything.
"""

from __future__ import annotations

import io
import re
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError
from femtodriver.inputs.file_signatures import ENOUGH, kind_of_file
from femtodriver.inputs.stored_array import Readable, StoredArray, in_memory, read_elements
from femtodriver.safe_text import quote

# An archive may claim more than this only by mistake or malice: 64 M values of 16 bytes.
MOST_BYTES = 1 << 30
MOST_MEMBERS = 1000
_MOST_HEADER = 10_000
_MOST_AXES = 64
_MOST_ON_AN_AXIS = 1 << 48
_MAGIC = b"\x93NUMPY"
_ENDING = ".npy"
_SAVED = "must be an array of plain numbers that numpy.save wrote"
_PACKED = "must be an archive of arrays of plain numbers that numpy.savez wrote"
_NO_HEADER = (ValueError, TypeError, KeyError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError)
_NO_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)
# The directory of an archive takes at least 46 bytes a member, and half a kilobyte each in memory.
_MOST_DIRECTORY = 4 << 20
_END_OF_ARCHIVE = re.compile(b"PK\x05\x06")
_END_OF_LONG_ARCHIVE = b"PK\x06\x07"


def npy_array(file: Readable, size: int, where: str) -> StoredArray:
    """The array of an open ``.npy`` file, or of a member of an archive, of ``size`` bytes.

    Raises InputError for a file of another kind, a damaged or cut one, objects and records of several fields.
    """
    file.seek(0)
    head = file.read(max(ENOUGH, 12 + _MOST_HEADER))
    if not head.startswith(_MAGIC):
        raise InputError(f"{where}: {_SAVED}, not {kind_of_file(head[:ENOUGH])}.")
    shape, by_columns, dtype, start = _header(head, where)
    if dtype.hasobject:
        raise InputError(f"{where}: {_SAVED}, not Python objects, which are never loaded. Save the numbers themselves.")
    if dtype.kind == "V" or not dtype.itemsize:
        raise InputError(f"{where}: {_SAVED}, not {dtype}.")
    array = StoredArray(shape, dtype, partial(_read, file, where, start, dtype))
    left = size - start - array.size * dtype.itemsize
    if left < 0:
        raise InputError(
            f"{where}: must have {array.size * dtype.itemsize} bytes of numbers, not {size - start}. "
            "The file is cut off."
        )
    notes = (f"{where}: the file goes on after the array; {left} bytes are not used",) if left else ()
    if by_columns and len(shape) > 1:  # neighbours in a row are far apart in the file
        if size > MOST_BYTES:
            raise InputError(f"{where}: must be stored row by row (C order) if it has more than {MOST_BYTES} bytes.")
        return in_memory(array.read(0, array.size).reshape(shape, order="F"), notes)
    return StoredArray(shape, dtype, array.read, notes)


def npz_arrays(opened: BinaryIO, size: int, where: str) -> dict[str, StoredArray]:
    """The arrays of an open ``.npz`` file of ``size`` bytes, by the names in the archive.

    Raises InputError for a file of another kind, a damaged one, one that unpacks to more than 1 GiB or has more than
    1000 members, and for members that are no arrays.
    """
    opened.seek(0)
    head = opened.read(ENOUGH)
    if not head.startswith(b"PK"):
        raise InputError(f"{where}: {_PACKED}, not {kind_of_file(head)}.")
    _check_end(opened, size, where)
    with _damage_told(where):
        archive = zipfile.ZipFile(opened)
    members = archive.infolist()
    _check_members(members, where)
    found = {}
    for info in members:
        inside = f"{where}: {quote(info.filename)}"
        found[info.filename[: -len(_ENDING)]] = npy_array(_MemberFile(archive, info, inside), info.file_size, inside)
    return found


def _header(head: bytes, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether columns are in a row, type, and the place of the first element."""
    stream = io.BytesIO(head)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of odd headers; what they hold is judged by us
            version = np.lib.format.read_magic(stream)
            parse = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, by_columns, dtype = parse(stream, max_header_size=_MOST_HEADER)
    except _NO_HEADER:
        raise InputError(f"{where}: {_SAVED}, but its header is damaged or of a later version.") from None
    if not all(0 <= axis < _MOST_ON_AN_AXIS for axis in shape) or len(shape) > _MOST_AXES:
        raise InputError(f"{where}: {_SAVED}, but its header is damaged: no array has such a shape.")
    return shape, by_columns, dtype, stream.tell()


def _read(file: Readable, where: str, start: int, dtype: np.dtype[Any], first: int, last: int) -> AnyArray:
    return read_elements(file, where, start + first * dtype.itemsize, last - first, dtype)


def _check_end(file: Readable, size: int, where: str) -> None:
    """Refuses a directory of too many members before it is read."""
    reach = min(size, (1 << 16) + 22 + 20)
    file.seek(size - reach)
    tail = file.read(reach)
    for found in _END_OF_ARCHIVE.finditer(tail):
        at = found.start()
        is_long = tail[max(0, at - 20) : at].startswith(_END_OF_LONG_ARCHIVE)
        if is_long or int.from_bytes(tail[at + 12 : at + 16], "little") > _MOST_DIRECTORY:
            raise InputError(f"{where}: an archive must have at most {MOST_MEMBERS} arrays, not more.")


def _check_members(members: list[zipfile.ZipInfo], where: str) -> None:
    if len(members) > MOST_MEMBERS:
        raise InputError(f"{where}: an archive must have at most {MOST_MEMBERS} arrays, not {len(members)}.")
    total = sum(info.file_size for info in members)
    if total > MOST_BYTES:
        raise InputError(f"{where}: must unpack to at most {MOST_BYTES} bytes, not {total}.")
    names = [info.filename for info in members]
    for info in members:
        shown = quote(info.filename)
        if not info.filename.endswith(_ENDING):
            raise InputError(f"{where}: {_PACKED}, not one with a member {shown}.")
        if names.count(info.filename) > 1:
            raise InputError(f"{where}: an archive must have one array of each name, not two of {shown}.")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{where}: {_PACKED}, not one that is encrypted or packed in another way ({shown}).")


class _MemberFile:
    """A member of an archive as a file; what the standard library says of damage becomes a sentence of ours."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> None:
        self._where = where
        with _damage_told(where):
            self._file = archive.open(info)

    def seek(self, place: int) -> int:
        with _damage_told(self._where):
            return self._file.seek(place)

    def read(self, size: int) -> bytes:
        with _damage_told(self._where):
            return self._file.read(size)


@contextmanager
def _damage_told(where: str) -> Iterator[None]:
    """For calls of the standard library only."""
    try:
        yield
    except _NO_ARCHIVE:
        raise InputError(f"{where}: must be an undamaged archive of arrays (numpy.savez), or a part of one.") from None
