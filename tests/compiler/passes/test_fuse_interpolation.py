"""Six operations become one interpolation, where that is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from femtodriver.compiler.fmir.ir import Fmir, If, Look, Op, Post, Vec, View
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.passes.drop_dead import drop_dead
from femtodriver.compiler.passes.fuse_interpolation import fuse_interpolation
from femtodriver.part import Part
from tests.compiler.fmir_samples import SATURATE, SIZE, add, buffer, machine_outputs, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare


def interpolation(change: Op | None = None, bits: int = 16) -> Fmir:
    """The operations that producers make of a nonlinearity; ``change`` stands before the last one."""
    numbers = np.random.default_rng(2)
    whole = {name: View(name, 0, SIZE) for name in ("state0", "h", "r", "s", "o", "p", "out0")}
    ops = [
        Vec("vpass", whole["h"], whole["state0"], post=Post(-8, False, "saturate", 8)),
        Vec("vsub", whole["r"], whole["state0"], whole["h"], 0, 8, SATURATE),
        _look("s", "a"),
        _look("o", "b"),
        Vec("vmul", whole["p"], whole["r"], whole["s"], post=Post(-8, False, "saturate", 16)),
        *([] if change is None else [change]),
        Vec("vadd", whole["out0"], whole["o"], whole["p"], 2, -1, SATURATE),
        add("state0", "state0", "in0"),
    ]
    state = buffer("state0", bits=bits, init=numbers.integers(-1 << 15, 1 << 15, SIZE))
    temporaries = [buffer(name) for name in ("h", "r", "s", "o", "p")]
    tables = {name: numbers.integers(-1 << 15, 1 << 15, 256) for name in "ab"}
    return network([IN, OUT, state, *temporaries], ops, tables=tables)


def _look(dst: str, table: str) -> Op:
    return Look(View(dst, 0, SIZE), View("h", 0, SIZE), table)


def _fused_and_tidied(fmir: Fmir, part: Part) -> Fmir:
    return drop_dead(fuse_interpolation(fmir, part), part)


def test_fuse_interpolation(golden: Golden) -> None:
    after = compare(golden, "fuse_interpolation", _fused_and_tidied, interpolation())
    assert len(after.ops) == 2
    assert machine_outputs(after) == outputs(after)


def test_fuse_interpolation_finds_the_extremes_exact() -> None:
    before = interpolation()
    state = buffer("state0", init=[-32768, 32767, -1, 0, 255, 256, -256, -257] * 2)
    tables = {"a": np.repeat([-32768, 32767], 128), "b": np.repeat([32767, -32768], 128)}
    before = replace(before, buffers={**before.buffers, "state0": state}, tables=tables)
    assert outputs(fuse_interpolation(before, SPU)) == outputs(before)


def test_fuse_interpolation_needs_an_argument_that_stays() -> None:
    before = interpolation(add("state0", "state0", 100))
    verify(before)
    assert fuse_interpolation(before, SPU).ops == before.ops
    inside = interpolation(If(View("in0", 0, 1), (add("state0", "state0", 100),), ()))
    assert fuse_interpolation(inside, SPU).ops == inside.ops


def test_fuse_interpolation_needs_16_bits() -> None:
    before = interpolation(bits=32)
    assert fuse_interpolation(before, SPU).ops == before.ops
