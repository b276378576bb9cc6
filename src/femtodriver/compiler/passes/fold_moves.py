"""Makes values where they are moved to: in parts of buffers, shifted and clipped as the move does it."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.fmir.ir import Fmir, Interp, Mac, Op, Post, Products, Vec, View
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.compiler.passes.redirect_results import redirect_results
from femtodriver.isa.limits import ACCUMULATOR_BITS
from femtodriver.part import Part

_EXACT = Post()


def fold_moves(fmir: Fmir, part: Part) -> Fmir:
    """Temporaries that only a move reads are made where it moves them, with its shift and clip if they had none."""

    def folded(maker: Op, move: Vec) -> Op | None:
        bits, target = (fmir.buffers[name].bits for name in (_buffer(move), move.dst.buffer))
        if move.post == _EXACT:
            return maker if bits == target else None
        # What only accumulators hold is not cut before the move shifts and clips it.
        if bits < ACCUMULATOR_BITS or not isinstance(maker, (Vec, Interp, Mac, Products)) or maker.post != _EXACT:
            return None
        return replace(maker, post=move.post)

    return redirect_results(fmir, _moved, folded)


def _moved(op: Op) -> View | None:
    """What the operation moves."""
    return op.a if isinstance(op, Vec) and op.is_move and not op.shift_a and isinstance(op.a, View) else None


def _buffer(move: Vec) -> str:
    return move.a.buffer if isinstance(move.a, View) else ""


PASS = Pass(
    "fold-moves",
    fold_moves,
    Switch("fold_moves", "make values in the parts of buffers that they are moved to, shifted and clipped as there"),
)
