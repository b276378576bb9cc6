"""Weights in groups of 8 consecutive outputs, and which halves of the groups are not all zero."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BoolArray, Int64Array
from femtodriver.isa import Form
from femtodriver.isa.limits import GROUP_SIZE

_Element = TypeVar("_Element", np.int64, np.bool_)


def in_groups(weights: npt.NDArray[_Element]) -> npt.NDArray[_Element]:
    """A copy of shape (columns, groups, 8), with zeros after the last output; weights (columns, rows)."""
    columns, rows = weights.shape
    groups = -(-rows // GROUP_SIZE)
    padded = np.zeros((columns, groups * GROUP_SIZE), weights.dtype)
    padded[:, :rows] = weights
    return padded.reshape(columns, groups, GROUP_SIZE)


def nonzero_halves(weights: Int64Array) -> BoolArray:
    """Halves of groups of 8 outputs that are not all zero, shape (columns, groups, 2); weights (columns, rows)."""
    groups = in_groups(weights != 0)
    return np.asarray(groups.reshape(*groups.shape[:2], 2, Form.HALVES.unit).any(axis=3), np.bool_)
