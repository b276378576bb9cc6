"""Values that stay in one piece: each has a core, with room for it, and what belongs together is not torn apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Fmir, If, Loop, Mac, Role, Send, walk
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.frontend.lower_network import lower_network
from femtodriver.compiler.pipeline import compile_network, run_passes
from femtodriver.compiler.placement.bundle_messages import bundle_messages
from femtodriver.compiler.placement.estimate_cycles import estimate_cycles
from femtodriver.compiler.placement.place_on_cores import place_on_cores
from femtodriver.compiler.placement.sharing_plan import Order, SharingPlan
from femtodriver.compiler.placement.whole_values import kept_together, place_whole_values
from femtodriver.fqir.graph import Network
from femtodriver.part import Part, load_part
from tests.compiler.compiler_nets import ADD, Net, agree, dense, table
from tests.compiler.fmir_samples import machine_outputs, networks, outputs

SPU, SPU4 = load_part(), load_part("spu001x4")
NEVER = float("inf")
ORDERS = list(Order)


def mapped(network: Network) -> Fmir:
    return run_passes(lower_network(network, SPU), SPU)


def chain(layers: int, size: int) -> Network:
    net = Net()
    x = net.input("x", size)
    for index in range(layers):
        x = dense(net, x, size, seed=index)
    net.output(x)
    return net.network()


def branches(count: int, size: int = 64) -> Network:
    net = Net()
    x = net.input("x", size)
    for index in range(count):
        net.output(dense(net, dense(net, x, size, seed=index), 8, seed=index))
    return net.network()


def delay_lines(*elements: int) -> Network:
    """One state of each length, through which the input's four elements move."""
    net = Net()
    for index, size in enumerate(elements):
        x, line = net.input(f"x{index}", 4), net.state(f"line{index}", np.zeros(size))
        old, rest = net.ops("split", {"x": line}, [4, size - 4], lengths=(4, size - 4), dim=0)
        net.assign(line, net.op("cat", {"x0": rest, "x1": x}, size, dim=0))
        net.output(old)
    return net.network()


def sliced_loop(times: int, size: int) -> dict[str, Any]:
    """Constants of a loop over slices of one input that gives one concatenated output."""
    return {
        "n_iter": times,
        "n_recurse": 0,
        "n_sliced": 1,
        "n_scope": 0,
        "n_concat": 1,
        "n_final": 0,
        "block_size_sliced": (size,),
        "reverse_sliced": (False,),
        "reverse_concat": (False,),
    }


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    before=networks(),
    cores=st.integers(2, 4),
    least_groups=st.sampled_from([1, NEVER]),
    patience=st.sampled_from([0, 24, NEVER]),
)
def test_no_order_changes_a_number(
    before: Fmir, cores: int, least_groups: float, patience: float, order: Order
) -> None:
    plan = SharingPlan(cores, least_groups, order, copies=cores % 2 == 0)
    after = bundle_messages(place_on_cores(before, SPU4, plan), SPU4, patience)
    verify(after)
    assert outputs(after) == outputs(before)
    assert machine_outputs(after, part=SPU4) == outputs(before)


def test_a_chain_stays_on_one_core_while_there_is_room() -> None:
    placed = place_on_cores(mapped(chain(6, 64)), SPU, SharingPlan(2, NEVER))
    assert {op.core for op in walk(placed.ops)} == {0}


def test_branches_spread() -> None:
    placed = place_on_cores(mapped(branches(4)), SPU4, SharingPlan(4, NEVER))
    products = [op.core for op in walk(placed.ops) if isinstance(op, Mac)]
    assert sorted(set(products)) == [0, 1, 2, 3]
    agree(branches(4), SPU4)


def test_a_chain_goes_on_where_there_is_room() -> None:
    small = replace(SPU, dm_bank_words=300)  # 19 200 bytes per core: four layers of 4 096
    placed = place_on_cores(mapped(chain(8, 64)), small, SharingPlan(2, NEVER))
    assert sum(isinstance(op, Send) for op in placed.ops) == 2, "to the second core, and the output back"
    agree(chain(8, 64), small)


@pytest.mark.parametrize("part", [SPU, SPU4])
def test_states_that_one_core_cannot_hold_together(part: Part) -> None:
    small = replace(part, dm_bank_words=1024)
    sizes = [12_000, 20_000, 11_000, 12_000]  # 16-bit elements; 65 536 bytes per core
    compiled = agree(delay_lines(*sizes), small)
    assert len(compiled.data.mems_per_core) >= 2


