"""Sums of elementwise products become one operation where that changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import Fmir, Loop, Op, Post, Products, Vec, View
from femtodriver.compiler.fmir.verify import InvalidFmirError, verify
from femtodriver.compiler.passes.fuse_products import fuse_products
from femtodriver.compiler.passes.split_rows import split_rows
from femtodriver.compiler.placement.place_on_cores import place_on_cores
from femtodriver.compiler.placement.sharing_plan import SharingPlan
from tests.compiler.fmir_samples import SIZE, add, buffer, copy, machine_outputs, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare

TAPS = buffer("const0", bits=8, init=np.arange(SIZE) * 7 - 50)
BIAS = buffer("const1", bits=32, init=np.arange(SIZE) * 999 - 5000)
POST = Post(-6, True, "saturate", 16)
BUFFERS = [IN, OUT, TAPS, BIAS, buffer("state0"), *(buffer(f"t{number}", bits=64) for number in range(6))]


def whole(name: str) -> View:
    return View(name, 0, SIZE)


def vec(op: str, dst: str, a: str | int, b: str | int = 0, shift_a: int = 0, shift_b: int = 0) -> Vec:
    """Without a last stage, on whole buffers."""
    sides = [whole(side) if isinstance(side, str) else side for side in (a, b)]
    return Vec(op, whole(dst), sides[0], sides[1], shift_a, shift_b)


def result(a: str, b: str | int = 0, shift_b: int = 0) -> Vec:
    """The end of a sum."""
    return replace(vec("vadd" if b != 0 else "vpass", "out0", a, b, shift_b=shift_b), post=POST)


CHAIN: list[Op] = [
    vec("vmul", "t0", "in0", "const0"),
    vec("vadd", "t1", "t0", "const1"),
    vec("vmul", "t2", "state0", -300),
    vec("vadd", "t3", "t1", "t2"),
    vec("vmul", "t4", 5, "in0"),
    vec("vadd", "t5", "t4", "t3"),
    result("t5"),
    copy("state0", "in0"),
]


def test_fuse_products(golden: Golden) -> None:
    fmir = network(BUFFERS, CHAIN)
    after = compare(golden, "fuse_products", fuse_products, fmir)
    assert [type(op) for op in after.ops] == [Products, Vec]
    assert machine_outputs(after) == outputs(fmir)


@pytest.mark.parametrize("bias", ["const1", "in0", 70, 0])
@pytest.mark.parametrize("shift", [-2, 0, 9])
def test_the_last_sum_may_shift_its_other_operand(bias: str | int, shift: int) -> None:
    ops: list[Op] = [
        vec("vmul", "t0", "in0", "const0"),
        vec("vmul", "t1", "in0", "in0"),
        vec("vadd", "t2", "t0", "t1"),
        result("t2", bias, shift),
    ]
    fmir = network(BUFFERS, ops)
    after = fuse_products(fmir, SPU)
    (op,) = after.ops
    assert isinstance(op, Products)
    assert (op.bias_shift if op.bias != 0 else 0) == (shift if bias != 0 else 0)
    assert outputs(after) == outputs(fmir) == machine_outputs(after) == machine_outputs(after, late_bias=False)


PAIR: list[Op] = [vec("vmul", "t0", "in0", "const0"), vec("vmul", "t1", "state0", "in0")]
SUM = vec("vadd", "t2", "t0", "t1")
HAZARDS: dict[str, list[Op]] = {
    "one product is no sum": [PAIR[0], result("t0", "const1")],
    "a product is rounded": [
        replace(vec("vmul", "t0", "in0", "const0"), post=Post(-3, True)),
        PAIR[1],
        SUM,
        result("t2"),
    ],
    "a factor is shifted": [vec("vmul", "t0", "in0", "const0", shift_a=-1), PAIR[1], SUM, result("t2")],
    "a product is shifted before it is added": [*PAIR, vec("vadd", "t2", "t0", "t1", shift_b=-1), result("t2")],
    "a factor changes before the sum is complete": [*PAIR, add("state0", "in0", 1), SUM, result("t2")],
    "a factor is wide": [vec("vadd", "t3", "in0", "in0"), vec("vmul", "t0", "t3", 3), PAIR[1], SUM, result("t2")],
    "it is a difference": [*PAIR, vec("vsub", "t2", "t0", "t1"), result("t2")],
    "somebody else reads a product": [*PAIR, SUM, result("t2"), replace(copy("state0", "t1"), post=POST)],
    "a product is made twice": [*PAIR, PAIR[0], SUM, result("t2")],
    "a product is made in a loop": [Loop(2, tuple(PAIR)), SUM, result("t2")],
}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_sums_that_must_stay(hazard: str) -> None:
    fmir = network(BUFFERS, HAZARDS[hazard])
    after = fuse_products(fmir, SPU)
    assert after.ops == fmir.ops
    assert outputs(after) == outputs(fmir)


@pytest.mark.parametrize(
    "end",
    [[replace(result("t2"), shift_a=-1)], [vec("vadd", "t3", "t2", "const1"), result("t3", "in0")]],
    ids=["the sum is shifted", "there are two other terms"],
)
def test_a_sum_that_goes_on_is_fused_as_far_as_it_goes(end: list[Op]) -> None:
    fmir = network(BUFFERS, [*PAIR, SUM, *end])
    after = fuse_products(fmir, SPU)
    assert [type(op) for op in after.ops] == [Products, Vec]
    assert outputs(after) == outputs(fmir) == machine_outputs(after)


def test_a_bias_that_changes_before_the_end_keeps_its_sum() -> None:
    ops: list[Op] = [
        PAIR[0],
        vec("vadd", "t2", "t0", "state0"),
        add("state0", "in0", 1),
        vec("vmul", "t1", "in0", 3),
        vec("vadd", "t3", "t1", "t2"),
        result("t3"),
    ]
    fmir = network(BUFFERS, ops)
    after = fuse_products(fmir, SPU)
    assert not any(isinstance(op, Products) for op in after.ops)
    assert outputs(after) == outputs(fmir)


def test_sums_in_a_body_are_found() -> None:
    fmir = network(BUFFERS, [Loop(2, (*PAIR, SUM, result("t2"), copy("state0", "out0")))])
    after = fuse_products(fmir, SPU)
    (loop,) = after.ops
    assert isinstance(loop, Loop)
    assert [type(op) for op in loop.body] == [Products, Vec]
    assert outputs(after) == outputs(fmir) == machine_outputs(after)


def long_sum(length: int) -> Fmir:
    x = View("in0", 0, length)
    op = Products(View("out0", 0, length), ((x, x), (x, View("in0", 1, length, 0))), View("in0", 0, length), 3, POST)
    return network([buffer("in0", length), buffer("out0", length)], [op])


def test_long_sums_are_split_at_whole_rows() -> None:
    fmir = long_sum(1100)
    after = split_rows(fmir, SPU)
    assert [op.dst.length for op in after.ops if isinstance(op, Products)] == [512, 512, 76]
    verify(after)
    assert outputs(after) == outputs(fmir) == machine_outputs(after)


def test_what_is_too_long_stays_as_it_was() -> None:
    length = 520
    x, sums = View("in0", 0, length), [View(f"t{number}", 0, length) for number in range(3)]
    ops: list[Op] = [
        Vec("vmul", sums[0], x, 3),
        Vec("vmul", sums[1], x, 5),
        Vec("vadd", sums[2], sums[0], sums[1]),
        Vec("vpass", View("out0", 0, length), sums[2], post=POST),
    ]
    buffers = [buffer("in0", length), buffer("out0", length), *(buffer(v.buffer, length, 64) for v in sums)]
    assert fuse_products(network(buffers, ops), SPU).ops == tuple(ops)


def test_sums_run_where_their_results_live() -> None:
    fmir = fuse_products(network(BUFFERS, CHAIN), SPU)
    placed = place_on_cores(fmir, SPU, SharingPlan(2, 1))
    verify(placed)
    assert outputs(placed) == outputs(fmir) == machine_outputs(placed)


HALF, SHIFTED = View("state0", 0, 8), View("state0", 1, 8)
WRONG = [
    (Products(whole("out0"), ()), "there must be products"),
    (Products(whole("out0"), ((View("in0", 0, 3), 1),)), "equal lengths"),
    (Products(whole("out0"), ((whole("in0"), whole("t0")),)), "elements that memory can hold"),
    (Products(SHIFTED, ((View("in0", 0, 8), 1),), HALF), "what is left of the bias"),
]


@pytest.mark.parametrize(("op", "sentence"), WRONG)
def test_what_a_sum_must_not_be(op: Products, sentence: str) -> None:
    with pytest.raises(InvalidFmirError, match=sentence):
        verify(network(BUFFERS, [vec("vadd", "t0", "in0", 1), copy("out0", "in0"), op]))
