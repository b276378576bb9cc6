"""Passes over FMIR: each is a function from one valid network to another of the same meaning.

The pipeline (``pipeline.py``) names them, runs them in order, verifies after each and dumps on request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from femtodriver.arrays import BoolArray, ByteArray
from femtodriver.compiler.fmir.ir import (
    Buffer,
    Fmir,
    If,
    Loop,
    Mac,
    Matrix,
    Op,
    Role,
    Simple,
    Vec,
    View,
    map_simple,
    reads,
    touches,
    walk,
    writes,
)
from femtodriver.isa import Form
from femtodriver.isa.limits import GROUP_SIZE

_FINAL = (Role.OUTPUT, Role.STATE, Role.MAIL)


def drop_dead(fmir: Fmir) -> Fmir:
    """Operations whose results reach no output, state or message are dropped; so are states that nobody reads."""
    read_states = {view.buffer for op in walk(fmir.ops) for view in reads(op) if not _keeps_itself(op, view)}
    needed = {port.buffer for port in fmir.outputs} | set(fmir.kept.values())
    needed |= {n for n, b in fmir.buffers.items() if b.role in (Role.STATE, Role.MAIL) and n in read_states}
    return fmir.with_ops(_live(fmir.ops, needed))


def _keeps_itself(op: Op, view: View) -> bool:
    """Whether the read only moves a state inside itself (a delay line that nobody looks at)."""
    return isinstance(op, Vec) and op.is_move and op.dst.buffer == view.buffer


def _live(ops: tuple[Op, ...], needed: set[str]) -> tuple[Op, ...]:
    """The operations that write a needed buffer; what they read is needed too (``needed`` grows)."""
    kept: list[Op] = []
    for op in reversed(ops):
        live = _live_one(op, needed)
        if live is not None:
            kept.append(live)
            needed.update(view.buffer for view in reads(live))
    return tuple(reversed(kept))


def _live_one(op: Op, needed: set[str]) -> Op | None:
    if isinstance(op, If):
        then, orelse = _live(op.then, needed), _live(op.orelse, needed)
        return replace(op, then=then, orelse=orelse) if then or orelse else None
    if isinstance(op, Loop):
        while True:  # what an iteration needs, an earlier one may write
            before = len(needed)
            body = _live(op.body, needed)
            if len(needed) == before:
                return replace(op, body=body) if body else None
    return op if op.dst.buffer in needed else None


def fold_copies(fmir: Fmir) -> Fmir:
    """A temporary that only exists to be copied whole into an output or state is made there in the first place.

    For a state this needs that nobody reads its old value once the temporary has begun to be written.
    """
    uses = Counter(view.buffer for op in walk(fmir.ops) for view in touches(op))
    return fmir.with_ops(_fold_block(fmir, fmir.ops, uses))


def _fold_block(fmir: Fmir, block: tuple[Op, ...], uses: Counter[str]) -> tuple[Op, ...]:
    """Fold inside one list of operations; temporaries that other lists touch are left alone."""
    ops = [with_bodies(op, lambda body: _fold_block(fmir, body, uses)) for op in block]
    index = 0
    while index < len(ops):
        op = ops[index]
        if not (_is_plain_copy(op, fmir.buffers) and _may_replace(ops, index, uses)):
            index += 1
            continue
        ops.pop(index)
        old, new = reads(op)[0].buffer, writes(op)[0].buffer
        uses[new] += uses.pop(old) - 2
        ops = [renamed(entry, _to_buffer(old, new)) for entry in ops]
    return tuple(ops)


def with_bodies(op: Op, change: Callable[[tuple[Op, ...]], tuple[Op, ...]]) -> Op:
    """The operation with its bodies changed, if it has any."""
    if isinstance(op, Loop):
        return replace(op, body=change(op.body))
    if isinstance(op, If):
        return replace(op, then=change(op.then), orelse=change(op.orelse))
    return op


def _is_plain_copy(op: Op, buffers: Mapping[str, Buffer]) -> bool:
    if not (isinstance(op, Vec) and op.is_move and isinstance(op.a, View)):
        return False
    source, target = buffers[op.a.buffer], buffers[op.dst.buffer]
    whole = op.a.length == source.length == op.dst.length == target.length and op.a.step == 1
    plain = not op.shift_a and op.post.shift == 0 and op.post.clip == "none"
    targets = (*_FINAL, Role.CARRIED)
    return whole and plain and source.role is Role.TEMP and source.bits == target.bits and target.role in targets


def _may_replace(ops: list[Op], index: int, uses: Counter[str]) -> bool:
    """Whether the copy's source may be the target itself from its first write on."""
    source, target = reads(ops[index])[0].buffer, writes(ops[index])[0].buffer
    if uses[source] != sum(view.buffer == source for op in ops for view in touches(op)):
        return False
    first = next(i for i, op in enumerate(ops) if any(view.buffer == source for view in writes(op)))
    if any(view.buffer == target for i, op in enumerate(ops) if i != index for view in _all_writes(op)):
        return False
    if any(view.buffer == source for op in ops[index + 1 :] for view in writes(op)):
        return False
    return _finds_old(ops[first:index], target, source) and not any(
        view.buffer == target for op in walk(ops[index + 1 :]) for view in reads(op)
    )


