"""Weights as data memory holds them: groups in words, followed by the mask of the groups that are stored."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import ByteArray, Words
from femtodriver.compiler.backend.core_map import Packed
from femtodriver.compiler.fmir.ir import Matrix
from femtodriver.compiler.fmir.weight_groups import mask_bytes, stored_units
from femtodriver.compiler.fmir.weight_halves import in_groups


def encode_weights(matrix: Matrix) -> Packed:
    """Weight words (groups of 8 outputs, or halves, column by column) and mask words; a dense matrix has no mask."""
    stored = stored_units(matrix.halves, matrix.form).reshape(-1)
    units = in_groups(matrix.weights).reshape(-1, matrix.form.unit)[stored]
    mask = to_words(mask_bytes(matrix.halves, matrix.form))
    if matrix.bits == 4:
        nibbles = (units & 15).astype(np.uint8).reshape(-1, 2)
        return to_words((nibbles[:, 0] | nibbles[:, 1] << 4).astype(np.uint8)), mask
    return to_words(np.frombuffer(units.astype(f"<i{matrix.bits // 8}").tobytes(), np.uint8)), mask


def to_words(data: ByteArray) -> Words:
    """Bytes, filled up with zeros to whole 64-bit words."""
    flat = data.reshape(-1)
    padded = np.zeros(-(-len(flat) // 8) * 8, np.uint8)
    padded[: len(flat)] = flat
    return padded.view(np.uint64)
