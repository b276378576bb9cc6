"""Moves of whole temporaries vanish where that changes nothing, and stay where it would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import Cursor, If, Look, Loop, Mac, Matrix, Op, Post, Products, Vec, View
from femtodriver.compiler.passes.fold_moves import fold_moves
from tests.compiler.fmir_samples import SATURATE, SIZE, add, buffer, copy, machine_outputs, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare, half

WEIGHTS = Matrix("m0", np.arange(SIZE * 8).reshape(SIZE, 8) % 15 - 7, 4)
TABLE = {"table0": np.arange(256) * 9 - 1100}
EXACT = Post()
POST = Post(-5, True, "saturate", 16)
WIDE = [buffer(f"t{number}", bits=64) for number in range(3)]


def eight(name: str, offset: int = 0, cursor: str = "") -> View:
    return View(name, offset, 8, 1, cursor)


def whole(name: str) -> View:
    return View(name, 0, SIZE)


def product(dst: str, post: Post = EXACT) -> Vec:
    """A product of two vectors."""
    return Vec("vmul", whole(dst), whole("in0"), whole("state0"), post=post)


def moved(dst: str, src: str, post: Post = POST) -> Vec:
    return Vec("vpass", whole(dst), whole(src), post=post)


def test_fold_moves(golden: Golden) -> None:
    """Parts of an output, and wide values that the move clips."""
    x = whole("in0")
    ops: list[Op] = [
        Mac(eight("t0"), (("m0", x),), post=POST),
        Look(eight("t1"), half("in0", 8), "table0", -8),
        Vec("vpass", half("out0", 0), eight("t0")),
        Vec("vpass", half("out0", 8), eight("t1")),
        product("t2"),
        moved("out1", "t2"),
        Products(whole("t3"), ((x, 3), (whole("state0"), x)), 9, 2),
        moved("out2", "t3", Post(-2, False, "positive", 16)),
        copy("state0", "in0"),
    ]
    buffers = [IN, OUT, buffer("out1"), buffer("out2"), buffer("state0"), buffer("t0", 8), buffer("t1", 8)]
    fmir = network([*buffers, buffer("t2", bits=64), buffer("t3", bits=64)], ops, [WEIGHTS], TABLE)
    after = compare(golden, "fold_moves", fold_moves, fmir)
    assert [type(op) for op in after.ops] == [Mac, Look, Vec, Products, Vec]
    assert machine_outputs(after) == outputs(fmir)


def test_results_go_where_a_cursor_stands() -> None:
    body = (add("t0", "in0", 1), Vec("vpass", View("out0", 0, 8, 1, "c0"), eight("t0")))
    short = replace(body[0], dst=eight("t0"), a=eight("in0"))
    fmir = network([IN, OUT, buffer("t0", 8)], [Loop(2, (short, body[1]), (Cursor("c0", 8),))])
    after = fold_moves(fmir, SPU)
    (loop,) = after.ops
    assert isinstance(loop, Loop)
    assert len(loop.body) == 1
    assert outputs(after) == outputs(fmir) == machine_outputs(after)


def test_a_chain_of_moves_vanishes() -> None:
    ops: list[Op] = [add("t0", "in0", 1), copy("t1", "t0"), copy("t2", "t1"), copy("out0", "t2")]
    fmir = network([IN, OUT, *(buffer(f"t{number}") for number in range(3))], ops)
    after = fold_moves(fmir, SPU)
    assert [op.dst.buffer for op in after.ops if isinstance(op, Vec)] == ["out0"]
    assert outputs(after) == outputs(fmir)


def test_the_destination_is_read_after_a_maker_that_has_moved() -> None:
    """A part of t0 is made in t1, before the state is read and before the other part is made."""
    ops: list[Op] = [
        Vec("vadd", eight("t1"), eight("in0", 8), 5, post=SATURATE),
        Vec("vpass", eight("out0"), eight("state0", 8)),
        Vec("vadd", eight("t0"), eight("in0"), 1, post=SATURATE),
        Vec("vpass", eight("t0", 8), eight("t1")),
        Vec("vpass", whole("state0"), whole("t0")),
        Vec("vpass", eight("out0", 8), eight("state0", 16)),
    ]
    before = network([IN, OUT, buffer("state0", 24), buffer("t0"), buffer("t1", 8)], ops)
    after = fold_moves(before, SPU)
    assert len(after.ops) == len(ops) - 1
    assert outputs(after) == outputs(before) == machine_outputs(after)


def test_a_value_with_several_makers_and_another_reader_stays() -> None:
    """t0 is made in t1, in two parts; what is moved on from there is still read afterwards."""
    ops: list[Op] = [
        Vec("vadd", eight("t0"), eight("in0"), 1, post=SATURATE),
        Vec("vadd", eight("t0", 8), eight("in0", 8), 2, post=SATURATE),
        copy("t1", "t0"),
        copy("out0", "t1"),
        add("out1", "t1", 3),
    ]
    before = network([IN, OUT, buffer("out1"), buffer("t0"), buffer("t1")], ops)
    after = fold_moves(before, SPU)
    assert len(after.ops) == len(ops) - 1
    assert outputs(after) == outputs(before) == machine_outputs(after)


NARROW = [buffer("t0"), buffer("t1", bits=32)]
HAZARDS: dict[str, list[Op]] = {
    "somebody else reads the value": [add("t0", "in0", 1), copy("out0", "t0"), add("state0", "t0", 1)],
    "the widths differ": [replace(add("t1", "in0", 1), post=Post(0, False, "saturate", 20)), copy("out0", "t1")],
    "the move shifts what memory has cut": [add("t0", "in0", 1), moved("out0", "t0")],
    "the move shifts first": [add("t0", "in0", 1), replace(copy("out0", "t0"), shift_a=-1)],
    "the move repeats an element": [
        add("t0", "in0", 1),
        Vec("vpass", whole("out0"), View("t0", 0, SIZE, 0)),
    ],
    "the value is a state": [add("state0", "in0", 1), copy("out0", "state0")],
    "the destination is read in between": [add("t0", "in0", 1), copy("out0", "state0"), copy("state0", "t0")],
    "the destination is read by the maker": [
        Vec("vadd", half("t0", 0), half("in0", 0), half("state0", 8), post=POST),
        Vec("vadd", half("t0", 8), half("in0", 8), half("state0", 0), post=POST),
        copy("state0", "t0"),
        copy("out0", "in0"),
    ],
    "the destination is written in between": [add("t0", "in0", 1), copy("out0", "in0"), copy("out0", "t0")],
    "a branch makes the value": [
        copy("t0", "in0"),
        If(View("in0", 0, 1), (add("t0", "in0", 1),), ()),
        copy("out0", "t0"),
    ],
    "only some of the elements are moved": [
        add("t0", "in0", 1),
        copy("out0", "in0"),
        Vec("vpass", half("out0", 0), half("t0", 4)),
    ],
    "the move is in a branch": [
        add("t0", "in0", 1),
        copy("out0", "in0"),
        If(View("in0", 0, 1), (copy("out0", "t0"),), ()),
    ],
}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_moves_that_must_stay(hazard: str) -> None:
    fmir = network([IN, OUT, buffer("state0"), *NARROW], HAZARDS[hazard])
    after = fold_moves(fmir, SPU)
    assert after.ops == fmir.ops
    assert outputs(after) == outputs(fmir)


@pytest.mark.parametrize("post", [Post(-3, True), Post(0, False, "saturate", 16), Post(2)])
def test_what_is_shifted_twice_stays(post: Post) -> None:
    fmir = network([IN, OUT, buffer("state0"), *WIDE], [product("t0", post), moved("out0", "t0")])
    after = fold_moves(fmir, SPU)
    assert after.ops == fmir.ops
    assert outputs(after) == outputs(fmir)
