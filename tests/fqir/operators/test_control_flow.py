"""Bodies: loop, conditional, strided_subgraph and calls, on the one shared table of values."""

from __future__ import annotations

from typing import Any

from femtodriver.fqir.graph import Graph, Network, Node
from tests.fqir.small_networks import graph, network, node, parameter, run, tensor, zeros

LOOP: dict[str, Any] = {
    "n_recurse": 0,
    "n_sliced": 0,
    "n_scope": 0,
    "n_concat": 0,
    "n_final": 0,
    "block_size_sliced": (),
    "reverse_sliced": (),
    "reverse_concat": (),
}


def add(x: Any, y: Any, out: str) -> Node:
    return node("vvadd", {"x": x, "y": y}, [out], shamt_x=0, shamt_y=0, shamt_bwred=0, bw=16, rounded=False)


def double(x: Any, out: str) -> Node:
    return node("vimul", {"x": x}, [out], y=2, shamt_bwred=0, bw=16, rounded=False)


def loop(inputs: dict[str, Any], outputs: list[str], body: Graph, **constants: Any) -> Node:
    return node("loop", inputs, outputs, {"body": body}, **{**LOOP, **constants})


def looped(body: Graph, inputs: dict[str, Any], outputs: list[str], **constants: Any) -> Network:
    tensors = [tensor(item.name, item.shape) for item in inputs.values()]
    return network(graph([loop(inputs, outputs, body, **constants)], tensors, outputs))


def test_loop_slices_and_concatenates() -> None:
    body = graph([double("i", "o")], [tensor("i", [2])], ["o"])
    inputs = {"x_sliced_0": tensor("x", [5])}
    constants = {"n_iter": 2, "n_sliced": 1, "n_concat": 1, "block_size_sliced": (2,)}
    for backwards, reverse, expected in [
        (False, False, [2, 4, 6, 8]),
        (True, False, [6, 8, 2, 4]),  # the fifth element is in no block
        (False, True, [6, 8, 2, 4]),
        (True, True, [2, 4, 6, 8]),
    ]:
        net = looped(body, inputs, ["y"], **constants, reverse_sliced=(backwards,), reverse_concat=(reverse,))
        assert run(net, {"x": [1, 2, 3, 4, 5]}) == [{"y": expected}]


def test_loop_carries_values_and_keeps_the_last() -> None:
    # carried: s := s + slice * 2; final: the last s; concat: every s before the step
    body = graph(
        [double("i", "d"), add("s", "d", "next"), node("copy", {"x": "s"}, ["seen"])],
        [tensor("s"), tensor("i"), tensor("unused")],
        ["next", "seen", "next"],
    )
    inputs = {"x_sliced_0": tensor("x", [3]), "x_recurse_0": tensor("start"), "x_scope_0": tensor("other")}
    net = looped(
        body,
        inputs,
        ["all", "last"],
        n_iter=3,
        n_recurse=1,
        n_sliced=1,
        n_scope=1,
        n_concat=1,
        n_final=1,
        block_size_sliced=(1,),
        reverse_sliced=(False,),
        reverse_concat=(False,),
    )
    assert run(net, {"x": [1, 2, 3], "start": [100], "other": [7]}) == [{"all": [100, 102, 106], "last": [112]}]


def test_loop_scope_is_the_same_in_every_iteration() -> None:
    body = graph([add("i", "k", "o")], [tensor("i"), tensor("k")], ["o"])
    net = looped(
        body,
        {"x_sliced_0": tensor("x", [3]), "x_scope_0": tensor("c")},
        ["y"],
        n_iter=3,
        n_sliced=1,
        n_scope=1,
        n_concat=1,
        block_size_sliced=(1,),
        reverse_sliced=(False,),
        reverse_concat=(False,),
    )
    assert run(net, {"x": [1, 2, 3], "c": [10]}) == [{"y": [11, 12, 13]}]


def test_state_inside_a_loop_persists_over_iterations_and_frames() -> None:
    body = graph([add("s", "step", "t"), node("assign", {"y": "s", "x": "t"}, [])], [], [], [parameter("step", [1])])
    frame = graph([loop({}, [], body, n_iter=3), add("s", "x", "out")], [tensor("x")])
    assert run(network(frame, zeros(s=[1])), {"x": [0]}, {"x": [100]}) == [{"out": [3]}, {"out": [106]}]


def test_a_body_reads_names_of_the_outer_graph() -> None:
    body = graph([add("i", "outer", "o")], [tensor("i")], ["o"])
    frame = graph(
        [
            double("x", "outer"),
            loop(
                {"x_sliced_0": tensor("x", [2])},
                ["y"],
                body,
                n_iter=1,
                n_sliced=1,
                n_concat=1,
                block_size_sliced=(2,),
                reverse_sliced=(False,),
                reverse_concat=(False,),
            ),
        ],
        [tensor("x", [2])],
        ["y"],
    )
    assert run(network(frame), {"x": [1, 5]}) == [{"y": [3, 15]}]


