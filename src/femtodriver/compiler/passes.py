"""Passes over FMIR: each is a function from one valid network to another of the same meaning.

The pipeline (``pipeline.py``) names them, runs them in order, verifies after each and dumps on request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from femtodriver.compiler.fmir import Buffer, Fmir, Mac, Matrix, Op, Role, Vec, View

GROUP = 8
_FINAL = (Role.OUTPUT, Role.STATE, Role.MAIL)


def drop_dead(fmir: Fmir) -> Fmir:
    """Operations whose results reach no output, state or message are dropped; so are states that nobody reads."""
    read_states = {view.buffer for op in fmir.ops for view in op.reads if not _keeps_itself(op, view)}
    needed = {port.buffer for port in fmir.outputs}
    needed |= {n for n, b in fmir.buffers.items() if b.role in (Role.STATE, Role.MAIL) and n in read_states}
    kept: list[Op] = []
    for op in reversed(fmir.ops):
        if op.dst.buffer in needed:
            kept.append(op)
            needed.update(view.buffer for view in op.reads)
    return fmir.with_ops(tuple(reversed(kept)))


def _keeps_itself(op: Op, view: View) -> bool:
    """Whether the read only moves a state inside itself (a delay line that nobody looks at)."""
    return isinstance(op, Vec) and op.op == "vpass" and op.dst.buffer == view.buffer


def fold_copies(fmir: Fmir) -> Fmir:
    """A temporary that only exists to be copied whole into an output or state is made there in the first place.

    For a state this needs that nobody reads its old value once the temporary has begun to be written.
    """
    ops = list(fmir.ops)
    values = dict(fmir.values)
    index = 0
    while index < len(ops):
        if _is_plain_copy(ops[index], fmir.buffers) and _may_replace(ops, index):
            copy = ops.pop(index)
            old, new = copy.reads[0].buffer, copy.dst.buffer
            ops = [_renamed(op, old, new) for op in ops]
            values = {name: tuple(_renamed_view(v, old, new) for v in rope) for name, rope in values.items()}
        else:
            index += 1
    return replace(fmir, values=values).with_ops(tuple(ops))


def _is_plain_copy(op: Op, buffers: Mapping[str, Buffer]) -> bool:
    if not (isinstance(op, Vec) and op.op == "vpass" and isinstance(op.a, View)):
        return False
    source, target = buffers[op.a.buffer], buffers[op.dst.buffer]
    whole = op.a.length == source.length == op.dst.length == target.length and op.a.step == 1
    plain = not op.shift_a and op.post.shift == 0 and op.post.clip == "none"
    return whole and plain and source.role is Role.TEMP and source.bits == target.bits and target.role in _FINAL


def _may_replace(ops: list[Op], index: int) -> bool:
    copy = ops[index]
    source, target = copy.reads[0].buffer, copy.dst.buffer
    first = next(i for i, op in enumerate(ops) if op.dst.buffer == source)
    others = [op for i, op in enumerate(ops) if i != index and op.dst.buffer == target]
    if others:
        return False
    return not any(_reads_old(op, target, source) for op in ops[first:index]) and not any(
        view.buffer == target for op in ops[index + 1 :] for view in op.reads
    )


def _reads_old(op: Op, target: str, source: str) -> bool:
    """Whether the operation needs the target's old value; an elementwise update in place is allowed."""
    for view in op.reads:
        if view.buffer != target:
            continue
        in_place = isinstance(op, Vec) and op.dst.buffer == source and view.offset == op.dst.offset and view.step
        if not in_place:
            return True
    return False


def _renamed(op: Op, old: str, new: str) -> Op:
    def view(value: View) -> View:
        return _renamed_view(value, old, new)

    if isinstance(op, Vec):
        a = view(op.a) if isinstance(op.a, View) else op.a
        b = view(op.b) if isinstance(op.b, View) else op.b
        return replace(op, dst=view(op.dst), a=a, b=b)
    if isinstance(op, Mac):
        bias = view(op.bias) if isinstance(op.bias, View) else op.bias
        return replace(op, dst=view(op.dst), bias=bias, parts=tuple((name, view(x)) for name, x in op.parts))
    return replace(op, dst=view(op.dst), a=view(op.a))


def _renamed_view(view: View, old: str, new: str) -> View:
    return replace(view, buffer=new) if view.buffer == old else view


def choose_formats(fmir: Fmir) -> Fmir:
    """Every matrix is stored dense or masked, whichever takes fewer bytes (index included)."""
    matrices = {name: replace(matrix, masked=_masked_is_smaller(matrix)) for name, matrix in fmir.matrices.items()}
    return replace(fmir, matrices=matrices)


def kept_groups(matrix: Matrix) -> npt.NDArray[np.bool_]:
    """Which groups of 8 consecutive outputs of one activation have a nonzero weight, shape (columns, groups)."""
    groups = -(-matrix.rows // GROUP)
    padded = np.zeros((matrix.columns, groups * GROUP), np.bool_)
    padded[:, : matrix.rows] = matrix.weights != 0
    return np.asarray(padded.reshape(matrix.columns, groups, GROUP).any(axis=2), np.bool_)


def _masked_is_smaller(matrix: Matrix) -> bool:
    kept = kept_groups(matrix)
    group_bits = GROUP * matrix.bits
    return int(kept.sum()) * group_bits + kept.size < kept.size * group_bits


def split_rows(fmir: Fmir, most_rows: int) -> Fmir:
    """Matrix products with more than ``most_rows`` outputs become several of at most that many."""
    ops: list[Op] = []
    matrices = dict(fmir.matrices)
    for op in fmir.ops:
        if isinstance(op, Mac) and op.dst.length > most_rows:
            ops += [
                mac_rows(op, first, min(first + most_rows, op.dst.length), matrices)
                for first in range(0, op.dst.length, most_rows)
            ]
        else:
            ops.append(op)
    return replace(fmir, matrices=matrices).with_ops(tuple(ops))


def mac_rows(op: Mac, first: int, end: int, matrices: dict[str, Matrix]) -> Mac:
    """The product's outputs [first, end); adds the rows' matrices to ``matrices``."""
    parts = []
    for name, x in op.parts:
        whole = matrices[name]
        piece = f"{name}.{first}:{end}"
        matrices[piece] = Matrix(piece, np.ascontiguousarray(whole.weights[:, first:end]), whole.bits, whole.masked)
        parts.append((piece, x))
    bias = op.bias.part(first, end) if isinstance(op.bias, View) else op.bias
    return replace(op, dst=op.dst.part(first, end), parts=tuple(parts), bias=bias)
