"""Places on a core, checked by playing the program: no value is overwritten while somebody needs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Fmir, Op
from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.part import load_part
from tests.compiler.allocation_check import faults
from tests.compiler.compiler_nets import Net, agree, dense
from tests.compiler.fmir_samples import add, buffer, copy, finished, network, networks

SPU = load_part()


ZOO = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "zoo"


NAMES = sorted(path.parent.name for path in ZOO.glob("*/graph.pt"))


@pytest.mark.slow
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


def test_a_part_with_few_accumulators() -> None:
    net = Net()
    x = net.input("x", 64)
    net.output(dense(net, x, 600))
    for rows in (127, 64, 3, 1):
        agree(net.network(), replace(SPU, acc_rows=rows))
