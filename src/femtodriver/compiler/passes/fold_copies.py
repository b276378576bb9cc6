"""Makes values where they are wanted instead of copying them there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from femtodriver.compiler.fmir.buffer_uses import times_touched, users
from femtodriver.compiler.fmir.ir import Buffer, Fmir, If, Loop, Op, Role, Vec, View, reads, touches, walk, writes
from femtodriver.compiler.fmir.rewriting import doing_also, with_bodies, with_views
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.part import Part

_TARGETS = (Role.OUTPUT, Role.STATE, Role.MAIL, Role.CARRIED)


def fold_copies(fmir: Fmir, part: Part) -> Fmir:
    """Values are made where they are wanted: in the output, state or carried value that they were copied to whole.

    For a state this requires that nothing reads its old value once the temporary has begun to be written.
    """
    return fmir.with_ops(_fold_block(fmir, fmir.ops, times_touched(fmir.ops)))


def _fold_block(fmir: Fmir, block: tuple[Op, ...], uses: Counter[str]) -> tuple[Op, ...]:
    """Fold inside one list of operations; temporaries that other lists touch are left alone.

    ``uses``: how often anything touches each buffer. Folding changes that of no temporary that is still there.
    """
    ops: dict[int, Op] = dict(enumerate(with_bodies(op, lambda body: _fold_block(fmir, body, uses)) for op in block))
    touched = users(ops.values())
    for index in range(len(block)):
        op = ops[index]
        if not (_is_plain_copy(op, fmir.buffers) and _may_replace(ops, index, uses, touched)):
            continue
        old, new = reads(op)[0].buffer, writes(op)[0].buffer
        del ops[index]
        moved = [number for number in touched.pop(old) if number != index]
        for number in moved:
            maker = ops[number]
            if not isinstance(maker, (Loop, If)) and maker.dst.buffer == old:
                maker = doing_also(maker, (op,))
            ops[number] = with_views(maker, _to_buffer(old, new))
        touched[new] = sorted({*moved, *touched[new]} - {index})
    return tuple(ops.values())


def _is_plain_copy(op: Op, buffers: Mapping[str, Buffer]) -> bool:
    if not (isinstance(op, Vec) and op.is_move and isinstance(op.a, View)):
        return False
    source, target = buffers[op.a.buffer], buffers[op.dst.buffer]
    whole = op.a.length == source.length == op.dst.length == target.length and op.a.step == 1
    plain = not op.shift_a and op.post.shift == 0 and op.post.clip == "none"
    return whole and plain and source.role is Role.TEMP and source.bits == target.bits and target.role in _TARGETS


def _may_replace(ops: Mapping[int, Op], index: int, uses: Counter[str], touched: Mapping[str, list[int]]) -> bool:
    """Whether the copy's source may be the target itself from its first write on."""
    source, target = reads(ops[index])[0].buffer, writes(ops[index])[0].buffer
    of_source, of_target = ({number: ops[number] for number in touched[name]} for name in (source, target))
    if uses[source] != sum(view.buffer == source for op in of_source.values() for view in touches(op)):
        return False
    writers = [number for number, op in of_source.items() if any(view.buffer == source for view in writes(op))]
    if not writers or writers[-1] > index:
        return False
    if any(view.buffer == target for number, op in of_target.items() if number != index for view in _all_writes(op)):
        return False
    between = [number for number in sorted({*of_source, *of_target}) if writers[0] <= number < index]
    return _finds_old((ops[number] for number in between), target, source) and not any(
        view.buffer == target
        for number, op in of_target.items()
        if number > index
        for entry in walk((op,))
        for view in reads(entry)
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


def _to_buffer(old: str, new: str) -> Callable[[View], View]:
    return lambda view: replace(view, buffer=new) if view.buffer == old else view


PASS = Pass(
    "fold-copies",
    fold_copies,
    Switch("fold_copies", "make values where they are wanted instead of copying them there"),
)
