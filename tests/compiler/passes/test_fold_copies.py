"""Copies go where that changes nothing, and stay where it would."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import Cursor, If, Loop, Op, Post, Vec, View, walk
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.passes.fold_copies import fold_copies
from tests.compiler.fmir_samples import SATURATE, SIZE, add, buffer, copy, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare, half


def test_fold_copies(golden: Golden) -> None:
    ops: list[Op] = [add("t0", "in0", "state0"), add("t1", "t0", 7), copy("state0", "t1"), copy("out0", "t0")]
    buffers = [IN, OUT, buffer("state0"), buffer("t0"), buffer("t1")]
    after = compare(golden, "fold_copies", fold_copies, network(buffers, ops))
    assert len(after.ops) == 2


def test_fold_copies_updates_a_state_in_place(golden: Golden) -> None:
    ops: list[Op] = [
        Vec("vadd", half("t0", 0), half("state0", 0), half("in0", 0), post=SATURATE),
        Vec("vsub", half("t0", 8), half("state0", 8), half("in0", 8), post=SATURATE),
        copy("state0", "t0"),
        add("out0", "in0", 1),
    ]
    compare(golden, "fold_copies_in_place", fold_copies, network([IN, OUT, buffer("state0"), buffer("t0")], ops))


HAZARDS: dict[str, list[Op]] = {
    "the old value is read at other elements": [
        Vec("vadd", half("t0", 0), half("state0", 8), 1, post=SATURATE),
        Vec("vadd", half("t0", 8), half("state0", 0), 1, post=SATURATE),
        copy("state0", "t0"),
    ],
    "the old value is read after it was overwritten": [
        add("t0", "in0", 1),
        add("t0", "state0", "t0"),
        copy("state0", "t0"),
    ],
    "the old value is read once more before the copy": [
        add("t0", "state0", "in0"),
        add("out0", "state0", 2),
        copy("state0", "t0"),
    ],
    "one element of the old value goes with all": [
        Vec("vadd", View("t0", 0, SIZE), View("in0", 0, SIZE), View("state0", 0, SIZE, 0), post=SATURATE),
        copy("state0", "t0"),
    ],
    "the temporary is written again after the copy": [
        add("t0", "in0", 1),
        copy("state0", "t0"),
        add("t0", "t0", 5),
        add("out0", "t0", 0),
    ],
    "the temporary is used by another block": [
        add("t0", "in0", 1),
        If(View("in0", 0, 1), (add("t0", "in0", 2),), ()),
        copy("state0", "t0"),
    ],
    "the target is written elsewhere too": [
        add("t0", "in0", 1),
        copy("state0", "t0"),
        If(View("in0", 0, 1), (add("state0", "in0", "state0"),), ()),
        add("out0", "t0", 0),
    ],
    "the target is written once more, and not read": [
        add("t0", "in0", 1),
        copy("state0", "t0"),
        If(View("in0", 0, 1), (copy("state0", "in0"),), ()),
        add("out0", "t0", 0),
    ],
    "the target is written in between": [
        add("t0", "in0", 1),
        copy("state0", "in0"),
        add("t0", "t0", 2),
        copy("state0", "t0"),
    ],
    "the old value is read where a cursor stands": [
        Loop(
            2,
            (
                Vec("vadd", half("t0", 0), half("state0", 0), 1, post=SATURATE),
                Vec("vadd", half("t0", 8), half("state0", 8, "c0"), half("in0", 0), post=SATURATE),
                copy("state0", "t0"),
            ),
            (Cursor("c0", -8),),
        )
    ],
}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_fold_copies_keeps_a_copy_where(hazard: str) -> None:
    ops = HAZARDS[hazard]
    tail = [] if any(view.buffer == "out0" for op in ops for view in _writes(op)) else [add("out0", "state0", 3)]
    buffers = [IN, OUT, buffer("state0", init=np.arange(SIZE) * 100), buffer("t0")]
    before = network(buffers, [*ops, *tail])
    verify(before)
    after = fold_copies(before, SPU)
    assert "t0" in after.buffers
    assert outputs(after) == outputs(before)


def _writes(op: Op) -> list[View]:
    return [entry.dst for entry in walk((op,)) if not isinstance(entry, (Loop, If))]


def test_fold_copies_leaves_conversions_alone() -> None:
    ops: list[Op] = [
        add("t0", "in0", 1),
        Vec("vpass", View("out0", 0, SIZE), View("t0", 0, SIZE), post=Post(-1)),
        add("t1", "in0", 1),
        copy("out1", "t1"),
    ]
    buffers = [IN, OUT, buffer("out1", bits=32), buffer("t0"), buffer("t1")]
    assert len(fold_copies(network(buffers, ops), SPU).ops) == 4