@pytest.mark.parametrize("cores", [2, 3, 4])
def test_more_layers_than_threads(cores: int) -> None:
    """Every product that is shared out costs a thread; layers that stay whole do not."""
    few = replace(SPU4, cores=cores, threads=5, dm_bank_words=2048 // cores)
    agree(chain(24, 64), few)


def test_as_many_layers_as_threads_allow_are_shared_out() -> None:
    few = replace(SPU, threads=12)
    network = chain(24, 96)
    shared, whole = (agree(network, few, options=Options(cores=cores)) for cores in (2, 1))
    assert estimate_cycles(shared.fmir, few) < 0.85 * estimate_cycles(whole.fmir, few)
    assert {op.core for op in shared.fmir.ops if isinstance(op, Mac)} == {0, 1}


def test_states_are_cut_where_they_cannot_be_packed() -> None:
    """Five of nine equal states are more than one of two cores holds, and four are too few for the other one."""
    small = replace(SPU, dm_bank_words=1024)  # 65 536 bytes per core
    agree(delay_lines(*[6900] * 9), small)  # 13 800 bytes each


def test_more_tables_than_one_core_holds() -> None:
    net = Net()
    x = net.input("x", 16)
    for index in range(40):
        curve = table(np.arange(256) * 7 + index)
        net.output(net.op("lut", {"x": x}, 16, shamt_address=-8, bw_address=8, table=curve, function=f"f{index}"))
    compiled = agree(net.network())
    assert len(compiled.data.mems_per_core) == 2


def test_more_instructions_than_one_core_holds() -> None:
    net = Net()
    values = [net.input("x"), net.input("y")]
    for index in range(120):
        values.append(net.op("vvadd", {"x": values[-1], "y": values[(5 * index) % len(values)]}, **ADD))
    net.output(*values[-3:])
    few = replace(SPU4, im_words=120)
    assert len(agree(net.network(), few).data.mems_per_core) > 1


def test_loops_and_conditions_run_on_any_core() -> None:
    net = Net()
    for index in range(3):
        big = net.state(f"big{index}", np.zeros(3000))
        x, part = net.input(f"x{index}", 3000), Net()
        a = part.input("a", 1000)
        part.output(part.op("vvadd", {"x": a, "y": a}, 1000, **ADD))
        made = net.op("loop", {"x_sliced_0": x}, 3000, bodies={"body": part.graph()}, **sliced_loop(3, 1000))
        net.output(net.op("vvadd", {"x": made, "y": big}, 3000, **ADD))
        net.assign(big, made)
    before = mapped(net.network())
    after = place_on_cores(before, SPU4, SharingPlan(3, NEVER, Order.FILL))
    assert {op.core for op in after.ops if isinstance(op, (Loop, If))} == {0, 1, 2}
    assert outputs(after) == outputs(before) == machine_outputs(after, part=SPU4)


def test_what_a_loop_writes_is_kept_together() -> None:
    net, part = Net(), Net()
    x = net.input("x", 4)
    a = part.input("a", 2)
    twice = part.op("vvadd", {"x": a, "y": a}, 2, **ADD)
    part.output(part.op("vvadd", {"x": twice, "y": a}, 2, **ADD))
    net.output(net.op("loop", {"x_sliced_0": x}, 4, bodies={"body": part.graph()}, **sliced_loop(2, 2)))
    fmir = mapped(net.network())
    (loop,) = (op for op in fmir.ops if isinstance(op, Loop))
    made = {op.dst.buffer for op in loop.body if not isinstance(op, (Loop, If))}
    assert len(made) > 1
    assert len({kept_together(fmir)[name] for name in made}) == 1


@pytest.mark.parametrize("order", ORDERS)
def test_inputs_are_core_0s_and_every_operation_has_a_core(order: Order) -> None:
    fmir = mapped(branches(5))
    found = place_whole_values(fmir, SPU4, SharingPlan(4, NEVER, order), ())
    assert len(found.of_op) == len(fmir.ops)
    assert set(found.of_op) <= {0, 1, 2, 3}
    assert {found.of_buffer[name] for name, buffer in fmir.buffers.items() if buffer.role is Role.INPUT} == {0}


def test_the_same_network_gives_the_same_program() -> None:
    first, again = (compile_network(branches(4), SPU4).data for _ in range(2))
    for core, memories in first.mems_per_core.items():
        for name, (words, *_) in memories.items():
            assert np.array_equal(words, again.mems_per_core[core][name][0])
