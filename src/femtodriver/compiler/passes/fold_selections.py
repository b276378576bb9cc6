"""Folds selections into the products before them: matrices that only bring elements into another order.

t = M @ x        y = S @ t    ->    y = (S M) @ x
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.buffer_uses import users
from femtodriver.compiler.fmir.ir import Fmir, Mac, Matrix, Op, Role, View, walk, writes
from femtodriver.compiler.fmir.rewriting import doing_also, free_name
from femtodriver.compiler.fmir.weight_groups import stored_words
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.compiler.placement.estimate_cycles import CycleEstimator
from femtodriver.isa import Form
from femtodriver.part import Part

_NOTHING = -1
_MOST_SHIFT = 15  # of weights


def fold_selections(fmir: Fmir, part: Part) -> Fmir:
    """Products make their outputs in the order in which a permutation by a matrix would bring them afterwards.

    A matrix with one power of two for each output, which the shift takes away again, selects elements: each output is
    an element, or zero. Its product vanishes if it is the only reader of what the product before it makes.
    """
    while (folded := _fold_one(fmir, part)) is not None:
        fmir = folded
    return fmir


def _fold_one(fmir: Fmir, part: Part) -> Fmir | None:
    """The network with one selection less; None if there is none that should go."""
    numbers = users(fmir.ops)
    for index, op in enumerate(fmir.ops):
        if not isinstance(op, Mac) or len(op.parts) != 1:
            continue
        ((_, x),) = op.parts
        first, *others = numbers[x.buffer]
        maker = fmir.ops[first]
        if others != [index] or not isinstance(maker, Mac) or not _makes_only(fmir, maker, op):
            continue
        order = _order(fmir, op)
        # Not even the selection may write what the product reads: a long product is made in pieces.
        if order is None or _overwritten(maker, fmir.ops[first + 1 : index + 1]):
            continue
        new, matrices = _reordered(fmir, doing_also(maker, (op,)), op.dst, order)
        ops = (new if number == index else old for number, old in enumerate(fmir.ops) if number != first)
        after = replace(fmir, matrices=matrices).with_ops(tuple(ops))
        if _pays(part, (fmir, maker, op), (after, new)):
            return after
    return None


def _order(fmir: Fmir, op: Mac) -> Int64Array | None:
    """Which element each output of a product is (-1: zero), if it only selects elements."""
    if op.repeat != 1 or op.bias != 0:
        return None
    if not -_MOST_SHIFT <= op.post.shift <= 0:
        return None
    ((name, x),) = op.parts
    weights, bits = fmir.matrices[name].weights, fmir.buffers[x.buffer].bits
    keeps = op.post.clip == "none" or (op.post.clip == "saturate" and op.post.bits >= bits)
    if not keeps or fmir.buffers[op.dst.buffer].bits < bits:
        return None
    chosen = weights != 0
    if (chosen.sum(axis=0) > 1).any() or (weights[chosen] != 1 << -op.post.shift).any():
        return None
    return np.where(chosen.any(axis=0), chosen.argmax(axis=0), _NOTHING)


def _makes_only(fmir: Fmir, maker: Mac, selection: Mac) -> bool:
    """Whether a product makes exactly what is selected from, outputs without a source are zero, and it fits there."""
    ((_, x),) = selection.parts
    temporary = fmir.buffers[x.buffer].role is Role.TEMP
    return temporary and maker.dst == x and maker.repeat == 1 and maker.bias == 0 and maker.core == selection.core


def _overwritten(maker: Mac, ops: Iterable[Op]) -> bool:
    """Whether one of the operations writes what the product reads."""
    read = {view.buffer for view in maker.reads}
    return any(view.buffer in read for entry in walk(ops) for view in writes(entry))


def _reordered(fmir: Fmir, maker: Mac, dst: View, order: Int64Array) -> tuple[Mac, dict[str, Matrix]]:
    """The product with its outputs in this order, and all matrices."""
    matrices = dict(fmir.matrices)
    parts = []
    for name, x in maker.parts:
        old = fmir.matrices[name]
        new = free_name(f"{name}.reordered", matrices)
        matrices[new] = Matrix(new, np.where(order == _NOTHING, 0, old.weights[:, order]), old.bits)
        parts.append((new, x))
    return replace(maker, dst=dst, parts=tuple(parts)), matrices


def _pays(part: Part, before: tuple[Fmir, Mac, Mac], after: tuple[Fmir, Mac]) -> bool:
    """Whether it takes fewer cycles, and no more room for weights."""
    cycles = [sum(map(CycleEstimator(fmir, part).cost, ops)) for fmir, *ops in (before, after)]
    return cycles[1] < cycles[0] and _words_beyond(before[0], after[0]) <= _words_beyond(after[0], before[0])


def _words_beyond(known: Fmir, fmir: Fmir) -> int:
    """Words of the weights that a network has and the known one has not, each matrix in the smallest form."""
    added = (matrix for name, matrix in fmir.matrices.items() if name not in known.matrices)
    return sum(min(stored_words(matrix, form) for form in Form) for matrix in added)


PASS = Pass(
    "fold-selections",
    fold_selections,
    Switch("fold_selections", "let products make their outputs in the order that a permutation would bring them into"),
)
