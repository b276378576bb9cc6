"""Finds interpolations in tables: the six operations that producers make of one nonlinearity become one.

    high = sat8(x >> 8)          product = sat16(slope[high] * rest >> 8)
    rest = sat16(x - (high << 8))   result = post((product << shift_a) + (offset[high] << shift_b))

With a 16-bit x none of the inner saturations can act, so the one operation gives the same bits.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from femtodriver.compiler.fmir.ir import Fmir, If, Interp, Look, Loop, Op, Post, Role, Vec, View, walk, writes
from femtodriver.compiler.fmir.rewriting import doing_also, with_bodies
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.isa.limits import INTERPOLATION_ADDRESS_BITS as _ADDRESS
from femtodriver.isa.limits import INTERPOLATION_ARGUMENT_BITS as _ARGUMENT
from femtodriver.part import Part

_HIGH = Post(-_ADDRESS, False, "saturate", _ADDRESS)
_REST = Post(0, False, "saturate", _ARGUMENT)
_PRODUCT = Post(-_ADDRESS, False, "saturate", _ARGUMENT)


def fuse_interpolation(fmir: Fmir, part: Part) -> Fmir:
    """Interpolations in tables are one operation each."""
    return fmir.with_ops(_fuse_block(fmir, fmir.ops))


@dataclass(frozen=True)
class _Makers:
    """The operations of a block, and which of them makes a whole temporary, by buffer."""

    fmir: Fmir
    ops: list[Op]
    by_buffer: dict[str, Vec | Look]

    def vec(self, view: View | int, op: str) -> Vec | None:
        """The ``Vec`` of that name that makes exactly this view, if one does."""
        maker = self._of(view)
        return maker if isinstance(maker, Vec) and maker.op == op else None

    def look(self, view: View | int) -> Look | None:
        """The ``Look`` that makes exactly this view, if one does."""
        maker = self._of(view)
        return maker if isinstance(maker, Look) else None

    def unchanged(self, x: View, since: Op, until: Op) -> bool:
        """Whether nothing between two operations of the block writes to what ``x`` views."""
        first, end = (next(index for index, op in enumerate(self.ops) if op is one) for one in (since, until))
        between = walk(self.ops[first:end])
        return first < end and all(view.buffer != x.buffer for op in between for view in writes(op))

    def _of(self, view: View | int) -> Vec | Look | None:
        if isinstance(view, int):
            return None
        maker = self.by_buffer.get(view.buffer)
        return maker if maker is not None and maker.dst == view else None


def _fuse_block(fmir: Fmir, ops: tuple[Op, ...]) -> tuple[Op, ...]:
    fused = [with_bodies(op, lambda body: _fuse_block(fmir, body)) for op in ops]
    makers = _Makers(fmir, fused, _whole_makers(fmir, fused))
    return tuple(_fused(makers, op) or op for op in fused)


def _whole_makers(fmir: Fmir, ops: list[Op]) -> dict[str, Vec | Look]:
    """Temporaries that one operation of this block makes, and no other writes anywhere."""
    writers = Counter(view.buffer for op in walk(fmir.ops) for view in writes(op))
    found = {}
    for op in ops:
        if isinstance(op, (Vec, Look)) and writers[op.dst.buffer] == 1:
            buffer = fmir.buffers[op.dst.buffer]
            if buffer.role is Role.TEMP and op.dst.length == buffer.length:
                found[op.dst.buffer] = op
    return found


def _fused(makers: _Makers, op: Op) -> Interp | None:
    if isinstance(op, (Loop, If)) or not (isinstance(op, Vec) and op.op == "vadd"):
        return None
    for (product, shift_a), (line, shift_b) in (
        ((op.a, op.shift_a), (op.b, op.shift_b)),
        ((op.b, op.shift_b), (op.a, op.shift_a)),
    ):
        times, offset = makers.vec(product, "vmul"), makers.look(line)
        if times is None or offset is None or times.post != _PRODUCT or times.shift_a or times.shift_b:
            continue
        slope = makers.look(times.a) or makers.look(times.b)
        rest = makers.vec(times.b, "vsub") or makers.vec(times.a, "vsub")
        x = _argument(makers, slope, rest, offset, op)
        if slope is not None and rest is not None and x is not None:
            whole = Interp(op.dst, x, offset.table, slope.table, shift_a, shift_b, op.post, op.layer, op.core)
            high = makers.vec(rest.b, "vpass")
            return doing_also(whole, (op, times, offset, slope, rest, *([high] if high else [])))
    return None


def _argument(makers: _Makers, slope: Look | None, rest: Vec | None, offset: Look, end: Op) -> View | None:
    """The argument, if high part, rest and look-ups are those of an interpolation that ``end`` completes."""
    if slope is None or rest is None or rest.post != _REST or (rest.shift_a, rest.shift_b) != (0, _ADDRESS):
        return None
    high = makers.vec(rest.b, "vpass")
    if high is None or high.post != _HIGH or high.shift_a or rest.a != high.a:
        return None
    plain = all(look.a == high.dst and not look.shift_a and look.bits == _ADDRESS for look in (slope, offset))
    x = high.a
    if not plain or not isinstance(x, View) or makers.fmir.buffers[x.buffer].bits != _ARGUMENT or not x.step:
        return None
    return x if makers.unchanged(x, high, end) else None


PASS = Pass(
    "fuse-interpolation",
    fuse_interpolation,
    Switch("fuse_interpolation", "one instruction for an interpolation in a table instead of six operations"),
)
