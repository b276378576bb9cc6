"""Which halves of groups of weights are not all zero."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import BoolArray, Int64Array
from femtodriver.isa import Form
from femtodriver.isa.limits import GROUP_SIZE


def nonzero_halves(weights: Int64Array) -> BoolArray:
    """Halves of groups of 8 outputs that are not all zero, shape (columns, groups, 2); weights (columns, rows)."""
    columns, rows = weights.shape
    groups = -(-rows // GROUP_SIZE)
    padded = np.zeros((columns, groups * GROUP_SIZE), np.bool_)
    padded[:, :rows] = weights != 0
    return np.asarray(padded.reshape(columns, groups, 2, Form.HALVES.unit).any(axis=3), np.bool_)
