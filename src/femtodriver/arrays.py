"""The kinds of arrays that the package passes around, by the type of their elements.

Their shapes are in the docstrings of the functions that take or return them.
"""

from __future__ import annotations

import sys
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


def is_masked(values: object) -> bool:
    """Whether it is a masked array of NumPy in which something is masked.

    ``numpy.ma`` is not loaded for this, because that takes longer than a short run: without it there is no such array.
    """
    kind = getattr(sys.modules.get("numpy.ma"), "MaskedArray", ())
    return isinstance(values, kind) and len(np.argwhere(np.ma.getmaskarray(values))) > 0
