"""Arrays of a file or of memory become read-only int64 arrays in row-major order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import Int64Array
from femtodriver.errors import ModelError
from femtodriver.fqir.files.allowed_constructors import checked_shape
from femtodriver.fqir.files.load_limits import Budget
from femtodriver.fqir.files.passive_records import ArrayStub
from femtodriver.safe_text import describe


def int_array(value: object, where: str, budget: Budget) -> Int64Array:
    """A read-only int64 copy of an ``ArrayStub`` or of a numpy array in memory, of its shape.

    Raises ModelError if it is no array, is not of integers, or holds numbers beyond int64.
    """
    if isinstance(value, ArrayStub):
        array = _decode(value, where)
    elif type(value) is np.ndarray:
        checked_shape(value.shape, f"{where}: the shape")
        array = value
    else:
        raise ModelError(f"{where}: must be an array of whole numbers, not {describe(value)}.")
    if array.dtype.kind not in "iub":
        raise ModelError(f"{where}: must be an array of whole numbers, not of {array.dtype}; quantize the network.")
    budget.numbers(array.size)
    if array.dtype.kind == "u" and array.dtype.itemsize == 8 and array.size and int(array.max()) >> 63:
        raise ModelError(f"{where}: must hold numbers of at most 63 bits and sign, not {int(array.max())}.")
    result = np.array(array, dtype=np.int64, order="C")
    result.setflags(write=False)
    return result


def _decode(stub: ArrayStub, where: str) -> npt.NDArray[np.generic]:
    if stub.dtype is None:
        raise ModelError(f"{where}: must be an array with contents, but its state is missing.")
    flat: npt.NDArray[np.generic]
    if stub.dtype.code == "b1":
        flat = np.frombuffer(stub.payload, dtype="u1") != 0
    else:
        order = ">" if stub.dtype.order == ">" else "<"  # "=" and "|": the archive is little-endian
        flat = np.frombuffer(stub.payload, dtype=order + stub.dtype.code)
    return flat.reshape(stub.shape, order="F" if stub.fortran else "C")
