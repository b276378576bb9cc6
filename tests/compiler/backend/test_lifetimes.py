"""Lifetimes by hand, and allocations checked by playing them: no value is overwritten while somebody needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.lifetimes import lifetimes, overlap
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Fmir, If, Loop, Op, View
from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.part import load_part
from tests.compiler.allocation_check import faults
from tests.compiler.fmir_samples import add, buffer, copy, finished, network, networks

ZOO = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "zoo"
NAMES = sorted(path.parent.name for path in ZOO.glob("*/graph.pt"))


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


# ---- allocations ---------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_allocation_of_random_networks(fmir: Fmir) -> None:
    part = load_part()
    for rows in (part.acc_rows, 7):  # few rows: most values in memory
        small = replace(part, acc_rows=rows)
        assert faults(fmir, allocate(fmir, small), small) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [Options(), Options(cores=2).without("accumulators")], ids=["auto", "two"])
def test_allocation_of_the_zoo(corpus: Path, name: str, options: Options) -> None:
    part = load_part()
    compiled = compile_network(load_network(corpus / "zoo" / name / "graph.pt"), part, options=options)
    assert faults(compiled.fmir, compiled.fasmir.maps, part) == []


SHARING: list[Op] = [add("t0", "in0", 1), add("t1", "in0", 2), add("t2", "t0", "t1"), copy("out0", "t2")]


def sharing() -> Fmir:
    return network([buffer("in0"), buffer("out0"), *map(buffer, ("t0", "t1", "t2"))], SHARING)


def test_memory_is_shared_where_lifetimes_allow() -> None:
    ops = [add("t0", "in0", 1), add("t1", "t0", 1), add("t2", "t1", 1), add("out0", "t2", 1)]
    fmir = network([buffer("in0"), buffer("out0"), *map(buffer, ("t0", "t1", "t2"))], ops)
    in_rows = allocate(fmir, load_part())[0]
    assert in_rows.acc_row["t0"] == in_rows.acc_row["t2"] != in_rows.acc_row["t1"]
    in_memory = allocate(fmir, load_part(), accumulators=False)[0]
    assert in_memory.acc_row == {}
    assert in_memory.address["t0"] == in_memory.address["t2"] != in_memory.address["t1"]


@pytest.mark.parametrize("accumulators", [True, False])
def test_the_check_finds_values_that_overwrite_each_other(accumulators: bool) -> None:
    fmir, part = sharing(), load_part()
    maps = allocate(fmir, part, accumulators=accumulators)
    assert faults(fmir, maps, part) == []
    places = maps[0].acc_row if accumulators else maps[0].address
    places["t1"] = places["t0"]
    assert any("holds what t1 wrote" in fault for fault in faults(fmir, maps, part))


def test_the_check_finds_values_on_what_lives_for_ever() -> None:
    fmir, part = sharing(), load_part()
    maps = allocate(fmir, part)
    maps[0].address["out0"] = maps[0].address["in0"] + 8
    assert any("in0 and out0 overlap" in fault for fault in faults(fmir, maps, part))


def test_the_check_finds_values_outside() -> None:
    fmir, part = sharing(), load_part()
    maps = allocate(fmir, part)
    maps[0].acc_row["t0"] = maps[0].mac_row - 1
    maps[0].address["out0"] = maps[0].used_bytes - 8
    found = " ".join(faults(fmir, maps, part))
    assert "t0 in accumulator row" in found
    assert "out0 at bytes" in found


def test_values_wider_than_memory_stand_in_accumulators() -> None:
    ops = [add("t0", "in0", 1), copy("out0", "t0")]
    fmir = network([buffer("in0"), buffer("out0"), buffer("t0", bits=64)], ops)
    assert "t0" in allocate(fmir, load_part(), accumulators=False)[0].acc_row
    assert finished(fmir).metadata["inst_counts"]
