"""Arrays as model inputs: reading them from files and checking them against what the network declares."""

from __future__ import annotations

import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, BoolArray, Int64Array
from femtodriver.errors import InputError
from femtodriver.inputs.input_spec import InputSpec, listed

# An archive may claim more than this only by mistake or malice: 64 M values of 16 bytes.
MOST_BYTES = 1 << 30
_READING = (ValueError, TypeError, OSError, EOFError, KeyError, RuntimeError, MemoryError, SyntaxError)
_UNPACKING = (zipfile.BadZipFile, zlib.error, tokenize.TokenError, NotImplementedError, OverflowError)


def read_array(path: str | Path) -> AnyArray | dict[str, AnyArray]:
    """The array of a ``.npy`` file, or the arrays of a ``.npz`` file by name. Pickled objects are never loaded.

    Raises InputError for a file that cannot be read, is damaged, holds objects, or unpacks to more than 1 GiB.
    """
    where = Path(path)
    archive = where.suffix.lower() == ".npz"
    wanted = "an archive of arrays (numpy.savez)" if archive else "an array (numpy.save)"
    try:
        if archive:
            _check_size(where)
        found = _load(where)
    except InputError:
        raise
    except (*_READING, *_UNPACKING) as error:
        reason = getattr(error, "strerror", None) or str(error).split("\n")[0] or type(error).__name__
        raise InputError(f"{where}: must be {wanted} of plain numbers, which cannot be read: {reason}.") from None
    members = list(found.values()) if isinstance(found, dict) else [found]
    if isinstance(found, dict) != archive or not all(isinstance(one, np.ndarray) for one in members):
        raise InputError(f"{where}: must be {wanted}, not something else under that name.")
    return found


def _load(path: Path) -> AnyArray | dict[str, AnyArray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of odd headers; what they hold is judged by us
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: loaded[name] for name in loaded.files}


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > MOST_BYTES:
        raise InputError(f"{path}: must unpack to at most {MOST_BYTES} bytes, not {size}.")


def check_inputs(inputs: Mapping[str, npt.ArrayLike], specs: Sequence[InputSpec]) -> dict[str, Int64Array]:
    """The inputs as new int64 arrays of shape (frames, length), in the order of ``specs``.

    Every input of the network must be there and no other; all must be 2-D, of the declared width and of equally many
    frames (at least one); elements must be integers, or floats that are whole, within the declared bits.
    Raises InputError naming input, frame, element, value and allowed range. Nothing of the caller's is changed.
    """
    if not isinstance(inputs, Mapping):
        raise InputError(f"inputs: must be a mapping from input name to array, not {type(inputs).__name__}.")
    names = [spec.name for spec in specs]
    for name in names:
        if name not in inputs:
            raise InputError(f"inputs: must have an array for {name!r}, which is missing. Inputs: {listed(specs)}.")
    for name in inputs:
        if name not in names:
            raise InputError(f"inputs: must be inputs of the network, not {name!r}. Inputs: {listed(specs)}.")
    checked = {spec.name: _checked(inputs[spec.name], spec) for spec in specs}
    for name, array in checked.items():
        first = checked[names[0]]
        if len(array) != len(first):
            raise InputError(
                f"input {name!r}: must have as many frames as {names[0]!r}, {len(first)}, not {len(array)}."
            )
    return checked


def as_array(values: npt.ArrayLike, where: str) -> AnyArray:
    """The values as an array. Raises InputError where they make none."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise InputError(f"{where}: must be an array of numbers with rows of equal length: {reason}.") from None


def _checked(values: npt.ArrayLike, spec: InputSpec) -> Int64Array:
    where = f"input {spec.name!r}"
    array = as_array(values, where)
    if array.ndim != 2 or array.shape[1] != spec.length:
        raise InputError(f"{where}: must have the shape (frames, {spec.length}), not {array.shape}.")
    if not len(array):
        raise InputError(f"{where}: must have at least one frame, not 0.")
    if array.dtype.kind not in "iuf":
        raise InputError(f"{where}: must hold integers, not {array.dtype}.")
    if array.dtype.kind == "f":
        array = array.astype(np.promote_types(array.dtype, np.float32))  # float16 cannot hold the limits
        _refuse(where, array, ~np.isfinite(array) | (array != np.floor(array)), "be a whole number", "Scale and round")
    low, high = spec.limits
    wanted = f"be between {low} and {high} ({spec.bits} bits)"
    _refuse(where, array, (array < low) | (array > high), wanted, "Scale or clip")
    return array.astype(np.int64)


def _refuse(where: str, array: AnyArray, wrong: BoolArray, wanted: str, remedy: str) -> None:
    if not wrong.any():
        return
    frame, element = (int(index[0]) for index in np.nonzero(wrong))
    value = array[frame, element].item()
    raise InputError(f"{where}: frame {frame}, element {element}: must {wanted}, not {value}. {remedy} the input.")
