"""Chooses the form in which each matrix is stored: dense, with a mask of its groups of weights, or a nested mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from femtodriver.compiler.fmir.ir import Fmir, Matrix
from femtodriver.compiler.fmir.weight_groups import kept_groups, mask_bytes
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.isa import Form
from femtodriver.isa.limits import GROUP_SIZE
from femtodriver.part import Part


def pack_weights(fmir: Fmir, part: Part) -> Fmir:
    """Every matrix is in the form that takes the fewest bytes, index included, unless that form is read more slowly.

    A nested mask is read a byte at a time, a flat one a word at a time: it must have fewer bytes than that has words.
    """
    matrices = {name: replace(matrix, form=_smallest_form(matrix)) for name, matrix in fmir.matrices.items()}
    return replace(fmir, matrices=matrices)


def _smallest_form(matrix: Matrix) -> Form:
    kept = kept_groups(matrix)
    unit = GROUP_SIZE * matrix.bits // 8
    weights = {Form.DENSE: kept.size * unit, Form.MASKED: int(kept.sum()) * unit, Form.NESTED: int(kept.sum()) * unit}
    words = {form: -(-size // 8) + -(-len(mask_bytes(kept, form)) // 8) for form, size in weights.items()}
    flat = mask_bytes(kept, Form.MASKED)
    if np.count_nonzero(flat) > -(-len(flat) // 8):
        del words[Form.NESTED]
    return min(words, key=lambda form: (words[form], form))


PASS = Pass(
    "pack-weights",
    pack_weights,
    Switch("pack_weights", "store only groups of weights that are not all zero, where that takes fewer bytes"),
)
