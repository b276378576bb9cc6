"""Passes: what each does to a small network, as text, and that none changes what any network computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from fmir_samples import SATURATE, SIZE, add, buffer, copy, machine_outputs, network, networks, outputs
from hypothesis import HealthCheck, given, settings

from femtodriver.compiler.fmir.fmir_text import fmir_text
from femtodriver.compiler.fmir.ir import (
    Cursor,
    Fmir,
    If,
    Look,
    Loop,
    Mac,
    Matrix,
    Op,
    Port,
    Post,
    Role,
    Vec,
    View,
    walk,
)
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.passes import pack_operations as packing
from femtodriver.compiler.passes.basic import choose_formats, drop_dead, fold_copies, kept_groups, mac_rows, split_rows
from femtodriver.compiler.passes.fuse_interpolation import fuse_interpolation

Golden = Callable[[str, str], None]
Pass = Callable[[Fmir], Fmir]

IN, OUT = buffer("in0"), buffer("out0")
PASSES: tuple[Pass, ...] = (fuse_interpolation, drop_dead, fold_copies, packing.pack, choose_formats)


def halved(name: str, offset: int, cursor: str = "") -> View:
    return View(name, offset, SIZE // 2, 1, cursor)


def compare(golden: Golden, name: str, run: Pass, before: Fmir) -> Fmir:
    """Run a pass on a valid network; text before and after against a golden file, meaning before and after."""
    verify(before)
    after = run(before)
    verify(after)
    golden(f"{name}.txt", f"before\n{fmir_text(before)}\nafter\n{fmir_text(after)}")
    assert outputs(after) == outputs(before)
    return after


@pytest.fixture(scope="module", autouse=True)
def packing_always_pays() -> Iterator[None]:
    """Small networks save little by packing; here they are packed all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "LEAST_SAVING", 0.0)
        yield


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_no_pass_changes_what_a_network_computes(before: Fmir) -> None:
    verify(before)
    wanted = outputs(before)
    for run in PASSES:
        before = run(before)
        verify(before)
        assert outputs(before) == wanted, str(run)
    assert machine_outputs(before) == wanted, "machine"


def test_pack(golden: Golden) -> None:
    """The two halves of a butterfly: four sums become two, on vectors that lie side by side."""
    first, second = View("in0", 0, 8), View("in0", 8, 8)
    sums = [Vec("vadd", View(f"t{k}", 0, 8), first, second, post=SATURATE) for k in range(2)]
    more = [Vec("vadd", View(f"t{k + 2}", 0, 8), View(f"t{k}", 0, 8), 7, post=SATURATE) for k in range(2)]
    last = [Vec("vmax", View(f"t{k + 4}", 0, 8), View(f"t{k + 2}", 0, 8), 0) for k in range(2)]
    ends = [Vec("vpass", View("out0", 8 * k, 8), View(f"t{k + 4}", 0, 8)) for k in range(2)]
    buffers = [IN, OUT, *(buffer(f"t{k}", 8) for k in range(6))]
    after = compare(golden, "pack", packing.pack, network(buffers, [*sums, *more, *last, *ends]))
    assert len(after.ops) < 8


def test_packing_that_saves_little_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LEAST_SAVING", 1.0)
    before = network(
        [IN, OUT, buffer("t0"), buffer("t1")], [add("t0", "in0", 1), add("t1", "in0", 1), add("out0", "t0", "t1")]
    )
    assert packing.pack(before) is before


# ---- drop_dead -----------------------------------------------------------------------------------------------------


