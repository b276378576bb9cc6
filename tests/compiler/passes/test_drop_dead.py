"""What nobody needs goes, what anybody needs stays."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.fmir.ir import If, Loop, Op, Role, Vec, View
from femtodriver.compiler.passes.drop_dead import drop_dead
from tests.compiler.fmir_samples import add, buffer, copy, network
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare, half


def test_drop_dead(golden: Golden) -> None:
    ops: list[Op] = [
        add("t0", "in0", 1),
        add("t1", "in0", 2),  # nobody needs it
        add("state0", "t1", 3),  # nor this state
        Vec("vpass", half("state1", 0), half("state1", 8)),  # a delay line that nothing reads
        Vec("vpass", half("state1", 8), half("in0", 0)),
        add("state2", "state2", "t0"),
        add("out0", "state2", 0),
    ]
    states = [buffer(f"state{k}") for k in range(3)]
    after = compare(golden, "drop_dead", drop_dead, network([IN, OUT, *states, buffer("t0"), buffer("t1")], ops))
    assert {name for name in after.buffers if name.startswith("state")} == {"state2"}


def test_drop_dead_keeps_what_a_later_iteration_needs(golden: Golden) -> None:
    body = (
        add("out0", "carry1", 0),
        copy("carry1", "carry0"),
        add("carry0", "in0", "carry0"),
        add("t0", "carry0", 5),  # dead
    )
    ops: list[Op] = [copy("carry0", "in0"), copy("carry1", "in0"), Loop(3, body)]
    buffers = [IN, OUT, buffer("carry0"), buffer("carry1"), buffer("t0")]
    after = compare(golden, "drop_dead_loop", drop_dead, network(buffers, ops))
    assert [len(op.body) for op in after.ops if isinstance(op, Loop)] == [3]


def test_drop_dead_in_conditions(golden: Golden) -> None:
    ops: list[Op] = [
        add("out0", "in0", 1),
        If(View("in0", 0, 1), (add("t0", "in0", 1),), (add("out0", "in0", 2), add("t0", "in0", 2))),
        If(View("in0", 0, 1), (add("t0", "in0", 1),), ()),
    ]
    after = compare(golden, "drop_dead_if", drop_dead, network([IN, OUT, buffer("t0")], ops))
    assert len(after.ops) == 2


def test_drop_dead_keeps_what_was_asked_for() -> None:
    ops = [add("t0", "in0", 1), copy("kept:t0", "t0"), copy("out0", "in0")]
    kept = replace(buffer("kept:t0"), role=Role.KEPT)
    before = replace(network([IN, OUT, buffer("t0"), kept], ops), kept={"t": "kept:t0"})
    assert drop_dead(before, SPU).ops == tuple(ops)
    assert len(drop_dead(replace(before, kept={}), SPU).ops) == 1
