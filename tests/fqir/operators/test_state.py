"""State changes at the node, at once: assignment, unfold buffers, and the order of nodes."""

from __future__ import annotations

from typing import Any

from femtodriver.fqir.graph import Graph, Node
from tests.fqir.small_networks import graph, network, node, parameter, run, tensor, zeros


def add(x: str, y: str, out: str) -> Node:
    return node("vvadd", {"x": x, "y": y}, [out], shamt_x=0, shamt_y=0, shamt_bwred=0, bw=16, rounded=False)


def assign(target: str, source: str) -> Node:
    return node("assign", {"y": target, "x": source}, [])


def frame(nodes: list[Node], outputs: list[str]) -> Graph:
    return graph(nodes, [tensor("x")], outputs)


def test_a_state_carries_over_to_the_next_frame() -> None:
    net = network(frame([add("s", "x", "sum"), assign("s", "sum")], ["sum"]), zeros(s=[1]))
    assert run(net, {"x": [1]}, {"x": [2]}, {"x": [3]}) == [{"sum": [1]}, {"sum": [3]}, {"sum": [6]}]


def test_a_later_node_reads_the_new_value_and_an_earlier_one_the_old() -> None:
    net = network(
        frame([add("s", "x", "before"), assign("s", "x"), add("s", "x", "after")], ["before", "after"]), zeros(s=[1])
    )
    assert run(net, {"x": [5]}, {"x": [7]}) == [{"before": [5], "after": [10]}, {"before": [12], "after": [14]}]


def test_two_assignments_do_not_swap() -> None:
    init = graph([], parameters=[parameter("a", [1]), parameter("b", [2])], outputs=[])
    net = network(frame([assign("a", "b"), assign("b", "a")], ["a", "b"]), init)
    assert run(net, {"x": [0]}) == [{"a": [2], "b": [2]}]


def test_an_output_that_names_a_state_shows_it_at_the_end_of_the_frame() -> None:
    net = network(frame([add("s", "x", "t"), assign("s", "t")], ["s"]), zeros(s=[1]))
    assert run(net, {"x": [4]}, {"x": [4]}) == [{"s": [4]}, {"s": [8]}]


def test_a_parameter_of_the_frame_is_loaded_again_in_every_frame() -> None:
    body = graph([add("p", "x", "t"), assign("p", "t")], [tensor("x")], ["t"], [parameter("p", [10])])
    assert run(network(body), {"x": [1]}, {"x": [2]}) == [{"t": [11]}, {"t": [12]}]


def test_a_parameter_of_init_is_a_state() -> None:
    init = graph([], parameters=[parameter("s", [100])], outputs=[])
    net = network(frame([add("s", "x", "t"), assign("s", "t")], ["t"]), init)
    assert run(net, {"x": [1]}, {"x": [1]}) == [{"t": [101]}, {"t": [102]}]


def test_an_input_named_by_init_is_a_state_and_not_asked_for() -> None:
    body = graph([add("s", "x", "t"), assign("s", "t")], [tensor("x"), tensor("s")], ["t"])
    assert run(network(body, zeros(s=[1])), {"x": [3]}, {"x": [3]}) == [{"t": [3]}, {"t": [6]}]


def test_two_tensors_of_one_name_are_one_value() -> None:
    nodes = [add("x", "x", "t"), node("relu", {"x": tensor("t")}, ["u"]), add("x", "t", "t"), add("t", "u", "out")]
    assert run(network(frame(nodes, ["out"])), {"x": [1]}) == [{"out": [5]}]


def test_an_output_can_be_an_input() -> None:
    assert run(network(frame([], ["x"])), {"x": [3]}) == [{"x": [3]}]


def unfold(kernel: int, dilation: int, size: int) -> Graph:
    length = (kernel - 1) * dilation
    x, buffer = tensor("x", [size]), tensor("b", [length * size])
    constants: dict[str, Any] = {"kernel_size": kernel, "dilation": dilation, "buffer_length": length}
    return graph([node("temporal_unfold", {"x": x, "buffer": buffer}, **constants)], [x], ["out", "b"])


def test_temporal_unfold_gives_the_oldest_frame_first() -> None:
    results = run(network(unfold(3, 1, 2), zeros(b=[4])), *({"x": [t, 10 * t]} for t in (1, 2, 3)))
    assert [result["out"] for result in results] == [[0, 0, 0, 0, 1, 10], [0, 0, 1, 10, 2, 20], [1, 10, 2, 20, 3, 30]]
    assert results[-1]["b"] == [2, 20, 3, 30]


def test_temporal_unfold_with_dilation_skips_frames() -> None:
    results = run(network(unfold(2, 3, 1), zeros(b=[3])), *({"x": [t]} for t in range(1, 6)))
    assert [result["out"] for result in results] == [[0, 1], [0, 2], [0, 3], [1, 4], [2, 5]]


def test_temporal_unfold_of_one_frame_needs_no_history() -> None:
    assert run(network(unfold(1, 2, 2), zeros(b=[0])), {"x": [1, 2]}) == [{"out": [1, 2], "b": []}]
