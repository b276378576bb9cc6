"""Chooses the form in which each matrix is stored: dense, or with one of the masks of its groups of weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from femtodriver.arrays import BoolArray
from femtodriver.compiler.fmir.ir import Fmir, Matrix
from femtodriver.compiler.fmir.weight_groups import kept_halves, mask_bytes, stored_units
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.isa import Form
from femtodriver.isa.limits import WORD_BITS
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
    halves = kept_halves(matrix)
    words = {form: _words(matrix, halves, form) for form in Form}
    flat = mask_bytes(halves, Form.MASKED)
    if np.count_nonzero(flat) > -(-len(flat) // 8):
        del words[Form.NESTED]
    if words[Form.HALVES] > LEAST_SAVING_OF_HALVES * min(words[form] for form in words if form is not Form.HALVES):
        del words[Form.HALVES]
    return min(words, key=lambda form: (words[form], form))


def _words(matrix: Matrix, halves: BoolArray, form: Form) -> int:
    """Words of the weights and of their mask."""
    weight_bits = int(stored_units(halves, form).sum()) * form.unit * matrix.bits
    return -(-weight_bits // WORD_BITS) + -(-len(mask_bytes(halves, form)) // (WORD_BITS // 8))


PASS = Pass(
    "pack-weights",
    pack_weights,
    Switch("pack_weights", "store only groups of weights that are not all zero, where that takes fewer bytes"),
)
