"""Lets the clip of a result do what a maximum with zero would do afterwards (ReLU)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from femtodriver.compiler.fmir.ir import Fmir, Interp, Mac, Op, Products, Role, Vec, View, touches, walk, writes
from femtodriver.compiler.fmir.rewriting import with_bodies
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.part import Part

_CLIPPING = (Vec, Interp, Mac, Products)


def clip_at_zero(fmir: Fmir, part: Part) -> Fmir:
    """Saturated results that only a maximum with zero reads are clipped at zero where they are made.

    The maximum vanishes; its destination is written where the temporary was, which nobody may notice: nothing
    touches the destination from there to the maximum.
    """
    uses = Counter(view.buffer for op in walk(fmir.ops) for view in touches(op))
    return fmir.with_ops(_clip_block(fmir, fmir.ops, uses))


def _clip_block(fmir: Fmir, block: tuple[Op, ...], uses: Counter[str]) -> tuple[Op, ...]:
    ops = [with_bodies(op, lambda body: _clip_block(fmir, body, uses)) for op in block]
    makers: dict[str, list[int]] = {}
    gone: set[int] = set()
    for index, op in enumerate(ops):
        x = _argument(op)
        mine = makers.get(x.buffer, []) if x is not None else []
        if x is not None and mine and uses[x.buffer] == len(mine) + 1 and _can_clip(fmir, ops, mine, index, x):
            for number in mine:
                ops[number] = _clipped(ops[number], x, op)
            makers.setdefault(writes(op)[0].buffer, []).extend(mine)
            gone.add(index)
            continue
        for view in writes(op):
            makers.setdefault(view.buffer, []).append(index)
    return tuple(op for index, op in enumerate(ops) if index not in gone)


def _argument(op: Op) -> View | None:
    """What the operation takes the maximum of with zero, if it does nothing else."""
    if not isinstance(op, Vec) or op.op != "vmax" or op.shift_a or op.shift_b or op.post.shift:
        return None
    if op.post.clip not in ("none", "saturate"):
        return None
    x, zero = (op.a, op.b) if isinstance(op.a, View) else (op.b, op.a)
    return x if isinstance(x, View) and zero == 0 and x.step else None


def _can_clip(fmir: Fmir, ops: Sequence[Op], makers: Sequence[int], index: int, x: View) -> bool:
    if fmir.buffers[x.buffer].role is not Role.TEMP:
        return False
    maximum = ops[index]
    most = maximum.post.bits if isinstance(maximum, Vec) and maximum.post.clip == "saturate" else None
    if not all(_saturates(ops[number], most) and _covers(x, writes(ops[number])[0]) for number in makers):
        return False
    between = (ops[number] for number in range(makers[0], index))
    return not any(_meet(view, writes(maximum)[0]) for op in walk(between) for view in touches(op))


def _meet(one: View, other: View) -> bool:
    moving = one.cursor or other.cursor
    return one.buffer == other.buffer and bool(moving or (one.offset < other.end and other.offset < one.end))


def _saturates(op: Op, most: int | None) -> bool:
    if not isinstance(op, _CLIPPING) or op.post.clip != "saturate":
        return False
    return most is None or op.post.bits <= most


def _covers(x: View, made: View) -> bool:
    return x.cursor == made.cursor and x.offset <= made.offset and made.end <= x.end


def _clipped(op: Op, x: View, maximum: Op) -> Op:
    if not isinstance(op, _CLIPPING):
        raise TypeError("only operations with a clip can clip")
    first = op.dst.offset - x.offset
    dst = writes(maximum)[0].part(first, first + op.dst.length)
    return replace(op, dst=dst, post=replace(op.post, clip="positive"))


PASS = Pass(
    "clip-at-zero",
    clip_at_zero,
    Switch("clip_at_zero", "clip results at zero where they are made instead of taking a maximum afterwards"),
)
