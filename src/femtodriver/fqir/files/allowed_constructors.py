"""The few constructions that a graph pickle may ask for, interpreted by us: NEWOBJ, REDUCE and BUILD.

Every argument is checked by type before it is compared: comparing, hashing or printing a nested value of the file
could recurse a million deep.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from femtodriver.errors import ModelError
from femtodriver.fqir.files.load_limits import Budget
from femtodriver.fqir.files.passive_records import DTYPE_CODES, RECORD_SET, ArrayStub, DtypeStub, Marker, Record
from femtodriver.safe_text import describe

MAX_DIMENSIONS = 8
MAX_DIMENSION = 1 << 24
# version 3, byte order, sub-dtype, names, fields, item size, alignment, flags; version 4 adds metadata
_DTYPE_STATE = (int, str, type(None), type(None), type(None), int, int, int)
_BYTE_ORDERS = ("<", ">", "|", "=")
_FLOAT_FORMATS = {2: "e", 4: "f", 8: "d"}

Arguments = tuple[object, ...]


def new_record(marker: object, arguments: object) -> Record:
    """NEWOBJ: an empty record of one of the classes of graph files."""
    if not isinstance(marker, Marker) or marker.role != "class":
        raise ModelError(f"only the classes of graph files have objects, not {describe(marker)}.")
    if type(arguments) is not tuple or arguments:
        raise ModelError(f"a {marker.name} must be created without arguments.")
    return Record(marker, None)


def call(function: Marker, arguments: Arguments, budget: Budget) -> object:
    """REDUCE: one of the seven callables with exactly the arguments that graph files have."""
    return _CALLS[function.kind](arguments, budget)


def build(target: object, state: object, budget: Budget) -> None:
    """BUILD: give a record, dtype or array its state, once."""
    if type(target) is Record:
        _build_record(target, state, budget)
    elif type(target) is DtypeStub:
        _build_dtype(target, state)
    elif type(target) is ArrayStub:
        _build_array(target, state, budget)
    else:
        raise ModelError(f"only graph records and arrays have a state, not {describe(target)}.")


def _match(values: object, *types: type) -> tuple[Any, ...] | None:
    """``values`` if it is a tuple of exactly these types (no subclasses: True is not an int here), else None."""
    if type(values) is tuple and len(values) == len(types) and tuple(map(type, values)) == types:
        return values
    return None


def _build_record(record: Record, state: object, budget: Budget) -> None:
    name = record.marker.name
    if type(state) is not dict:
        raise ModelError(f"the state of a {name} must be a dict, not {describe(state)}.")
    if record.state is not None:
        raise ModelError(f"a {name} must get its state once, not twice.")
    budget.produce(len(state))
    for key in state:
        if key.startswith("__"):
            raise ModelError(f"a {name} must not have private attributes such as {describe(key)}.")
    record.state = state


# ---- REDUCE --------------------------------------------------------------------------------------------------


def _set(arguments: Arguments, budget: Budget) -> object:
    found = _match(arguments, list)
    if found is None:
        raise ModelError("a set must be made from one list.")
    items = found[0]
    budget.produce(len(items))
    for item in items:
        if type(item) is not Record:
            raise ModelError(f"set elements must be graph records, not {describe(item)}.")
    return RECORD_SET


def _bytes(arguments: Arguments, budget: Budget) -> object:
    if arguments:
        raise ModelError("bytes() must be called without arguments.")
    return b""


def _encode(arguments: Arguments, budget: Budget) -> object:
    found = _match(arguments, str, str)
    if found is None or found[1] != "latin1":
        raise ModelError("encode must be called with a text and 'latin1'.")
    text: str = found[0]
    budget.produce(len(text))
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ModelError("a byte string must consist of code points up to 255; the file is damaged.") from None


def _ordered_dict(arguments: Arguments, budget: Budget) -> object:
    if arguments:
        raise ModelError("OrderedDict() must be called without arguments.")
    return {}


def _dtype(arguments: Arguments, budget: Budget) -> object:
    found = _match(arguments, str, bool, bool)
    if found is None or found[1:] != (False, True):
        raise ModelError("a dtype must be made from a type code, False and True.")
    code = found[0]
    if code not in DTYPE_CODES:
        raise ModelError(f"array elements must be plain numbers ({', '.join(sorted(DTYPE_CODES))}), not {code[:20]!a}.")
    return DtypeStub(code, None)


def _build_dtype(dtype: DtypeStub, state: object) -> None:
    if dtype.order is not None:
        raise ModelError("a dtype must get its state once, not twice.")
    found = _match(state, *_DTYPE_STATE) or _match(state, *_DTYPE_STATE, type(None))
    if found is None or found[0] != len(found) - 5 or found[1] not in _BYTE_ORDERS or found[5:8] != (-1, -1, 0):
        raise ModelError("the state of a dtype must be that of a plain number type.")
    dtype.order = found[1]


def _reconstruct(arguments: Arguments, budget: Budget) -> object:
    found = _match(arguments, Marker, tuple, bytes)
    shape = found and _match(found[1], int)
    if not found or not shape or found[0].kind != "ndarray" or shape[0] != 0 or found[2] != b"b":
        raise ModelError("an array must be made from the class ndarray, the shape (0,) and the code b'b'.")
    return ArrayStub(None, (), False, b"")


def _build_array(array: ArrayStub, state: object, budget: Budget) -> None:
    found = _match(state, int, tuple, DtypeStub, bool, bytes)
    if found is None:
        raise ModelError("the state of an array must be version, shape, dtype, order flag and bytes.")
    version, shape, dtype, fortran, payload = found
    if version != 1:
        raise ModelError(f"the state of an array must have version 1, not {describe(version)}.")
    _fill_array(array, shape, dtype, fortran, payload, budget)


def _frombuffer(arguments: Arguments, budget: Budget) -> object:
    found = _match(arguments, bytes, DtypeStub, tuple, str)
    if found is None or found[3] not in ("C", "F"):
        raise ModelError("an array must be made from bytes, dtype, shape and the order 'C' or 'F'.")
    payload, dtype, shape, order = found
    array = ArrayStub(None, (), False, b"")
    _fill_array(array, shape, dtype, order == "F", payload, budget)
    return array


def _fill_array(
    array: ArrayStub, shape: Arguments, dtype: DtypeStub, fortran: bool, payload: bytes, budget: Budget
) -> None:
    if array.dtype is not None:
        raise ModelError("an array must get its state once, not twice.")
    if dtype.order is None:
        raise ModelError("the dtype of an array must have its own state first.")
    array.shape = checked_shape(shape, "the shape of an array")
    if len(payload) != math.prod(array.shape) * dtype.itemsize:
        raise ModelError(f"an array of shape {array.shape} and type {dtype.code} must not have {len(payload)} bytes.")
    budget.produce(len(payload))
    array.dtype, array.fortran, array.payload = dtype, fortran, payload


def checked_shape(shape: list[object] | Arguments, what: str) -> tuple[int, ...]:
    """The shape as a tuple of at most 8 plain ints, each from 0 to 2**24; ModelError otherwise."""
    if len(shape) > MAX_DIMENSIONS:
        raise ModelError(f"{what} must have at most {MAX_DIMENSIONS} dimensions, not {len(shape)}.")
    dims = []
    for dim in shape:
        if type(dim) is not int or not 0 <= dim <= MAX_DIMENSION:
            raise ModelError(f"{what} must consist of whole numbers from 0 to {MAX_DIMENSION}, not {describe(dim)}.")
        dims.append(dim)
    return tuple(dims)


def _scalar(arguments: Arguments, budget: Budget) -> object:
    found = _match(arguments, DtypeStub, bytes)
    if found is None:
        raise ModelError("a numpy scalar must be made from a dtype and its bytes.")
    dtype: DtypeStub = found[0]
    payload: bytes = found[1]
    if dtype.order is None or len(payload) != dtype.itemsize:
        raise ModelError(f"a numpy scalar of type {dtype.code} must have {dtype.itemsize} bytes, not {len(payload)}.")
    if dtype.code[0] == "f":
        value_format = (">" if dtype.order == ">" else "<") + _FLOAT_FORMATS[dtype.itemsize]
        return struct.unpack(value_format, payload)[0]
    value = int.from_bytes(payload, "big" if dtype.order == ">" else "little", signed=dtype.code[0] == "i")
    return bool(value) if dtype.code == "b1" else value


_CALLS: dict[str, Callable[[Arguments, Budget], object]] = {
    "set": _set,
    "bytes": _bytes,
    "encode": _encode,
    "OrderedDict": _ordered_dict,
    "dtype": _dtype,
    "_reconstruct": _reconstruct,
    "scalar": _scalar,
    "_frombuffer": _frombuffer,
}
