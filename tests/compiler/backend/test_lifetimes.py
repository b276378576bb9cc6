"""Lifetimes by hand: from when to when a value is needed, loops included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from femtodriver.compiler.backend.lifetimes import lifetimes, overlap
from femtodriver.compiler.fmir.ir import If, Loop, Op, View
from tests.compiler.fmir_samples import add, buffer, copy, network


def lives_of(ops: Sequence[Op], *names: str) -> dict[str, tuple[int, int]]:
    fmir = network([buffer("in0"), buffer("out0"), buffer("state0"), *map(buffer, names)], ops)
    return dict(lifetimes(fmir, 0))


def test_a_value_lives_from_its_first_write_to_its_last_read() -> None:
    ops = [add("t0", "in0", 1), add("t1", "t0", 1), add("t2", "t0", "t1"), copy("out0", "t2")]
    assert lives_of(ops, "t0", "t1", "t2") == {"t0": (1, 3), "t1": (2, 3), "t2": (3, 4)}


def test_what_is_made_before_a_loop_and_read_in_it_lives_through_it() -> None:
    ops: list[Op] = [add("t0", "in0", 1), Loop(2, (add("t1", "t0", 1), add("out0", "t1", 1), add("t2", "in0", 1)))]
    lives = lives_of(ops, "t0", "t1", "t2")
    assert lives["t0"] == (1, 5)
    assert lives["t1"] == (3, 4)


def test_what_is_carried_lives_through_the_loop() -> None:
    body = (add("t0", "in0", 1), add("out0", "carry0", "t0"), copy("carry0", "t0"), add("t1", "in0", 2))
    lives = lives_of([copy("carry0", "in0"), Loop(3, body)], "carry0", "t0", "t1")
    assert lives["carry0"] == (1, 6)
    assert lives["t0"] == (3, 5)


def test_a_value_read_before_it_is_written_comes_from_the_iteration_before() -> None:
    body = (add("out0", "t0", 1), add("t0", "in0", 1))
    assert lives_of([Loop(3, body)], "t0") == {"t0": (1, 3)}


def test_a_loop_does_not_lengthen_the_life_of_what_it_does_not_touch() -> None:
    ops: list[Op] = [
        add("t0", "in0", 1),
        copy("out0", "t0"),
        Loop(2, (add("t1", "in0", 1), copy("out0", "t1"))),
        add("t2", "in0", 1),
        copy("out0", "t2"),
    ]
    lives = lives_of(ops, "t0", "t1", "t2")
    assert (lives["t0"], lives["t1"], lives["t2"]) == ((1, 2), (4, 5), (6, 7))


def test_each_core_has_the_lives_of_its_own_values() -> None:
    other = [replace(buffer(name), core=1) for name in ("t1", "state0")]
    ops = [add("t0", "in0", 1), replace(add("t1", "state0", 1), core=1), replace(copy("state0", "t1"), core=1)]
    fmir = network([buffer("in0"), buffer("out0"), buffer("t0"), *other], [*ops, copy("out0", "t0")])
    assert [dict(lifetimes(fmir, core)) for core in (0, 1)] == [{"t0": (1, 4)}, {"t1": (2, 3)}]


def test_inner_and_outer_loops() -> None:
    inner = Loop(2, (add("t1", "t0", 1), add("out0", "t1", 0)))
    lives = lives_of([Loop(3, (add("t0", "in0", 1), inner, add("t2", "in0", 1)))], "t0", "t1", "t2")
    assert lives["t0"] == (2, 5), "through the inner loop, not through the outer one"
    assert lives["t1"] == (4, 5)


def test_conditions_count_as_what_they_hold() -> None:
    ops: list[Op] = [
        add("t0", "in0", 1),
        If(View("in0", 0, 1), (add("t1", "t0", 1),), (add("t1", "in0", 1),)),
        copy("out0", "t1"),
    ]
    assert lives_of(ops, "t0", "t1") == {"t0": (1, 3), "t1": (3, 5)}


def test_states_inputs_and_outputs_live_for_ever() -> None:
    assert lives_of([copy("out0", "in0"), copy("state0", "in0")]) == {}


@pytest.mark.parametrize(("one", "other", "wanted"), [((1, 3), (3, 5), True), ((1, 2), (3, 5), False)])
def test_overlap(one: tuple[int, int], other: tuple[int, int], wanted: bool) -> None:
    assert overlap(one, other) == overlap(other, one) == wanted
