"""Elementwise operations that one instruction can do, on values that reach the limits; near misses stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.fmir.ir import Fmir, Op, Post, Vec, View
from femtodriver.compiler.passes.merge_elementwise import merge_elementwise
from tests.compiler.fmir_samples import SATURATE, SIZE, add, buffer, copy, machine_outputs, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare

POSITIVE = Post(0, False, "positive", 16)
LIMITS = np.array([-32768, -32767, -32766, -257, -256, -129, -128, -2, -1, 0, 1, 127, 128, 255, 32766, 32767])


def view(name: str, step: int = 1) -> View:
    return View(name, 0, SIZE, step)


def vec(
    op: str, dst: str, a: str | int, b: str | int = 0, post: Post = SATURATE, shifts: tuple[int, int] = (0, 0)
) -> Vec:
    operands = [view(value) if isinstance(value, str) else value for value in (a, b)]
    return Vec(op, view(dst), operands[0], operands[1], *shifts, post)


def sides(one: str, other: str | int, *, left: bool) -> tuple[str | int, str | int]:
    """Two operands, the first one on the left or on the right."""
    return (one, other) if left else (other, one)


def frame(*ops: Op, bits: int = 16) -> Fmir:
    buffers = [IN, buffer("in1"), OUT, buffer("t0", bits=bits), buffer("t1"), buffer("t2"), buffer("state0")]
    every = (*ops, add("state0", "in0", "in1"))
    return network(buffers, every).with_ops(every)


def results(fmir: Fmir, x: Int64Array, y: Int64Array) -> list[int]:
    return [int(value) for value in FmirExecutor(fmir).step({"in0": x, "in1": y})["out0"]]


def same(before: Fmir, after: Fmir) -> None:
    """Every pair of limits, and what the machine makes of random frames."""
    for turn in range(SIZE):
        other = np.roll(LIMITS, turn)
        assert results(after, LIMITS, other) == results(before, LIMITS, other)
    assert machine_outputs(after) == outputs(before)


NEGATED = (vec("vsub", "t0", 0, "in0"), vec("vadd", "out0", "t0", 16384, shifts=(-1, 0)))
DOUBLED = (
    vec("vpass", "t0", "in0", post=Post(-8, clip="saturate", bits=8)),
    vec("vpass", "t1", "t0", post=Post(8, clip="saturate", bits=16)),
    vec("vsub", "t2", "in0", "t1", Post(7, clip="saturate", bits=16)),
    vec("vadd", "out0", "t2", "t0"),
)
MAGNITUDE = (
    vec("vmax", "t0", "in0", 0, Post()),
    vec("vsub", "t1", 0, "in0", POSITIVE),
    vec("vadd", "out0", "t0", "t1", Post(-1, True, "saturate", 16)),
)
COMPARED = (vec("vsub", "t0", "in0", "in1", shifts=(0, -1)), vec("vgt", "out0", "t0", 0, Post()))


def test_merge_elementwise(golden: Golden) -> None:
    ops = [
        *NEGATED[:1], vec("vadd", "t1", "t0", 16384, shifts=(-1, 0)),
        vec("vsub", "t2", "t1", "in1"), vec("vgt", "out0", "t2", 0, Post()),
    ]  # fmt: skip
    compare(golden, "merge_elementwise", merge_elementwise, frame(*ops))


@pytest.mark.parametrize(
    ("ops", "bits", "left"), [(NEGATED, 16, 1), (DOUBLED, 8, 3), (MAGNITUDE, 16, 2), (COMPARED, 16, 1)]
)
def test_each_rule(ops: Sequence[Op], bits: int, left: int) -> None:
    before = frame(*ops, bits=bits)
    after = merge_elementwise(before, SPU)
    assert len(after.ops) == left + 1
    same(before, after)


@pytest.mark.parametrize("op", ["vgt", "vge", "veq"])
@pytest.mark.parametrize("side", [0, 1])
def test_comparisons_with_a_difference(op: str, side: int) -> None:
    a, b = sides("t0", 0, left=side == 0)
    before = frame(vec("vsub", "t0", "in0", "in1"), vec(op, "out0", a, b, Post(3)))
    after = merge_elementwise(before, SPU)
    assert len(after.ops) == 2
    same(before, after)


posts = st.builds(
    Post, st.integers(-9, 3), st.booleans(), st.sampled_from(["saturate", "positive"]), st.integers(2, 16)
)


@given(st.integers(-40000, 40000), st.integers(-9, 0), posts, st.booleans())
def test_negations_give_the_same(constant: int, shift: int, post: Post, left: bool) -> None:
    """Merged or not."""
    a, b = sides("t0", constant, left=left)
    before = frame(vec("vsub", "t0", 0, "in0"), vec("vadd", "out0", a, b, post, (shift, 0) if left else (0, shift)))
    assert results(merge_elementwise(before, SPU), LIMITS, LIMITS) == results(before, LIMITS, LIMITS)


@pytest.mark.slow
@given(
    st.integers(1, 8),
    st.tuples(st.integers(-10, 3), st.integers(-3, 3)),
    st.sampled_from(["vadd", "vsub", "vmax", "vmin", "vgt", "vge", "vmul", "veq", "vand"]),
    st.booleans(),
)
def test_shifts_give_the_same(doublings: int, shifts: tuple[int, int], op: str, left: bool) -> None:
    if op == "vmul":
        shifts = (min(shifts[0], 0), min(shifts[1], 0))
    narrow = vec("vpass", "t0", "in0", post=Post(-8, clip="saturate", bits=8))
    wide = vec("vpass", "t1", "t0", post=Post(doublings, clip="saturate", bits=16))
    a, b = sides("t1", "in1", left=left)
    before = frame(narrow, wide, vec(op, "t2", a, b, SATURATE, shifts), add("out0", "t2", "t0"), bits=8)
    after = merge_elementwise(before, SPU)
    assert results(after, LIMITS, LIMITS[::-1]) == results(before, LIMITS, LIMITS[::-1])
    assert machine_outputs(after, 1) == outputs(before, 1)


KEPT: dict[str, tuple[Op, ...]] = {
    "read by another": (*NEGATED, vec("vadd", "state0", "state0", "t0")),
    "read whole, made in part": (Vec("vsub", View("t0", 0, 8), 0, View("in0", 0, 8), post=SATURATE), NEGATED[1]),
    "its operand changes": (
        vec("vsub", "t0", 0, "state0"), copy("state0", "in0"), vec("vadd", "out0", "t0", 7),
    ),
    "negation of a clipped value": (vec("vsub", "t0", 0, "in0", Post(clip="saturate", bits=12)), NEGATED[1]),
    "negation that is shifted": (vec("vsub", "t0", 0, "in0", Post(-1, clip="saturate", bits=16)), NEGATED[1]),
    "negation added to a value": (NEGATED[0], vec("vadd", "out0", "t0", "in1")),
    "negation doubled": (NEGATED[0], vec("vadd", "out0", "t0", 5, shifts=(1, 0))),
    "the lowest value matters": (NEGATED[0], vec("vadd", "out0", "t0", -5)),
    "a constant that is too wide": (NEGATED[0], vec("vadd", "out0", "t0", 1 << 20, shifts=(-3, 0))),
    "a shift that clips": (
        vec("vpass", "t0", "in0", post=Post(3, clip="saturate", bits=16)), vec("vsub", "out0", "in1", "t0"),
    ),
    "magnitude with shifted parts": (*MAGNITUDE[:2], vec("vadd", "out0", "t0", "t1", shifts=(-1, 0))),
    "magnitude of two values": (MAGNITUDE[0], vec("vsub", "t1", 0, "in1", POSITIVE), MAGNITUDE[2]),
    "difference of parts": (*MAGNITUDE[:2], vec("vsub", "out0", "t0", "t1")),
    "parts that are not both positive": (MAGNITUDE[0], vec("vsub", "t1", 0, "in0"), MAGNITUDE[2]),
    "difference compared with one": (COMPARED[0], vec("vgt", "out0", "t0", 1, Post())),
    "shifted difference": (
        vec("vsub", "t0", "in0", "in1", Post(-1, clip="saturate", bits=16)), COMPARED[1],
    ),
    "written over what it reads": (
        Vec("vsub", View("t0", 0, 8), 0, View("state0", 0, 8), post=SATURATE),
        Vec("vadd", View("state0", 4, 8), View("t0", 0, 8), 7, post=SATURATE),
    ),
    "low bits of a difference": (vec("vsub", "t0", "in0", "in1", Post(clip="low", bits=15)), COMPARED[1]),
}  # fmt: skip


def test_wide_differences_may_wrap() -> None:
    ops = (vec("vsub", "t0", "t1", "t2", Post(clip="saturate", bits=64)), vec("vgt", "out0", "t0", 0, Post()))
    buffers = [IN, OUT, *(buffer(name, bits=64) for name in ("t0", "t1", "t2"))]
    wide = [vec("vmul", name, "in0", factor, Post(40)) for name, factor in (("t1", 1), ("t2", -1))]
    before = network(buffers, (*wide, *ops))
    after = merge_elementwise(before, SPU)
    assert after.ops[-1] == before.ops[-1]
    assert outputs(after) == outputs(before)


@pytest.mark.parametrize("name", KEPT)
def test_near_misses_stay(name: str) -> None:
    before = frame(vec("vpass", "t0", 0), *KEPT[name]) if name.startswith("read whole") else frame(*KEPT[name])
    assert merge_elementwise(before, SPU).ops == before.ops


def test_a_value_that_is_read_on_both_sides_stays() -> None:
    made = frame(*DOUBLED[:2], vec("vmax", "out0", "t1", "in1"), bits=8)
    assert len(merge_elementwise(made, SPU).ops) < len(made.ops)
    before = frame(*DOUBLED[:2], vec("vmax", "out0", "t1", "t1"), bits=8)
    assert merge_elementwise(before, SPU).ops == before.ops