def test_nested_loops() -> None:
    inner = graph([add("a", "one", "b")], [tensor("a")], ["b"], [parameter("one", [1])])
    outer = graph([loop({"x_recurse_0": "v"}, ["w"], inner, n_iter=2, n_recurse=1, n_final=0)], [tensor("v")], ["b"])
    # the inner loop gives no output of its own; its body's name b holds the value
    inner_node = loop({"x_recurse_0": "v"}, [], inner, n_iter=2, n_recurse=1)
    outer = graph([inner_node], [tensor("v")], ["b", "b"])
    net = looped(outer, {"x_recurse_0": tensor("x")}, ["y"], n_iter=3, n_recurse=1, n_final=1)
    assert run(net, {"x": [10]}) == [{"y": [16]}]


def conditional() -> Network:
    yes = graph(
        [double("a", "r"), add("count", "one", "c"), node("assign", {"y": "count", "x": "c"}, [])],
        [tensor("a")],
        ["r"],
        [parameter("one", [1])],
    )
    no = graph([node("vneg", {"x": "b"}, ["q"], bw=16)], [tensor("b")], ["q"])
    choice = node(
        "conditional",
        {"condition": tensor("if", [2]), "input_0": tensor("x")},
        ["y"],
        {"true": yes, "false": no},
        num_inputs=1,
        num_outputs=1,
    )
    frame = graph([choice, node("copy", {"x": "count"}, ["n"])], [tensor("if", [2]), tensor("x")], ["y", "n"])
    return network(frame, zeros(count=[1]))


def test_conditional_looks_at_the_first_element_and_runs_one_body() -> None:
    frames = [{"if": [-3, 0], "x": [5]}, {"if": [0, 1], "x": [6]}, {"if": [1, 1], "x": [7]}]
    assert run(conditional(), *frames) == [{"y": [10], "n": [1]}, {"y": [-6], "n": [1]}, {"y": [14], "n": [2]}]


def strided(n: int, k: int, body: Graph, inputs: dict[str, Any], outputs: list[str], **constants: Any) -> Node:
    counts = {"n": n, "k": k, "num_inputs": 1, "num_outputs": 1, **constants}
    return node("strided_subgraph", inputs, outputs, {"body": body}, **counts)


def test_strided_subgraph_runs_every_n_frames() -> None:
    body = graph([double("a", "r")], [tensor("a")], ["r"])
    inputs = {"counter": "c", "input_0": "x", "default_output_0": "held"}
    frame = graph(
        [strided(3, 1, body, inputs, ["y"]), node("assign", {"y": "held", "x": "y"}, [])], [tensor("x")], ["y", "c"]
    )
    results = run(network(frame, zeros(c=[1], held=[1])), *({"x": [t]} for t in range(1, 7)))
    assert [result["y"] for result in results] == [[0], [4], [4], [4], [10], [10]]
    assert [result["c"] for result in results] == [[1], [2], [0], [1], [2], [0]]


def test_strided_inside_strided_has_its_obvious_meaning() -> None:
    inner_body = graph([double("a", "r")], [tensor("a")], ["r"])
    inner = strided(2, 0, inner_body, {"counter": "inner", "input_0": "b", "default_output_0": "zero"}, ["inner_out"])
    outer_body = graph([inner], [tensor("b")], ["inner_out"])
    outer = strided(2, 0, outer_body, {"counter": "outer", "input_0": "x", "default_output_0": "minus"}, ["y"])
    frame = graph([outer], [tensor("x")], ["y"], [parameter("zero", [0]), parameter("minus", [-1])])
    results = run(network(frame, zeros(inner=[1], outer=[1])), *({"x": [t]} for t in range(1, 7)))
    assert [result["y"] for result in results] == [[2], [-1], [0], [-1], [10], [-1]]


def test_conditional_inside_conditional_has_its_obvious_meaning() -> None:
    def branch(name: str, value: int) -> Graph:
        return graph([], [], [name], [parameter(name, [value])])

    def choice(condition: str, output: str, yes: Graph, no: Graph) -> Node:
        bodies = {"true": yes, "false": no}
        return node("conditional", {"condition": condition}, [output], bodies, num_inputs=0, num_outputs=1)

    inner = graph([choice("q", "i", branch("b1", 1), branch("b2", 2))], [], ["i"])
    frame = graph([choice("p", "y", inner, branch("b3", 3))], [tensor("p"), tensor("q")], ["y"])
    frames = [{"p": [p], "q": [q]} for p in (1, 0) for q in (1, 0)]
    assert [result["y"] for result in run(network(frame), *frames)] == [[1], [2], [3], [3]]


def test_a_call_binds_position_by_position() -> None:
    body = graph(
        [node("vvsub", {"x": "p", "y": "q"}, ["d"], shamt_x=0, shamt_y=0, shamt_bwred=0, bw=16, rounded=False)],
        [tensor("p"), tensor("q")],
        ["d", "p"],
    )
    call = node(None, {"second": tensor("b"), "first": tensor("a")}, ["r", "s"], {"body": body})
    frame = graph([call], [tensor("a"), tensor("b")], ["r", "s"])
    assert run(network(frame), {"a": [1], "b": [10]}) == [{"r": [9], "s": [10]}]


def test_a_call_without_arguments_uses_what_the_table_holds() -> None:
    body = graph([double("x", "d")], [tensor("x")], ["d"])
    frame = graph([node(None, {}, [], {"body": body})], [tensor("x")], ["d"])
    assert run(network(frame), {"x": [21]}) == [{"d": [42]}]
