"""Merges elementwise operations that one instruction can do: negations, shifts to the left, comparisons, magnitudes.

t = -x               y = (t >> s) + c      ->    y = ((c << s) - x) >> s
t = x << k           y = a - t             ->    y = a - (x << k)
p = max(x, 0)        n = max(-x, 0)        y = p + n    ->    t = -x    y = max(x, t)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from femtodriver.compiler.fmir.buffer_uses import users
from femtodriver.compiler.fmir.interpreter import apply_vec
from femtodriver.compiler.fmir.ir import Fmir, Op, Role, Vec, View, reads, writes
from femtodriver.compiler.fmir.rewriting import doing_also
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.isa import fits_immediate
from femtodriver.isa.limits import MAX_ELEMENT_BITS
from femtodriver.part import Part

# The largest shift of an operand that is merged with another one.
_MOST_SHIFT = 30
_COMPARING = ("vgt", "vge", "veq")
_SHIFTING = ("vadd", "vsub", "vmax", "vmin", "vgt", "vge")


def merge_elementwise(fmir: Fmir, part: Part) -> Fmir:
    """Negations, differences, shifts to the left and ReLUs are part of the only operation that reads them.

    What is saturated in between is either never out of range, or makes no difference to the result.
    """
    ops: list[Op | None] = list(fmir.ops)
    merging = _Merging(fmir)
    for index, op in enumerate(fmir.ops):
        if isinstance(op, Vec):
            for number, new in merging.merged(index, ops):
                ops[number] = new
    return fmir.with_ops(tuple(op for op in ops if op is not None))


@dataclass(frozen=True)
class _Maker:
    """The operation that makes an operand, and its number."""

    number: int
    op: Vec


class _Merging:
    """Which operations of a frame touch and write each buffer, by number; bodies count as their loop or condition."""

    def __init__(self, fmir: Fmir) -> None:
        self.fmir = fmir
        self._touched = users(fmir.ops)
        self._written = users(fmir.ops, writes)

    def merged(self, index: int, ops: list[Op | None]) -> Iterator[tuple[int, Op | None]]:
        """Operations that take the place of others (None: nothing does) when this one does more."""
        op = ops[index]
        if not isinstance(op, Vec):
            return
        makers = [self._maker(value, index, ops) for value in (op.a, op.b)]
        a, b = makers
        if a is not None and b is not None and op.op == "vadd":
            magnitude = self._magnitude(op, a, b) or self._magnitude(op, b, a)
            if magnitude is not None:
                yield from ((index, doing_also(magnitude[0], (a.op, b.op))), *magnitude[1].items())
                return
        for side, maker in enumerate(makers):
            if maker is None:
                continue
            new = self._negated(op, maker, side) or self._shifted(op, maker, side) or self._compared(op, maker, side)
            if new is not None:
                yield from ((index, doing_also(new, (maker.op,))), (maker.number, None))
                return

    def _maker(self, value: View | int, index: int, ops: list[Op | None]) -> _Maker | None:
        """What makes a temporary that only this operation reads, if its own operand is still there."""
        if not isinstance(value, View) or self.fmir.buffers[value.buffer].role is not Role.TEMP:
            return None
        first, *others = self._touched[value.buffer]
        op = ops[first]
        if others != [index] or not isinstance(op, Vec) or op.dst != value:
            return None
        reader = self.fmir.ops[index]
        if sum(view.buffer == value.buffer for view in reads(reader)) > 1:  # it would still be read
            return None
        (target,) = writes(reader)
        for view in op.reads:
            changed = any(first < number < index for number in self._written.get(view.buffer, ()))
            # What the reader writes over must be read element by element.
            if changed or (view.buffer == target.buffer and view != target):
                return None
        return _Maker(first, op)

    def _plain(self, op: Vec) -> bool:
        """Whether an operation takes its operands as memory has them."""
        return not op.shift_a and not op.shift_b and all(self._bits(view) <= MAX_ELEMENT_BITS for view in op.reads)

    def _bits(self, view: View) -> int:
        return self.fmir.buffers[view.buffer].bits

    def _keeps(self, op: Vec, bits: int) -> bool:
        """Whether the clip of a result leaves values of so many bits as they are, but for what a sign adds."""
        fits = op.post.clip == "none" or (op.post.clip in ("saturate", "positive") and op.post.bits >= bits)
        return fits and self._bits(op.dst) >= bits

    def _negated(self, op: Vec, maker: _Maker, side: int) -> Vec | None:
        """A constant plus a negative value is a difference."""
        x, shift = maker.op.b, (op.shift_a, op.shift_b)[side]
        constant = (op.a, op.b)[1 - side]
        if op.op != "vadd" or maker.op.op != "vsub" or maker.op.a != 0 or maker.op.post.shift or shift > 0:
            return None
        if not self._plain(maker.op):
            return None
        if not isinstance(x, View) or not isinstance(constant, int) or (op.shift_a, op.shift_b)[1 - side]:
            return None
        if (
            maker.op.post.clip != "saturate"
            or not self._keeps(maker.op, self._bits(x))
            or (shift and op.post.shift > 0)
        ):
            return None
        wide = constant << -shift if shift >= -_MOST_SHIFT else None
        if wide is None or not fits_immediate(wide):
            return None
        post = replace(op.post, shift=op.post.shift + shift, rounded=op.post.rounded and op.post.shift < 0)
        new = replace(op, op="vsub", a=wide, b=x, shift_a=0, shift_b=0, post=post)
        lowest = np.array([-1 << (self._bits(x) - 1)])  # the only value whose negative is saturated
        made = apply_vec(maker.op, np.array([0]), lowest)
        before = apply_vec(op, *((made, np.array([constant])) if side == 0 else (np.array([constant]), made)))
        return new if (before == apply_vec(new, np.array([wide]), lowest)).all() else None

    def _shifted(self, op: Vec, maker: _Maker, side: int) -> Vec | None:
        """A shift to the left that loses nothing is that of an operand."""
        x, doublings = maker.op.a, maker.op.post.shift
        if op.op not in _SHIFTING or not maker.op.is_move or doublings <= 0 or not isinstance(x, View):
            return None
        keeps = self._plain(maker.op) and self._keeps(maker.op, self._bits(x) + doublings)
        if maker.op.post.clip == "positive" or not keeps:
            return None
        shift = (op.shift_a, op.shift_b)[side] + doublings
        if not -_MOST_SHIFT <= shift <= _MOST_SHIFT:
            return None
        return replace(op, a=x, shift_a=shift) if side == 0 else replace(op, b=x, shift_b=shift)

    def _compared(self, op: Vec, maker: _Maker, side: int) -> Vec | None:
        """A difference whose sign alone counts is a comparison: its clip keeps the sign."""
        zero, shift = (op.a, op.b)[1 - side], (op.shift_a, op.shift_b)[side]
        signs = maker.op.post.clip == "saturate" and self._bits(maker.op.dst) >= maker.op.post.bits > 1
        if op.op not in _COMPARING or zero != 0 or shift or maker.op.op != "vsub" or maker.op.post.shift or not signs:
            return None
        shifts = (maker.op.shift_a, maker.op.shift_b)
        if max(shifts) > _MOST_SHIFT or any(self._bits(view) > MAX_ELEMENT_BITS for view in maker.op.reads):
            return None  # the difference could wrap
        if side == 0:
            return replace(op, a=maker.op.a, b=maker.op.b, shift_a=shifts[0], shift_b=shifts[1])
        return replace(op, a=maker.op.b, b=maker.op.a, shift_a=shifts[1], shift_b=shifts[0])

    def _magnitude(self, op: Vec, p: _Maker, n: _Maker) -> tuple[Vec, dict[int, Op | None]] | None:
        """The positive part of a value and that of its negative are never both there."""
        x = n.op.b
        if not isinstance(x, View) or op.shift_a or op.shift_b or p.op.op != "vmax" or n.op.op != "vsub" or n.op.a != 0:
            return None
        if not (self._plain(p.op) and self._plain(n.op)):
            return None
        if (p.op.a, p.op.b) not in ((x, 0), (0, x)) or n.op.post.clip != "positive" or not x.step:
            return None
        if (
            p.op.post.shift
            or n.op.post.shift
            or not (self._keeps(p.op, self._bits(x)) and self._keeps(n.op, self._bits(x)))
        ):
            return None
        negative = replace(n.op, post=replace(n.op.post, clip="saturate"))
        return replace(op, op="vmax", a=x, b=n.op.dst), {p.number: None, n.number: negative}


PASS = Pass(
    "merge-elementwise",
    merge_elementwise,
    Switch("merge_elementwise", "let one instruction negate, shift or take the magnitude of what it alone reads"),
)
