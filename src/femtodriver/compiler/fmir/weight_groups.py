"""Groups of weights: the units in which a matrix is stored. Groups that are all zero need not be."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import BoolArray, ByteArray
from femtodriver.compiler.fmir.ir import Matrix
from femtodriver.isa import Form
from femtodriver.isa.limits import GROUP_SIZE


def kept_groups(matrix: Matrix) -> BoolArray:
    """Which groups of 8 consecutive outputs of one activation have a nonzero weight, shape (columns, groups)."""
    groups = -(-matrix.rows // GROUP_SIZE)
    padded = np.zeros((matrix.columns, groups * GROUP_SIZE), np.bool_)
    padded[:, : matrix.rows] = matrix.weights != 0
    return np.asarray(padded.reshape(matrix.columns, groups, GROUP_SIZE).any(axis=2), np.bool_)


def mask_bytes(kept: BoolArray, form: Form) -> ByteArray:
    """The mask of a form; see ``isa.Form``."""
    if form is Form.DENSE:
        return np.zeros(0, np.uint8)
    flat = np.packbits(kept.reshape(-1), bitorder="little")
    if form is Form.MASKED:
        return flat
    return np.concatenate([np.packbits(flat != 0, bitorder="little"), flat[flat != 0]])
