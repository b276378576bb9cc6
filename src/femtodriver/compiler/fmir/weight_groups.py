"""The units in which a matrix is stored: groups of weights, or halves of them; those that are all zero need not be."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import BoolArray, ByteArray
from femtodriver.compiler.fmir.ir import Matrix
from femtodriver.isa import Form
from femtodriver.isa.limits import WORD_BITS


def kept_groups(matrix: Matrix) -> BoolArray:
    """Which groups of 8 consecutive outputs of one activation have a nonzero weight, shape (columns, groups)."""
    return np.asarray(matrix.halves.any(axis=2), np.bool_)


def stored_units(halves: BoolArray, form: Form) -> BoolArray:
    """Which units of a matrix are stored, shape (columns, units); ``halves``: see ``Matrix``."""
    columns = len(halves)
    if form is Form.HALVES:
        return halves.reshape(columns, -1)
    groups = halves.any(axis=2)
    return np.ones_like(groups) if form is Form.DENSE else np.asarray(groups, np.bool_)


def stored_words(matrix: Matrix, form: Form) -> int:
    """64-bit words that the weights and their mask take in a form."""
    weight_bits = int(stored_units(matrix.halves, form).sum()) * form.unit * matrix.bits
    return -(-weight_bits // WORD_BITS) + -(-len(mask_bytes(matrix.halves, form)) // (WORD_BITS // 8))


def mask_bytes(halves: BoolArray, form: Form) -> ByteArray:
    """The mask of a form, see ``isa.Form``; ``halves``: see ``Matrix``."""
    if form is Form.DENSE:
        return np.zeros(0, np.uint8)
    groups = halves.any(axis=2).reshape(-1)
    flat = np.packbits(groups, bitorder="little")
    if form is Form.MASKED:
        return flat
    if form is Form.HALVES:
        filler = np.zeros(-len(flat) % (WORD_BITS // 8), np.uint8)
        return np.concatenate([flat, filler, np.packbits(halves.reshape(-1, 2)[groups], bitorder="little")])
    return np.concatenate([np.packbits(flat != 0, bitorder="little"), flat[flat != 0]])
