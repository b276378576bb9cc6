"""Chooses the form in which each matrix is stored: dense, or with one of the masks of its groups of weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from femtodriver.compiler.fmir.ir import Fmir, Matrix
from femtodriver.compiler.fmir.weight_groups import mask_bytes, stored_words
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.isa import Form
from femtodriver.part import Part

LEAST_SAVING_OF_HALVES = 3 / 4
"""Share of the words of the next best form that halves may take."""


def pack_weights(fmir: Fmir, part: Part) -> Fmir:
    """Every matrix is in the form that takes the fewest bytes, index included, unless that form is read more slowly.

    A nested mask is read a byte at a time, a flat one a word at a time: it must have fewer bytes than that has words.
    Halves save room and weight reads, but no cycles, and have a second index to read: they must save a quarter.
    """
    matrices = {name: replace(matrix, form=_smallest_form(matrix)) for name, matrix in fmir.matrices.items()}
    return replace(fmir, matrices=matrices)


def _smallest_form(matrix: Matrix) -> Form:
    words = {form: stored_words(matrix, form) for form in Form}
    flat = mask_bytes(matrix.halves, Form.MASKED)
    if np.count_nonzero(flat) > -(-len(flat) // 8):
        del words[Form.NESTED]
    if words[Form.HALVES] > LEAST_SAVING_OF_HALVES * min(words[form] for form in words if form is not Form.HALVES):
        del words[Form.HALVES]
    return min(words, key=lambda form: (words[form], form))


PASS = Pass(
    "pack-weights",
    pack_weights,
    Switch("pack_weights", "store only groups of weights that are not all zero, where that takes fewer bytes"),
)
