"""Finds and loads the compiled loop: a shared library with a plain C interface, one for each kind of processor."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from femtodriver.arrays import Int64Array, Words
from femtodriver.errors import UnsupportedError

FOLDER = Path(__file__).parent
BASELINE, AVX2 = "loop_baseline.so", "loop_avx2.so"

_NUMBER, _POINTER = ctypes.c_int64, ctypes.c_void_p
_FUNCTIONS: dict[str, tuple[type | None, list[type]]] = {
    "femto_source": (ctypes.c_char_p, []),
    "femto_row_numbers": (ctypes.c_int, []),
    "femto_count_numbers": (ctypes.c_int, []),
    "femto_setting_numbers": (ctypes.c_int, []),
    "femto_max_banks": (ctypes.c_int, []),
    "femto_max_rows": (ctypes.c_int, []),
    "femto_lanes": (ctypes.c_int, []),
    "femto_has_avx2": (ctypes.c_int, []),
    "femto_new": (_POINTER, [_POINTER, _NUMBER]),
    "femto_expect": (None, [_POINTER, _POINTER, _NUMBER, _POINTER, _NUMBER, _POINTER, _NUMBER]),
    "femto_written": (None, [_POINTER, *[_NUMBER] * 3]),
    "femto_free": (None, [_POINTER]),
    "femto_add_core": (
        None,
        [_POINTER, _NUMBER, *[_POINTER] * 5, _NUMBER, _POINTER, _NUMBER, _POINTER, _POINTER, _NUMBER, _POINTER],
    ),
    "femto_watch": (None, [_POINTER, _NUMBER, _NUMBER, _NUMBER, _NUMBER]),
    "femto_set_matrix": (
        None,
        [_POINTER, _NUMBER, _NUMBER, *[_POINTER] * 4, _NUMBER, *[_POINTER] * 3, _NUMBER, _NUMBER, _NUMBER, _POINTER],
    ),
    "femto_reset": (None, [_POINTER]),
    "femto_run": (
        _NUMBER,
        [_POINTER, _NUMBER, _NUMBER, _POINTER, _NUMBER, _POINTER, _NUMBER, *[_POINTER] * 3, _NUMBER, _POINTER],
    ),
    "femto_output_count": (_NUMBER, [_POINTER]),
    "femto_outputs": (_NUMBER, [_POINTER, _POINTER, _POINTER, _NUMBER]),
}


@dataclass(frozen=True)
class Library:
    """The loaded loop. ``instructions``: which of the processor's it uses, "avx2" or "baseline"."""

    functions: ctypes.CDLL
    instructions: str


@cache
def find_library() -> Library | str:
    """The loop for this processor, or a sentence that says why there is none and what to do."""
    found = _load(BASELINE)
    if isinstance(found, str):
        return found
    faster = _load(AVX2) if found.femto_has_avx2() else ""
    return Library(found, "baseline") if isinstance(faster, str) else Library(faster, "avx2")


def unusable_library() -> str:
    """Why a loop that was built is not used, and what to do; "" where it is used, and where none was built."""
    found = find_library()
    return found if isinstance(found, str) and (FOLDER / BASELINE).exists() else ""


def needed_library() -> Library:
    """``find_library``; UnsupportedError where there is none."""
    found = find_library()
    if isinstance(found, str):
        raise UnsupportedError(f"native machine: {found}")
    return found


class _Address(ctypes.c_void_p):
    array: Int64Array | Words


def at(array: Int64Array | Words) -> ctypes.c_void_p:
    """Where an array is, as an argument of the library.

    The argument keeps the array alive, the library does not: what it holds on to, an object must hold. NumPy's own
    ``data_as`` makes a circle of references, so that arrays would pile up until the next collection.
    """
    address = _Address(array.ctypes.data)
    address.array = array
    return address


def _load(name: str) -> ctypes.CDLL | str:
    path = FOLDER / name
    if not path.exists():
        return "the native loop was not built; install a C++ compiler, then femtodriver again: pip install ."
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        return f"the native loop cannot be loaded ({error}); install femtodriver again: pip install ."
    for function, (result, arguments) in _FUNCTIONS.items():
        found = getattr(loaded, function, None)
        if found is None:
            return _OTHER_VERSION
        found.restype, found.argtypes = result, arguments
    return loaded if loaded.femto_source().decode() == source_hash(FOLDER) else _OTHER_VERSION


@cache
def source_hash(folder: Path) -> str:
    """SHA-256 of all C++ sources in order of their names; ``hatch_build.py`` has the same."""
    return sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.?pp")))).hexdigest()


_OTHER_VERSION = (
    "the native loop was built from another version of its source; install femtodriver again: pip install ."
)
