"""Maxima with zero become clips where that changes nothing, and stay where it would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import If, Interp, Mac, Matrix, Op, Post, Vec, View
from femtodriver.compiler.passes.clip_at_zero import clip_at_zero
from tests.compiler.fmir_samples import SATURATE, SIZE, add, buffer, copy, machine_outputs, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare, half

TEMPS = [buffer("t0"), buffer("t1"), buffer("state0")]
WEIGHTS = Matrix("m0", np.arange(SIZE * SIZE).reshape(SIZE, SIZE) % 15 - 7, 4)
LINES = {"table0": np.arange(256) * 9 - 1100, "table1": np.arange(256) - 100}


def relu(dst: str, src: str, bits: int = 0) -> Vec:
    """The larger of each element and zero, saturated if ``bits`` says so."""
    post = Post(0, False, "saturate", bits) if bits else Post()
    return Vec("vmax", View(dst, 0, SIZE), View(src, 0, SIZE), 0, post=post)


def test_clip_at_zero(golden: Golden) -> None:
    whole = View("t0", 0, SIZE)
    makers: list[Op] = [
        Mac(whole, (("m0", View("in0", 0, SIZE)),), 9, 1, Post(-4, True, "saturate", 16)),
        Interp(View("t1", 0, SIZE), View("out0", 0, SIZE), "table0", "table1", post=Post(1, False, "saturate", 12)),
        Vec("vsub", half("t2", 0), half("in0", 0), half("in0", 8), post=SATURATE),
        Vec("vsub", half("t2", 8), half("in0", 8), half("in0", 0), post=SATURATE),
    ]
    maxima = [relu("out0", "t0"), relu("out1", "t1", 14), relu("out2", "t2")]
    ops = [makers[0], maxima[0], makers[1], maxima[1], *makers[2:], maxima[2]]
    buffers = [IN, *map(buffer, ("out0", "out1", "out2", "t0", "t1", "t2"))]
    fmir = network(buffers, ops, [WEIGHTS], LINES)
    after = compare(golden, "clip_at_zero", clip_at_zero, fmir)
    assert len(after.ops) == 4
    assert machine_outputs(after) == outputs(fmir)


def test_pieces_of_one_destination_are_made_where_they_are_wanted() -> None:
    ops: list[Op] = []
    for number, offset in enumerate((0, 8)):
        x = View(f"t{number}", 0, 8)
        ops += [
            Vec("vadd", x, half("in0", offset), -3, post=SATURATE),
            Vec("vmax", half("out0", offset), x, 0),
        ]
    fmir = network([IN, OUT, buffer("t0", 8), buffer("t1", 8)], [ops[0], ops[2], ops[1], ops[3]])
    after = clip_at_zero(fmir, SPU)
    assert [op.dst for op in after.ops if isinstance(op, Vec)] == [half("out0", 0), half("out0", 8)]
    assert outputs(after) == outputs(fmir)


UNCLIPPED = Vec("vadd", View("t0", 0, SIZE), View("in0", 0, SIZE), 5)
HAZARDS: dict[str, list[Op]] = {
    "somebody else reads the value": [add("t0", "in0", 1), relu("out0", "t0"), copy("state0", "t0")],
    "nothing saturates the value": [UNCLIPPED, relu("out0", "t0")],
    "some elements come from something else": [
        add("t0", "in0", 1),
        Vec("vadd", half("t0", 0), half("in0", 0), 5),
        relu("out0", "t0"),
    ],
    "the maximum saturates to fewer bits": [add("t0", "in0", 1), relu("out0", "t0", 8)],
    "the maximum is not one with zero": [add("t0", "in0", 1), replace(relu("out0", "t0"), b=1)],
    "the maximum shifts its operand": [add("t0", "in0", 1), replace(relu("out0", "t0"), shift_a=-1)],
    "the maximum shifts its result": [add("t0", "in0", 1), replace(relu("out0", "t0"), post=Post(-1))],
    "it is a minimum": [add("t0", "in0", 1), replace(relu("out0", "t0"), op="vmin")],
    "the destination is read in between": [add("t0", "in0", 1), copy("out0", "state0"), relu("state0", "t0")],
    "the destination is read by the maker": [add("t0", "state0", 1), relu("state0", "t0"), copy("out0", "state0")],
    "the destination is written in between": [add("t0", "in0", 1), copy("out0", "in0"), relu("out0", "t0")],
    "a branch reads the destination": [
        add("t0", "in0", 1),
        If(View("in0", 0, 1), (copy("out0", "state0"),), (copy("out0", "in0"),)),
        relu("state0", "t0"),
    ],
    "only some of the elements are read": [
        add("t0", "in0", 1),
        copy("out0", "in0"),
        Vec("vmax", half("out0", 0), half("t0", 4), 0),
    ],
    "one element goes everywhere": [
        add("t0", "in0", 1),
        Vec("vmax", View("out0", 0, SIZE), View("t0", 0, SIZE, 0), 0),
    ],
    "the value is a state": [add("state0", "in0", 1), relu("out0", "state0")],
    "the maximum is in a branch": [
        add("t0", "in0", 1),
        copy("out0", "in0"),
        If(View("in0", 0, 1), (relu("out0", "t0"),), ()),
    ],
}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_maxima_that_must_stay(hazard: str) -> None:
    fmir = network([IN, OUT, *TEMPS], HAZARDS[hazard])
    after = clip_at_zero(fmir, SPU)
    assert after.ops == fmir.ops
    assert outputs(after) == outputs(fmir)


def test_a_maximum_on_the_right_counts_too() -> None:
    first, second = add("t0", "in0", 1), relu("out0", "t0")
    fmir = network([IN, OUT, *TEMPS[:2]], [first, replace(second, a=0, b=second.a)])
    after = clip_at_zero(fmir, SPU)
    assert len(after.ops) == 1
    assert outputs(after) == outputs(fmir)
