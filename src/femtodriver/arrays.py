"""The kinds of arrays that the package passes around, by the type of their elements.

Their shapes are in the docstrings of the functions that take or return them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Values of a network: tensors, vectors, weights. The one type of all arithmetic (see ``fixed.py``).
Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]
# 64-bit words of memories and program images.
Words = npt.NDArray[np.uint64]
# 32-bit words as the bus of a chip transfers them.
BusWords = npt.NDArray[np.uint32]
# Before its type has been checked.
AnyArray = npt.NDArray[Any]
