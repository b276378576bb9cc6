"""Cheaper operations that give the same: factors that are powers of two, and results that are an operand as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from femtodriver.compiler.fmir.ir import Post, Vec
from femtodriver.compiler.frontend.ropes import Rope
from femtodriver.isa.limits import MAX_ELEMENT_BITS, MAX_SHIFT

Side = Rope | int
Number = Callable[[Side], int | None]
"""The value of an operand whose elements are all equal and known."""
Width = Callable[[Side], int]
# The factor of an element of memory: the product must not wrap, rounding included.
_MOST_DOUBLINGS = 30


def simplified(op: Vec, a: Side, b: Side, number: Number, width: Width) -> tuple[Vec, Side, Side]:
    """The operation (whose own operands do not matter) and its operands, in the cheapest form that gives the same."""
    if op.op == "vmul" and not op.shift_a and not op.shift_b:
        for x, factor in ((a, number(b)), (b, number(a))):
            if factor and not isinstance(x, int) and width(x) <= MAX_ELEMENT_BITS and _is_power(abs(factor)):
                return _without_factor(op, x, factor) if _shift(op, factor) <= MAX_SHIFT else (op, a, b)
    return op, a, b


def unchanged(op: Vec, a: Side, b: Side, number: Number, width: Width) -> Rope | None:
    """The operand that is the result, if there is one."""
    choices: list[tuple[Side, int, int | None]] = [(a, op.shift_a, 0)] if op.is_move else []
    if op.op in ("vadd", "vsub"):
        choices.append((a, op.shift_a, number(b)))
    if op.op == "vadd":
        choices.append((b, op.shift_b, number(a)))
    for x, shift, other in choices:
        if other == 0 and not shift and not isinstance(x, int) and _keeps(op.post, width(x)):
            return x
    return None


def _keeps(post: Post, bits: int) -> bool:
    """Whether values of so many bits stay as they are."""
    return not post.shift and (post.clip == "none" or (post.clip == "saturate" and post.bits >= bits))


def _is_power(value: int) -> bool:
    return value.bit_count() == 1 and value.bit_length() <= _MOST_DOUBLINGS + 1


def _shift(op: Vec, factor: int) -> int:
    return op.post.shift + abs(factor).bit_length() - 1


def _without_factor(op: Vec, x: Rope, factor: int) -> tuple[Vec, Side, Side]:
    """Shifts the result by so much less; what is rounded there has only zeros where the factor has them."""
    shift = _shift(op, factor)
    post = replace(op.post, shift=shift, rounded=op.post.rounded and shift < 0)
    if factor > 0:
        return replace(op, op="vpass", post=post), x, 0
    return replace(op, op="vsub", post=post), 0, x