def _all_writes(op: Op) -> tuple[View, ...]:
    return tuple(view for entry in walk((op,)) for view in writes(entry))


def _finds_old(ops: Iterable[Op], target: str, source: str) -> bool:
    """Whether operations that read the target still find its old value where the source's elements are written to it.

    That is so for an elementwise update in place, of elements that nothing has written before.
    """
    written: list[View] = []
    for op in ops:
        for view in (view for entry in walk((op,)) for view in reads(entry) if view.buffer == target):
            in_place = isinstance(op, Vec) and op.dst == replace(view, buffer=source) and not view.cursor
            if not in_place or any((view.offset < old.end and old.offset < view.end) or old.cursor for old in written):
                return False
        written += [view for view in writes(op) if view.buffer == source]
    return True


def renamed(op: Op, change: Callable[[View], View]) -> Op:
    """The operation with every view changed, in its bodies too."""
    if isinstance(op, (Loop, If)):
        changed = with_bodies(op, lambda body: tuple(renamed(entry, change) for entry in body))
        return replace(changed, condition=change(changed.condition)) if isinstance(changed, If) else changed
    if isinstance(op, Vec):
        a = change(op.a) if isinstance(op.a, View) else op.a
        b = change(op.b) if isinstance(op.b, View) else op.b
        return replace(op, dst=change(op.dst), a=a, b=b)
    if isinstance(op, Mac):
        bias = change(op.bias) if isinstance(op.bias, View) else op.bias
        return replace(op, dst=change(op.dst), bias=bias, parts=tuple((name, change(x)) for name, x in op.parts))
    return replace(op, dst=change(op.dst), a=change(op.a))


def _to_buffer(old: str, new: str) -> Callable[[View], View]:
    return lambda view: replace(view, buffer=new) if view.buffer == old else view


def choose_formats(fmir: Fmir) -> Fmir:
    """Every matrix is stored in the form that takes the fewest bytes, index included."""
    matrices = {name: replace(matrix, form=_smallest_form(matrix)) for name, matrix in fmir.matrices.items()}
    return replace(fmir, matrices=matrices)


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


def _smallest_form(matrix: Matrix) -> Form:
    kept = kept_groups(matrix)
    unit = GROUP_SIZE * matrix.bits // 8
    weights = {Form.DENSE: kept.size * unit, Form.MASKED: int(kept.sum()) * unit, Form.NESTED: int(kept.sum()) * unit}
    words = {form: -(-size // 8) + -(-len(mask_bytes(kept, form)) // 8) for form, size in weights.items()}
    return min(words, key=lambda form: (words[form], form))


def split_rows(fmir: Fmir, most_rows: int) -> Fmir:
    """Matrix products with more than ``most_rows`` outputs become several of at most that many."""
    matrices = dict(fmir.matrices)

    def split(op: Simple) -> tuple[Op, ...]:
        if not isinstance(op, Mac) or op.dst.length <= most_rows:
            return (op,)
        starts = range(0, op.dst.length, most_rows)
        return tuple(mac_rows(op, first, min(first + most_rows, op.dst.length), matrices) for first in starts)

    ops = map_simple(fmir.ops, split)
    return replace(fmir, matrices=matrices).with_ops(ops)


def mac_rows(op: Mac, first: int, end: int, matrices: dict[str, Matrix]) -> Mac:
    """The product's outputs [first, end); adds the rows' matrices to ``matrices``."""
    parts = []
    for name, x in op.parts:
        whole = matrices[name]
        piece = f"{name}.{first}:{end}"
        matrices[piece] = Matrix(piece, np.ascontiguousarray(whole.weights[:, first:end]), whole.bits, whole.form)
        parts.append((piece, x))
    bias = op.bias.part(first, end) if isinstance(op.bias, View) else op.bias
    return replace(op, dst=op.dst.part(first, end), parts=tuple(parts), bias=bias)
