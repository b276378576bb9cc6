"""An array that is read piece by piece: from a file, or from memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError


class Readable(Protocol):
    """What arrays are read from: an open file, or a part of an archive."""

    def seek(self, place: int, /) -> int:
        """Go to this byte."""

    def read(self, size: int, /) -> bytes:
        """So many bytes from there, fewer only at the end."""


@dataclass(frozen=True, eq=False)
class StoredArray:
    """``shape`` and ``dtype`` of the array; ``read(first, last)`` gives its elements first to last - 1, 1-D.

    Elements are counted in row-major order. ``notes``: what users should know of the file beside its array.
    ``read`` raises InputError where the file does not give what its header promises.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[int, int], AnyArray]
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=object))

    def whole(self) -> AnyArray:
        """All elements, in the shape of the array."""
        return self.read(0, self.size).reshape(self.shape)


def in_memory(array: AnyArray, notes: tuple[str, ...] = ()) -> StoredArray:
    """An array that is in memory already."""
    flat = array.reshape(-1)
    return StoredArray(array.shape, array.dtype, lambda first, last: flat[first:last], notes)


def read_elements(file: Readable, where: str, start: int, count: int, dtype: npt.DTypeLike) -> AnyArray:
    """``count`` elements that are in a row in the file from byte ``start`` on, 1-D, read-only."""
    kind = np.dtype(dtype)
    file.seek(start)
    content = file.read(count * kind.itemsize)
    if len(content) != count * kind.itemsize:
        raise InputError(
            f"{where}: must have {count * kind.itemsize} bytes from byte {start} on, not {len(content)}. "
            "The file was cut off while it was read."
        )
    return np.frombuffer(content, kind)
