"""Lets the clip of a result do what a maximum with zero would do afterwards (ReLU)."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.fmir.ir import Fmir, Interp, Mac, Op, Products, Vec, View
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.compiler.passes.redirect_results import redirect_results
from femtodriver.part import Part


def clip_at_zero(fmir: Fmir, part: Part) -> Fmir:
    """Saturated results that only a maximum with zero reads are clipped at zero where they are made."""
    return redirect_results(fmir, _argument, _clipped)


def _argument(op: Op) -> View | None:
    """What the operation takes the maximum of with zero, if it does nothing else."""
    if not isinstance(op, Vec) or op.op != "vmax" or op.shift_a or op.shift_b or op.post.shift:
        return None
    if op.post.clip not in ("none", "saturate"):
        return None
    x, zero = (op.a, op.b) if isinstance(op.a, View) else (op.b, op.a)
    return x if isinstance(x, View) and zero == 0 else None


def _clipped(maker: Op, maximum: Vec) -> Op | None:
    if not isinstance(maker, (Vec, Interp, Mac, Products)) or maker.post.clip != "saturate":
        return None
    if maximum.post.clip == "saturate" and maker.post.bits > maximum.post.bits:
        return None
    return replace(maker, post=replace(maker.post, clip="positive"))


PASS = Pass(
    "clip-at-zero",
    clip_at_zero,
    Switch("clip_at_zero", "clip results at zero where they are made instead of taking a maximum afterwards"),
)