def test_drop_dead(golden: Golden) -> None:
    ops: list[Op] = [
        add("t0", "in0", 1),
        add("t1", "in0", 2),  # nobody needs it
        add("state0", "t1", 3),  # nor this state
        Vec("vpass", halved("state1", 0), halved("state1", 8)),  # a delay line that nobody looks at
        Vec("vpass", halved("state1", 8), halved("in0", 0)),
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
    assert drop_dead(before).ops == tuple(ops)
    assert len(drop_dead(replace(before, kept={})).ops) == 1


# ---- fold_copies -----------------------------------------------------------------------------------------------------


def test_fold_copies(golden: Golden) -> None:
    ops: list[Op] = [add("t0", "in0", "state0"), add("t1", "t0", 7), copy("state0", "t1"), copy("out0", "t0")]
    buffers = [IN, OUT, buffer("state0"), buffer("t0"), buffer("t1")]
    after = compare(golden, "fold_copies", fold_copies, network(buffers, ops))
    assert len(after.ops) == 2


def test_fold_copies_updates_a_state_in_place(golden: Golden) -> None:
    ops: list[Op] = [
        Vec("vadd", halved("t0", 0), halved("state0", 0), halved("in0", 0), post=SATURATE),
        Vec("vsub", halved("t0", 8), halved("state0", 8), halved("in0", 8), post=SATURATE),
        copy("state0", "t0"),
        add("out0", "in0", 1),
    ]
    compare(golden, "fold_copies_in_place", fold_copies, network([IN, OUT, buffer("state0"), buffer("t0")], ops))


HAZARDS: dict[str, list[Op]] = {
    "the old value is read at other elements": [
        Vec("vadd", halved("t0", 0), halved("state0", 8), 1, post=SATURATE),
        Vec("vadd", halved("t0", 8), halved("state0", 0), 1, post=SATURATE),
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
    "the old value is read where a cursor stands": [
        Loop(
            2,
            (
                Vec("vadd", halved("t0", 0), halved("state0", 0), 1, post=SATURATE),
                Vec("vadd", halved("t0", 8), halved("state0", 8, "c0"), halved("in0", 0), post=SATURATE),
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
    after = fold_copies(before)
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
    assert len(fold_copies(network(buffers, ops)).ops) == 4


# ---- split_rows and choose_formats -----------------------------------------------------------------------------------


def test_split_rows(golden: Golden) -> None:
    numbers = np.random.default_rng(0)
    matrix = Matrix("m0", numbers.integers(-128, 128, (SIZE, 20)), 8)
    bias = buffer("const0", 20, init=np.arange(20))
    mac = Mac(View("out0", 0, 20), (("m0", View("in0", 0, SIZE)),), View("const0", 0, 20), 3, Post(-6, clip="saturate"))
    before = network([IN, buffer("out0", 20, 32), bias], [Loop(2, (mac,))], [matrix])
    after = compare(golden, "split_rows", lambda fmir: split_rows(fmir, 8), before)
    assert [m.rows for m in after.matrices.values()] == [8, 8, 4]


def test_mac_rows_of_a_spread_bias() -> None:
    matrices = {"m0": Matrix("m0", np.arange(64).reshape(4, 16), 8)}
    whole = Mac(View("out0", 0, 16), (("m0", View("in0", 0, 4)),), View("const0", 2, 16, 0))
    part = mac_rows(whole, 8, 16, matrices)
    assert part.bias == View("const0", 2, 8, 0)
    assert matrices[part.parts[0][0]].weights.tolist() == np.arange(64).reshape(4, 16)[:, 8:].tolist()


@pytest.mark.parametrize(("kept", "form"), [(1.0, "DENSE"), (0.3, "MASKED"), (0.004, "NESTED")])
def test_choose_formats_takes_the_fewest_bytes(kept: float, form: str) -> None:
    numbers = np.random.default_rng(1)
    groups = numbers.random((96, 8)) < kept
    weights = (numbers.integers(1, 100, (96, 64)) * np.repeat(groups, 8, axis=1)).astype(np.int64)
    matrix = Matrix("m0", weights, 8)
    mac = Mac(View("out0", 0, 64), (("m0", View("in0", 0, 96)),), post=Post(-6, clip="saturate", bits=16))
    after = choose_formats(network([buffer("in0", 96), buffer("out0", 64)], [mac], [matrix]))
    assert after.matrices["m0"].form.name == form
    assert kept_groups(after.matrices["m0"]).tolist() == groups.tolist()


# ---- fuse_interpolation ----------------------------------------------------------------------------------------------


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


def test_fuse_interpolation(golden: Golden) -> None:
    after = compare(golden, "fuse_interpolation", lambda fmir: drop_dead(fuse_interpolation(fmir)), interpolation())
    assert len(after.ops) == 2
    assert machine_outputs(after) == outputs(after)


def test_fuse_interpolation_finds_the_extremes_exact() -> None:
    before = interpolation()
    state = buffer("state0", init=[-32768, 32767, -1, 0, 255, 256, -256, -257] * 2)
    tables = {"a": np.repeat([-32768, 32767], 128), "b": np.repeat([32767, -32768], 128)}
    before = replace(before, buffers={**before.buffers, "state0": state}, tables=tables)
    assert outputs(fuse_interpolation(before)) == outputs(before)


def test_fuse_interpolation_needs_an_argument_that_stays() -> None:
    before = interpolation(add("state0", "state0", 100))
    verify(before)
    assert fuse_interpolation(before).ops == before.ops
    inside = interpolation(If(View("in0", 0, 1), (add("state0", "state0", 100),), ()))
    assert fuse_interpolation(inside).ops == inside.ops


def test_fuse_interpolation_needs_16_bits() -> None:
    before = interpolation(bits=32)
    assert fuse_interpolation(before).ops == before.ops


def test_ports_survive_every_pass() -> None:
    before = network([IN, buffer("in1"), OUT], [copy("out0", "in0")])
    for run in PASSES:
        assert [port.name for port in run(before).inputs] == ["in0", "in1"], "an input that nobody reads stays"
        assert run(before).outputs == (Port("out0", "out0", SIZE, 16),)
