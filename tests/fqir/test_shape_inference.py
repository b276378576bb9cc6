"""What happens to names and shapes: reads of what nobody wrote, shapes over time, memory and work."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

from femtodriver.fqir.graph import Graph, Network, Node
from femtodriver.fqir.location import NodePlace
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.shape_inference import MAX_NODES, Flow
from femtodriver.fqir.validate import validate
from tests.fqir.small_networks import graph, network, node, parameter, tensor, zeros
from tests.fqir.valid_nodes import AGAIN, SAMPLES, Sample, fault

SMALLER = " Make the model smaller, or correct the graph."


def test_reading_what_nobody_wrote() -> None:
    net = network(graph([node("relu", {"x": "y"})], [tensor("x")]))
    assert fault(net) == (
        'network "net", graph ARITH, node 0 ("out", operator relu): input x must be a value written before on every'
        f' path, not "y".{AGAIN}'
    )


def test_reading_what_is_written_only_later_in_the_frame() -> None:
    nodes = [node("relu", {"x": "later"}, ["a"]), node("relu", {"x": "x"}, ["later"])]
    assert 'not "later"' in fault(network(graph(nodes, [tensor("x")], ["a"])))


def test_assigning_to_what_init_does_not_define() -> None:
    net = network(graph([node("assign", {"y": "s", "x": "x"}, [])], [tensor("x")], ["x"]))
    assert (
        'node 0 (no output, operator assign): input y must be a value written before on every path, not "s"'
        in fault(net)
    )


def branch(*names: str) -> Graph:
    return graph([node("relu", {"x": "x"}, [name]) for name in names], [], [names[0]])


def chosen(true: Graph, false: Graph, after: str) -> Network:
    bodies = {"true": true, "false": false}
    nodes = [
        node("conditional", {"condition": "x"}, ["out"], bodies, num_inputs=0, num_outputs=1),
        node("relu", {"x": after}, ["end"]),
    ]
    return network(graph(nodes, [tensor("x")], ["end"]))


def test_a_name_written_in_one_branch_only_is_not_certain() -> None:
    validate(chosen(branch("a", "both"), branch("b", "both"), "both"))
    assert 'node 1 ("end", operator relu): input x must be a value' in fault(chosen(branch("a"), branch("b"), "a"))


def test_a_name_written_in_a_strided_body_is_not_certain() -> None:
    sample = SAMPLES["strided_subgraph"]
    net = sample.network("strided_subgraph")
    late = replace(net.frame, nodes=(*net.frame.nodes, node("relu", {"x": "body_out0"}, ["end"])))
    assert 'not "body_out0"' in fault(replace(net, frame=late))


def test_branches_must_give_equal_shapes() -> None:
    wide = graph([node("zeros", {}, ["z"], shape=(2,))], [], ["z"])
    assert "both bodies must give outputs of equal shapes, not [[1]] and [[2]]" in fault(chosen(branch("a"), wide, "x"))


def test_a_body_reads_what_the_outer_graph_wrote_before() -> None:
    reader = graph([node("relu", {"x": "late"}, ["r"])], [], ["r"])
    call = node(None, {}, ["a"], {"body": reader})
    late = node("relu", {"x": "x"}, ["late"])
    validate(network(graph([late, call], [tensor("x")], ["a"])))
    assert fault(network(graph([call, late], [tensor("x")], ["a"]))).startswith(
        'network "net", graph ARITH/0:call.body, node 0 ("r", operator relu): input x must be a value written before'
    )


def test_outputs_must_be_produced() -> None:
    assert fault(network(graph([], [tensor("x")], ["y"]))) == (
        f'network "net", graph ARITH: output "y" must be produced on every path, not missing.{AGAIN}'
    )
    assert fault(network(graph([], [tensor("x")], []))) == (
        f'network "net", graph ARITH: the graph must have at least one output, not none.{AGAIN}'
    )


def test_outputs_of_bodies_must_be_produced() -> None:
    empty = graph([], [], ["nothing"])
    net = network(graph([node(None, {}, ["a"], {"body": empty})], [tensor("x")], ["a"]))
    assert 'graph ARITH/0:call.body: output "nothing" must be produced on every path, not missing.' in fault(net)


def test_a_value_may_not_grow_from_frame_to_frame() -> None:
    grow = node("cat", {"x0": "s", "x1": "x"}, ["s"], dim=0)
    assert fault(network(graph([grow], [tensor("x")], ["s"]), zeros(s=[1]))) == (
        f'network "net", graph ARITH: value "s" must keep its shape from run to run, not be [2] and then [3].{AGAIN}'
    )


def test_a_value_may_not_grow_from_iteration_to_iteration() -> None:
    inner = graph([node("cat", {"x0": "s", "x1": "s"}, ["s"], dim=0)], [], [])
    sample = Sample({}, {**SAMPLES["loop"].constants})
    constants = {key: 0 if key.startswith("n_") else () for key in sample.constants} | {"n_iter": 3}
    net = network(graph([node("loop", {}, [], {"body": inner}, **constants)], [tensor("x")], ["s"]), zeros(s=[1]))
    assert 'graph ARITH/0:loop.body: value "s" must keep its shape from run to run, not be [2] and then [4].' in fault(
        net
    )


def test_a_carried_value_keeps_its_shape() -> None:
    inner = graph([node("cat", {"x0": "c", "x1": "c"}, ["d"], dim=0)], [tensor("c")], ["d", "d"])
    constants = {**SAMPLES["loop"].constants, "n_sliced": 0, "n_scope": 0, "n_concat": 0}
    constants |= {"block_size_sliced": (), "reverse_sliced": (), "reverse_concat": ()}
    net = network(
        graph([node("loop", {"x_recurse_0": "x"}, ["y"], {"body": inner}, **constants)], [tensor("x")], ["y"])
    )
    assert "carried value x_recurse_0 must keep its shape [1], not become [2]." in fault(net)


def test_a_shape_that_settles_is_fine() -> None:
    # the first frame finds a state of one element and leaves two; all later frames leave two
    nodes = [node("cat", {"x0": "x", "x1": "x"}, ["s"], dim=0), node("relu", {"x": "s"})]
    validate(network(graph(nodes, [tensor("x")], ["out"]), zeros(s=[1])))


def test_doubling_forty_times() -> None:
    nodes = [node("cat", {"x0": f"v{i}", "x1": f"v{i}"}, [f"v{i + 1}"], dim=0) for i in range(40)]
    tracemalloc.start()
    message = fault(network(graph(nodes, [tensor("v0")], ["v40"])))
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()
    assert message == (
        'network "net", graph ARITH, node 23 ("v24", operator cat): the values of a frame must have at most 16777216'
        f" elements, not 33554431.{SMALLER}"
    )


def test_zeros_of_a_million_by_a_million() -> None:
    init = graph([node("zeros", {}, ["s"], shape=(1 << 20, 1 << 20))], outputs=[])
    assert fault(network(graph([node("relu", {"x": "s"})]), init)) == (
        'network "net", graph INIT, node 0 ("s", operator zeros): the values of a frame must have at most 16777216'
        f" elements, not 1099511627776.{SMALLER}"
    )


def test_a_convolution_with_a_huge_gather() -> None:
    sample = SAMPLES["temporal_conv2d"]
    constants = {**sample.constants, "kernel_size_t": 1, "kernel_size_band": 1000, "d_band_in": 1, "stride_band": 1}
    constants |= {"n_band_in": 1 << 20, "shamt_bias": None}
    big = Sample({"input": [1 << 20], "weight": [1, 1, 1000, 1]}, constants)
    assert "the values of a frame must have at most 16777216 elements" in fault(big.network("temporal_conv2d"))


def nested(depth: int, n_iter: int) -> Network:
    constants = {key: 0 if key.startswith("n_") else () for key in SAMPLES["loop"].constants} | {"n_iter": n_iter}
    inner = graph([node("relu", {"x": "x"}, ["y"])], [], [])
    for _ in range(depth):
        inner = graph([node("loop", {}, [], {"body": inner}, **constants)], [], [])
    return network(replace(inner, inputs=(tensor("x"),), outputs=(tensor("x"),)))


def test_nested_loops_whose_product_explodes() -> None:
    validate(nested(4, 16))
    assert "a frame must execute at most 16777216 nodes, not 1099511627776 or more" in fault(nested(4, 1024))


def test_bodies_nested_too_deep() -> None:
    validate(nested(8, 1))
    assert fault(nested(9, 1)).endswith(f"bodies must be nested at most 8 deep, not deeper.{SMALLER}")
    assert fault(nested(900, 1)).endswith(f"bodies must be nested at most 8 deep, not deeper.{SMALLER}")


def test_too_much_arithmetic() -> None:
    weights = parameter("w", np.zeros((2000, 2000), dtype=np.int64), "int8")
    constants = {key: 0 if key.startswith("n_") else () for key in SAMPLES["loop"].constants} | {"n_iter": 1 << 20}
    product = node("matmul", {"x": tensor("x", [2000]), "y": weights}, ["y"], shamt_bwred=0, bw_out=16, rounded=False)
    loop = node("loop", {}, [], {"body": graph([product], [], [])}, **constants)
    net = network(graph([loop], [tensor("x", [2000])], ["x"], [weights]))
    assert "a frame must take at most 68719476736 operations, not" in fault(net)


@pytest.mark.slow
def test_shared_bodies_that_multiply_are_refused_before_they_are_all_followed() -> None:
    inner = graph([node("relu", {"x": "x"}, ["y"])], [], [])
    for _ in range(6):
        inner = graph([node(None, {}, [], {"body": inner}) for _ in range(50)], [], [])
    visits, follow = Counter[str](), Flow._node

    def counted(flow: Flow, made: Node, place: NodePlace) -> None:
        visits[place.graph] += 1
        follow(flow, made, place)

    with mock.patch.object(Flow, "_node", counted):
        message = fault(network(replace(inner, inputs=(tensor("x"),), outputs=(tensor("x"),))))
    assert message.endswith(f"the network must have at most 100000 nodes, not more.{SMALLER}")
    assert visits.total() <= MAX_NODES + 1


def test_shared_bodies_are_prepared_once() -> None:
    weights = parameter("w", np.ones((300, 300), dtype=np.int64), "int8")
    product = node("matmul", {"x": tensor("x", [300]), "y": weights}, ["y"], shamt_bwred=0, bw_out=16, rounded=False)
    inner = graph([product], [], ["y"], [weights])
    calls = [node(None, {}, ["z"], {"body": inner}) for _ in range(200)]
    tracemalloc.start()
    Reference(network(graph(calls, [tensor("x", [300])], ["z"])))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
