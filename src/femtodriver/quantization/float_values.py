"""Values of a float model, frame by frame, from a ``.npz`` file that may be larger than memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from contextlib import ExitStack

import numpy as np

from femtodriver.array_names import escape_name
from femtodriver.arrays import Float64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.files.file_access import AnyPath, open_file, shown_path
from femtodriver.inputs.npy_file import npz_arrays
from femtodriver.inputs.open_inputs import MOST_FILE_BYTES
from femtodriver.inputs.stored_array import StoredArray
from femtodriver.safe_text import quote

MOST_VALUE = 1e100  # the sum of the squares of a whole run stays finite
_SHOWN = 5


class FloatValues:
    """What a float model computes: one array (frames, elements or axes of the value) per value of the network.

    A name in the file is that of a value (``%x.8``) or, as ``names`` says, one that people know it by. A context
    manager: it keeps the file open.
    """

    def __init__(self, path: AnyPath, sizes: Mapping[str, int], names: Mapping[str, str]) -> None:
        """``sizes``: elements of a frame of each value; ``names``: other names of values.

        InputError for a file that is no archive of real numbers, UsageError for names and shapes that do not fit.
        """
        self._where = f"float_values: {shown_path(path)}"
        with ExitStack() as opened:
            file = opened.enter_context(open_file(path, MOST_FILE_BYTES, InputError))
            found = npz_arrays(file, file.seek(0, os.SEEK_END), shown_path(path))
            self._arrays = self._by_value(found, {**names, **{value: value for value in sizes}})
            for value, array in self._arrays.items():
                self._check(value, array, sizes[value])
            self._opened = opened.pop_all()

    def __enter__(self) -> FloatValues:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    @property
    def names(self) -> Set[str]:
        """The values that the file has."""
        return self._arrays.keys()

    def frame(self, name: str, number: int) -> Float64Array:
        """The elements of a value in a frame, 1-D. InputError if the file has fewer frames, or no numbers."""
        array = self._arrays[name]
        if number >= array.shape[0]:
            raise InputError(
                f"{self._where}: {quote(name, 60)} must have a row for each frame that runs, not {array.shape[0]}. "
                "Run as many frames as the float model did (--n-frames, --input-sample-indices)."
            )
        size = array.size // array.shape[0]
        values = np.asarray(array.read(number * size, (number + 1) * size), np.float64)
        if not np.all(np.abs(values) <= MOST_VALUE):
            raise InputError(
                f"{self._where}: {quote(name, 60)} must have finite numbers of at most {MOST_VALUE:g}, which those of "
                f"frame {number} are not."
            )
        return values

    def _by_value(self, found: Mapping[str, StoredArray], values: Mapping[str, str]) -> dict[str, StoredArray]:
        """The arrays of a file by value; ``values``: the value of each name that it may have there."""
        known = {escape_name(name): value for name, value in values.items()} | dict(values)
        arrays: dict[str, StoredArray] = {}
        for name, array in found.items():
            if name not in known:
                some = ", ".join(quote(value, 40) for value in list(values)[:_SHOWN])
                raise UsageError(
                    f"{self._where}: names must be those of values, or labels that one layer alone has (such as "
                    f"{some}), not {quote(name, 60)}."
                )
            if known[name] in arrays:
                raise UsageError(f"{self._where}: value {quote(known[name], 60)} must be there once, not by two names.")
            arrays[known[name]] = array
        return arrays

    def _check(self, name: str, array: StoredArray, size: int) -> None:
        where = f"{self._where}: {quote(name, 60)}"
        if array.dtype.kind not in "fiu":
            raise InputError(f"{where}: must be real numbers, not {array.dtype}.")
        if len(array.shape) < 1 or not array.shape[0] or array.size != size * array.shape[0]:
            raise InputError(f"{where}: must have the shape (frames, {size}), not {array.shape}.")
