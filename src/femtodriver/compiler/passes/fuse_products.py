"""Finds sums of elementwise products: multiplications whose unshifted results are only added up become one operation.

    t0 = a0 * b0      t2 = t0 + t1      result = post(t3 + (bias << shift))
    t1 = a1 * b1      t3 = t2 + ...

All of them are exact modulo 2^64, so that the order of the sums does not matter.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field

from femtodriver.compiler.accumulator_rows import most_outputs
from femtodriver.compiler.fmir.buffer_uses import times_touched
from femtodriver.compiler.fmir.ir import Fmir, Op, Post, Products, Role, Vec, View, walk, writes
from femtodriver.compiler.fmir.rewriting import doing_also, with_bodies
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.isa.limits import ACCUMULATOR_BITS
from femtodriver.part import Part

_LEAST_FACTORS = 2
_WRITE_AND_READ = 2
_EXACT = Post()


def fuse_products(fmir: Fmir, part: Part) -> Fmir:
    """Sums of at least two elementwise products, with a bias, are one operation each."""
    return fmir.with_ops(_fuse_block(fmir, fmir.ops, times_touched(fmir.ops), most_outputs(part)))


def _fuse_block(fmir: Fmir, block: tuple[Op, ...], uses: Counter[str], most: int) -> tuple[Op, ...]:
    ops = [with_bodies(op, lambda body: _fuse_block(fmir, body, uses, most)) for op in block]
    scene = _Scene(fmir, ops, uses)
    fused: dict[int, Op] = {}
    gone: set[int] = set()
    for index, op in enumerate(ops):
        found = scene.sum_of(index, op) if isinstance(op, Vec) and op.dst.length <= most else None
        if found is not None and isinstance(op, Vec):
            bias, shift = found.bias
            whole = Products(op.dst, tuple(found.factors), bias, shift, op.post, op.layer, op.core, op.also)
            fused[index] = doing_also(whole, (ops[number] for number in found.makers))
            gone |= found.makers
        scene.written(index, op)
    return tuple(fused.get(index, op) for index, op in enumerate(ops) if index not in gone)


@dataclass
class _Sum:
    """Terms that have been found: products, at most one other term with its shift, and who made them."""

    factors: list[tuple[View, View | int]] = field(default_factory=list)
    bias: tuple[View | int, int] = (0, 0)
    makers: set[int] = field(default_factory=set)


class _Scene:
    """A block of operations, as far as it has been read."""

    def __init__(self, fmir: Fmir, ops: list[Op], uses: Counter[str]) -> None:
        self.fmir, self.ops, self.uses = fmir, ops, uses
        self._makers: dict[str, int] = {}
        self._writes: dict[str, list[int]] = {}

    def written(self, index: int, op: Op) -> None:
        """Go on behind this operation."""
        for view in (view for entry in walk((op,)) for view in writes(entry)):
            self._makers[view.buffer] = index
            self._writes.setdefault(view.buffer, []).append(index)

    def sum_of(self, index: int, op: Vec) -> _Sum | None:
        """The sum that the operation completes, if nothing has changed its terms since they were multiplied."""
        found = _Sum()
        if op.op not in ("vadd", "vpass") or not self._add(op, found) or len(found.factors) < _LEAST_FACTORS:
            return None
        operands = (*(operand for pair in found.factors for operand in pair), found.bias[0])
        first = min(found.makers)
        changed = any(self._changed(view, first) for view in operands if isinstance(view, View))
        return None if changed else found

    def _add(self, op: Vec, found: _Sum) -> bool:
        """Collect the terms of a sum; False if there are two that are no products."""
        sides = ((op.a, op.shift_a), (op.b, op.shift_b))[: op.spec.reads]
        return all(self._add_term(value, shift, found) for value, shift in sides)

    def _add_term(self, value: View | int, shift: int, found: _Sum) -> bool:
        index = None if isinstance(value, int) or shift else self._maker(value)
        maker = None if index is None else self.ops[index]
        if index is not None and isinstance(maker, Vec) and maker.post == _EXACT:
            if maker.op == "vadd":
                found.makers.add(index)
                return self._add(maker, found)
            if maker.op == "vmul" and not maker.shift_a and not maker.shift_b:
                a, b = (maker.a, maker.b) if isinstance(maker.a, View) else (maker.b, maker.a)
                if isinstance(a, View) and self._narrow(a) and self._narrow(b):
                    found.makers.add(index)
                    found.factors.append((a, b))
                    return True
        if value == 0:
            return True
        if found.bias[0] != 0:
            return False
        found.bias = (value, shift)
        return True

    def _maker(self, view: View) -> int | None:
        """Which operation of this block makes the temporary that only this view reads."""
        index = self._makers.get(view.buffer)
        once = self.uses[view.buffer] == _WRITE_AND_READ
        if index is None or not once or self.fmir.buffers[view.buffer].role is not Role.TEMP:
            return None
        return index if writes(self.ops[index]) == (view,) else None

    def _narrow(self, value: View | int) -> bool:
        return isinstance(value, int) or self.fmir.buffers[value.buffer].bits < ACCUMULATOR_BITS

    def _changed(self, view: View, since: int) -> bool:
        """Whether the buffer has been written after an operation."""
        numbers = self._writes.get(view.buffer, [])
        return bisect_right(numbers, since) < len(numbers)


PASS = Pass(
    "fuse-products",
    fuse_products,
    Switch("fuse_products", "one operation for a sum of elementwise products, which the accumulators add up"),
)
