"""Random legal networks: whatever the operators declare, all executors compute alike, or say why not."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Mac, Products, Vec, walk
from femtodriver.compiler.frontend import lower_control_flow
from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import CapacityError, UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.graph_text import network_text
from femtodriver.part import load_part
from tests.agree.agreement import EXACT, SHARED, Target, checked
from tests.agree.networks import ADD, graph, loop, network, node, tensor
from tests.agree.random_graphs import one, random_frames, random_network, random_target
from tests.agree.random_nodes import compiled_operators
from tests.agree.shrink import shrunk

BATCHES, BATCH = 30, 50


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_all_executors_agree(batch: int) -> None:
    kinds: Counter[str] = Counter()
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        outcome = one(seed, frames=3)
        kinds[outcome.kind] += 1
        again = f"PYTHONPATH=tools python -m tests.agree.random_graphs --seed {seed} --count 1"
        assert not outcome.wrong, f"{outcome.kind}: {outcome.detail}\nsmallest such network: {again}"
    print(", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    assert kinds[EXACT] + kinds[SHARED] > 0.8 * BATCH


def test_a_seed_always_gives_the_same_network_and_inputs() -> None:
    for seed in range(30):
        first, again = random_network(seed), random_network(seed)
        assert network_text(first) == network_text(again)
        assert repr(random_frames(first, seed, 2)) == repr(random_frames(again, seed, 2))
        assert random_target(seed) == random_target(seed)


@pytest.mark.slow
def test_networks_have_every_operator_nesting_and_state() -> None:
    networks = [random_network(seed) for seed in range(BATCHES * BATCH)]
    operators = Counter(node.op or "call" for net in networks for _, node in net.frame.walk())
    assert set(compiled_operators()) <= set(operators)
    assert sum(bool(net.state_names) for net in networks) > 500
    assert max(_depth(net) for net in networks) >= 3
    assert {len(net.inputs) for net in networks} >= {1, 2, 4}
    assert any(not tensor.size for net in networks for tensor in net.outputs)


@pytest.mark.slow
def test_networks_have_what_the_compiler_makes_the_most_of() -> None:
    """Clips at zero, sums of products, repeated products and buffers in several pairs of banks, all of them often."""
    found: Counter[str] = Counter()
    for seed in range(200):
        with suppress(CapacityError, UnsupportedError):
            program = compile_network(random_network(seed), load_part(), options=Options(cores=1))
            ops = list(walk(program.fmir.ops))
            found["positive"] += any(isinstance(op, (Vec, Mac)) and op.post.clip == "positive" for op in ops)
            found["products"] += any(isinstance(op, Products) for op in ops)
            found["repeat"] += any(isinstance(op, Mac) and op.repeat > 1 for op in ops)
            found["pairs"] += sum(end > start for start, end in program.fasmir.maps[0].stretches) > 1
    assert min(found[what] for what in ("positive", "products", "repeat", "pairs")) >= 3


def _depth(net: Network) -> int:
    """How deep bodies are nested."""
    depth, graphs = 0, [net.frame]
    while graphs := [body for item in graphs for made in item.nodes for body in made.subgraphs.values()]:
        depth += 1
    return depth


def state_in_a_loop() -> Network:
    """The body assigns the state that it was given."""
    nodes = [node("vvadd", {"x": "a", "y": "b"}, "c", ADD), node("assign", {"y": "s", "x": "c"}, "")]
    body = graph(nodes, ["a", "b"], "c")
    x = tensor("x", 3)
    constants = loop(3, sliced=1, scope=1, final=1)
    nodes = [
        node("vneg", {"x": x}, "unused", {"bw": 8}),
        node("loop", {"x_sliced_0": x, "x_scope_0": "s"}, "out", constants, {"body": body}),
        node("vneg", {"x": "out"}, "more", {"bw": 8}),
    ]
    return network(graph(nodes, [x], "out more"), s=[1])


def test_the_check_and_the_shrinker_can_find_a_defect() -> None:
    net, target = state_in_a_loop(), Target(load_part())
    frames = [{"x": np.array([1, 2, 3])}] * 2
    assert checked(net, frames, target).kind == EXACT
    with mock.patch.object(lower_control_flow, "_apart", lambda low, value, changed: value):
        assert checked(net, frames, target).kind == "WRONG fmir"
        smaller = shrunk(net, lambda candidate: checked(candidate, frames, target).kind == "WRONG fmir")
    assert [made.op for made in smaller.frame.nodes] == ["loop"]
    assert [output.name for output in smaller.outputs] == ["out"]


def test_a_traceback_and_a_refusal_are_outcomes() -> None:
    net, target = state_in_a_loop(), Target(load_part())
    frames = [{"x": np.array([1, 2, 3])}]
    with mock.patch.object(lower_control_flow, "_apart", side_effect=KeyError("x")):
        assert checked(net, frames, target).kind.startswith("WRONG KeyError")
    small = replace(load_part(), im_words=2)
    assert checked(net, frames, Target(small)).kind == "capacity"
