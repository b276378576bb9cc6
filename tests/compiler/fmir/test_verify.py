"""Verification: each rule has a network that breaks it, and the sentence shows the operation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from femtodriver.compiler.fmir.fmir_text import op_text
from femtodriver.compiler.fmir.ir import (
    Buffer,
    Cursor,
    Delay,
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Matrix,
    Op,
    Role,
    Send,
    Vec,
    View,
)
from femtodriver.compiler.fmir.verify import InvalidFmirError, verify
from tests.compiler.fmir_samples import SIZE, add, buffer, copy, network


def view(name: str, first: int = 0, end: int = SIZE, step: int = 1, cursor: str = "") -> View:
    return View(name, first, end - first, step, cursor)


@dataclass(frozen=True)
class Broken:
    """An operation that breaks a rule, what the sentence says, and buffers that it needs beside the usual ones."""

    op: Op
    sentence: str
    shown: Op | None = None
    buffers: tuple[Buffer, ...] = ()
    also: tuple[Op, ...] = field(default=())


OTHER = replace(buffer("t9"), core=1)
MAIL = replace(buffer("mail"), role=Role.MAIL, core=1)
RING = replace(buffer("state1", 32), position=View("state0", 0, 1))
WIDE = replace(RING, position=View("wide", 0, 1))
FROM_RING = Vec("vpass", view("t0"), view("state1"))
LOOP_VIEW = Vec("vpass", view("t0", 0, 8), view("in0", 0, 8, 1, "c0"))

BROKEN = {
    "unknown buffer": Broken(copy("t0", "nobody"), "buffer nobody must exist"),
    "past the end": Broken(copy("t0", "in0", SIZE + 1), "view of in0 must lie inside its 16 elements"),
    "before the start": Broken(
        Vec("vpass", view("t0", 0, 2), View("in0", -1, 2)), "view of in0 must lie inside its 16 elements"
    ),
    "empty": Broken(copy("t0", "in0", 0), "view of in0 must lie inside its 16 elements"),
    "past the end, at the last iteration": Broken(
        Loop(3, (LOOP_VIEW,), (Cursor("c0", 8),)), "view of in0 must lie inside its 16 elements", LOOP_VIEW
    ),
    "cursor of no loop": Broken(LOOP_VIEW, "cursor c0 must belong to a loop around it"),
    "read before it is written": Broken(copy("out0", "t0"), "t0 must be written before it is read"),
    "written in one branch only": Broken(
        copy("out0", "t0"),
        "t0 must be written before it is read",
        also=(If(View("in0", 0, 1), (copy("t0", "in0"),), ()),),
    ),
    "condition of several elements": Broken(If(view("in0", 0, 2), (), ()), "the condition must be one element"),
    "constant written": Broken(copy("const0", "in0"), "const buffers must not be written"),
    "input written": Broken(add("in0", "in0", 1), "input buffers must not be written"),
    "repeated destination": Broken(
        Vec("vpass", view("t0", 0, SIZE, 0), view("in0")), "the destination must not be a repeated element"
    ),
    "unequal lengths": Broken(
        Vec("vadd", view("t0"), view("in0"), view("in0", 0, 4)), "operands and destination must have equal lengths"
    ),
    "destination ahead of a source": Broken(
        Vec("vpass", view("state0", 4, 12), view("state0", 0, 8)),
        "the destination must not overlap what is still to be read",
    ),
    "operand elsewhere": Broken(
        copy("t0", "t9"), "t9 must be on core 0", buffers=(OTHER,), also=(replace(copy("t9", "mail"), core=1),)
    ),
    "destination elsewhere": Broken(copy("t9", "in0"), "t9 must be on core 0", buffers=(OTHER,)),
    "message to itself": Broken(Send(view("t0"), view("in0")), "a message must go to another core"),
    "message of another length": Broken(
        Send(view("mail", 0, 8), view("in0")), "a message must keep its length", buffers=(MAIL,)
    ),
    "message of half a word": Broken(
        Send(view("mail", 0, 2), view("in0", 0, 2)), "a message must fill whole words", buffers=(MAIL,)
    ),
    "message from inside a word": Broken(
        Send(view("mail", 0, 8), view("in0", 2, 10)), "a message must fill whole words", buffers=(MAIL,)
    ),
    "unknown matrix": Broken(Mac(view("t0"), (("m9", view("in0")),)), "matrix m9 must exist"),
    "matrix of another size": Broken(
        Mac(view("t0"), (("m0", view("in0", 0, 8)),)), "matrix m0 must have 8 columns and 16 rows"
    ),
    "bias of another length": Broken(
        Mac(view("t0"), (("m0", view("in0")),), view("in0", 0, 4)), "the bias must have as many elements"
    ),
    "unknown table": Broken(Look(view("t0"), view("in0"), "nothing"), "table nothing must exist"),
    "table of another length": Broken(
        Look(view("t0"), view("in0"), "table0", bits=7), "table table0 must have 128 entries"
    ),
    "repeated address": Broken(
        Look(view("t0"), view("in0", 0, SIZE, 0), "table0"), "the argument must not be a repeated element"
    ),
    "interpolation of 32 bits": Broken(
        Interp(view("t0"), view("in1"), "table0", "table0"),
        "in1 must have 16-bit elements",
        buffers=(buffer("in1", bits=32),),
    ),
}


BROKEN |= {
    "circular in a loop": Broken(
        Loop(2, (FROM_RING,)), "the circular state1 must not be used in a body, branch or message", FROM_RING, (RING,)
    ),
    "circular in a branch": Broken(
        If(view("in0", 0, 1), (), (FROM_RING,)),
        "the circular state1 must not be used in a body, branch or message",
        FROM_RING,
        (RING,),
    ),
    "circular condition": Broken(
        If(view("state1", 0, 1), (), ()),
        "the circular state1 must not be used in a body, branch or message",
        buffers=(RING,),
    ),
    "circular in a message": Broken(
        Send(view("mail"), view("state1")),
        "the circular state1 must not be used in a body, branch or message",
        buffers=(RING,),
    ),
    "circular changed in part": Broken(
        copy("state1", "in0"), "the circular state1 must only be changed by a delay", buffers=(RING,)
    ),
    "position of 32 bits": Broken(
        FROM_RING, "the position of state1 must be one 16-bit element", buffers=(WIDE, buffer("wide", bits=32))
    ),
    "position of two elements": Broken(
        FROM_RING,
        "the position of state1 must be one 16-bit element",
        buffers=(replace(RING, position=View("state0", 0, 2)),),
    ),
    "delay in part": Broken(
        Delay(view("state1", 0, 24), view("in0", 0, 8)),
        "the destination must be a whole circular buffer",
        buffers=(RING,),
    ),
    "delay of what is not circular": Broken(
        Delay(view("state0"), view("in0", 0, 8)), "the destination must be a whole circular buffer"
    ),
    "delay of itself": Broken(
        Delay(view("state1", 0, 32), view("state1", 0, 8)),
        "what comes must be elements of another buffer",
        buffers=(RING,),
    ),
    "delay of a repeated element": Broken(
        Delay(view("state1", 0, 32), view("in0", 0, 8, 0)),
        "what comes must be elements of another buffer",
        buffers=(RING,),
    ),
    "delay of half a word": Broken(
        Delay(view("state1", 0, 32), view("in0", 0, 2)), "what comes must be whole words", buffers=(RING,)
    ),
    "delay of what does not divide it": Broken(
        Delay(view("state1", 0, 32), view("in0", 0, 12)), "what comes must be whole words", buffers=(RING,)
    ),
}


def network_of(broken: Broken) -> Fmir:
    buffers = [
        buffer("in0"),
        buffer("out0"),
        buffer("t0"),
        buffer("state0"),
        buffer("const0", init=np.arange(SIZE)),
        MAIL,
        *broken.buffers,
    ]
    matrices = [Matrix("m0", np.ones((SIZE, SIZE), np.int64), 8)]
    tables = {"table0": np.zeros(256, np.int64)}
    send = Send(view("mail"), view("in0"))
    return network(buffers, [send, *broken.also, broken.op, copy("out0", "in0")], matrices, tables)


@pytest.mark.parametrize("name", BROKEN)
def test_every_rule_can_be_broken(name: str) -> None:
    broken = BROKEN[name]
    with pytest.raises(InvalidFmirError) as caught:
        verify(network_of(broken))
    text = str(caught.value)
    assert text.startswith("compiler defect: " + broken.sentence)
    assert op_text(broken.shown or broken.op) in text
    assert text.endswith("Please report it with --dump-ir.")


def test_the_network_around_them_is_valid() -> None:
    verify(network_of(Broken(copy("t0", "in0"), "")))
    verify(network_of(Broken(Loop(2, (LOOP_VIEW,), (Cursor("c0", 8),)), "")))
    verify(network_of(Broken(Vec("vpass", view("state0", 0, 8), view("state0", 4, 12)), "")))
    verify(network_of(Broken(Delay(view("state1", 0, 32), view("in0", 0, 8)), "", buffers=(RING,), also=(FROM_RING,))))


def test_outputs_must_be_written() -> None:
    with pytest.raises(InvalidFmirError, match="output 'out0': out0 must be written"):
        verify(network([buffer("in0"), buffer("out0")], []))
    verify(network([buffer("in0"), buffer("out0", 0)], []))


def test_cursors_that_start_where_others_stand() -> None:
    inner = Loop(2, (Vec("vpass", view("t0", 0, 4), view("in0", 0, 4, 1, "c1")),), (Cursor("c1", 4, "c0"),))
    verify(network_of(Broken(Loop(2, (inner,), (Cursor("c0", 8),)), "")))
    with pytest.raises(InvalidFmirError, match="view of in0 must lie inside"):
        verify(network_of(Broken(Loop(2, (inner,), (Cursor("c0", 10),)), "")))
