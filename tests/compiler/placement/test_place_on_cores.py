"""Sharing a network out over cores: the same numbers, less memory on each core, inputs and outputs on core 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Fmir, Mac, Role, Send, walk
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.frontend.lower_network import lower_network
from femtodriver.compiler.pipeline import compile_network, run_passes
from femtodriver.compiler.placement import ownership
from femtodriver.compiler.placement.place_on_cores import place_on_cores
from femtodriver.compiler.placement.sharing_plan import SharingPlan
from femtodriver.errors import CapacityError, UsageError
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.part import load_part
from tests.compiler.compiler_nets import ADD, Net, agree, dense, recurrent
from tests.compiler.fmir_samples import machine_outputs, networks, outputs

SPU, SPU4 = load_part(), load_part("spu001x4")
SHARED, SHARED4 = (SharingPlan(cores, ownership.LEAST_GROUPS) for cores in (2, 4))
ZOO = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "zoo"
NAMES = sorted(path.parent.name for path in ZOO.glob("*/graph.pt"))


def products(rows: int, columns: int = 64, count: int = 1) -> Network:
    net = Net()
    x = net.input("x", columns)
    for index in range(count):
        x = dense(net, x, rows, seed=index)
    net.output(x)
    return net.network()


def mapped(network: Network) -> Fmir:
    return run_passes(lower_network(network, SPU), SPU)


@pytest.mark.parametrize("cores", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [8, 64, 100, 600])
def test_products_on_several_cores(cores: int, rows: int) -> None:
    agree(products(rows), SPU4, options=Options(cores=cores))


@pytest.mark.parametrize("cores", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [16, 36, 64])
def test_states_and_tables_on_several_cores(cores: int, size: int) -> None:
    agree(recurrent(size), SPU4, options=Options(cores=cores))


@pytest.fixture
def sharing_always_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small products are worth no messages; here they are shared out all the same."""
    monkeypatch.setattr(ownership, "LEAST_ELEMENTS", 8)


@pytest.mark.slow
@pytest.mark.usefixtures("sharing_always_pays")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_placing_random_networks_changes_no_number(before: Fmir) -> None:
    after = place_on_cores(before, SPU, SharingPlan(2, least_groups=1))  # 16 elements have two whole groups
    verify(after)
    assert outputs(after) == outputs(before)
    assert machine_outputs(after, part=SPU) == outputs(before)


@pytest.mark.slow
@pytest.mark.parametrize("cores", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_the_zoo_on_several_cores(corpus: Path, name: str, cores: int) -> None:
    network = load_network(corpus / "zoo" / name / "graph.pt")
    agree(network, SPU4, options=Options(cores=cores))


def test_each_core_holds_its_share_of_the_weights() -> None:
    shared = compile_network(products(512, 256), SPU4, options=Options(cores=4))
    alone = compile_network(products(512, 256), SPU4, options=Options(cores=1))
    parts = [places.usage["weights"] for places in shared.fasmir.maps.values()]
    assert sum(parts) == alone.fasmir.maps[0].usage["weights"]
    assert max(parts) == min(parts)


def test_inputs_and_outputs_are_core_0s() -> None:
    fmir = place_on_cores(mapped(recurrent()), SPU4, SHARED4)
    assert {op.core for op in walk(fmir.ops) if isinstance(op, Mac)} == {0, 1, 2, 3}
    ports = [fmir.buffers[port.buffer] for port in (*fmir.inputs, *fmir.outputs)]
    assert {buffer.core for buffer in ports} == {0}


def test_messages_go_to_buffers_that_nothing_else_uses() -> None:
    fmir = place_on_cores(mapped(recurrent()), SPU, SHARED)
    targets = [op.dst for op in walk(fmir.ops) if isinstance(op, Send)]
    assert targets
    for view in targets:
        role = fmir.buffers[view.buffer].role
        assert role is Role.MAIL or (role is Role.OUTPUT and fmir.buffers[view.buffer].core == 0)


def test_one_core_is_left_alone() -> None:
    fmir = mapped(recurrent())
    assert place_on_cores(fmir, SPU, SharingPlan(1, 1)) is fmir


def test_names_of_the_network_do_not_collide_with_those_of_copies() -> None:
    net = Net()
    x, other = net.input("x", 64), net.input("x@1.1", 64)
    net.output(dense(net, x, 512), net.op("vvadd", {"x": x, "y": other}, 64, **ADD))
    agree(net.network(), options=Options(cores=2))


def test_a_network_that_one_core_cannot_hold_goes_to_all() -> None:
    network = products(256, 128, count=1)
    small = replace(SPU, dm_bank_words=300)  # 19 200 bytes per core, for 32 768 of weights
    compiled = agree(network, small)
    assert len(compiled.data.mems_per_core) == 2
    assert all(places.used_bytes <= small.dm_bytes for places in compiled.fasmir.maps.values())
    with pytest.raises(CapacityError):
        compile_network(network, small, options=Options(cores=1))


def test_a_network_that_gains_little_stays_on_one_core() -> None:
    compiled = compile_network(products(16), SPU4)
    assert list(compiled.data.mems_per_core) == [0]


def test_more_cores_than_the_part_has_are_refused() -> None:
    with pytest.raises(UsageError, match="cores: must be at most 2 for spu001, not 3"):
        compile_network(products(16), SPU, options=Options(cores=3))


def test_a_network_is_placed_once() -> None:
    placed = place_on_cores(mapped(products(512, 256)), SPU, SHARED)
    with pytest.raises(TypeError, match="placed only once"):
        place_on_cores(placed, SPU, SHARED)
