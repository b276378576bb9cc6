"""Which graph is which, whatever the bodies are called; and names that must differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import ModelError
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Graph, Network, Tensor
from femtodriver.fqir.graph_roles import network_from_graph
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.validate import validate
from tests.fqir import graph_wire as wire
from tests.fqir.small_networks import graph, network, node, parameter, tensor, zeros

LOOP = {
    "n_recurse": 0,
    "n_scope": 0,
    "n_concat": 1,
    "n_final": 0,
    "n_sliced": 1,
    "reverse_sliced": (False,),
    "reverse_concat": (False,),
}
PLUS_ONE: dict[str, Any] = {"y": 1, "shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16}


def looped(names: list[str], listed: bool = True) -> Graph:
    """x [8] -> x + 1, by loops in loops, each of two iterations; the root lists all bodies by their names."""
    x, y = Tensor("p", "int16", (8 >> len(names),)), Tensor("q", "int16", (8 >> len(names),))
    inner = Graph(names[-1], (x,), (y,), (), (node("viadd", {"x": x}, ["q"], **PLUS_ONE),))
    bodies = {names[-1]: inner}
    for depth in range(len(names) - 1, -1, -1):
        size = 8 >> depth
        given, made = Tensor(f"x{depth}", "int16", (size,)), Tensor(f"y{depth}", "int16", (size,))
        constants = {**LOOP, "n_iter": 2, "block_size_sliced": (size // 2,)}
        loop = node("loop", {"x_sliced_0": given}, [made.name], {"body": inner}, **constants)
        name = names[depth - 1] if depth else "parent"
        inner = Graph(name, (given,), (made,), (), (loop,))
        bodies[name] = inner
    del bodies["parent"]
    return replace(inner, subgraphs=bodies if listed else {})


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    "names", [["map_loop"], ["ARITH"], ["INIT"], ["QUANT", "ARITH"], ["a", "b\n", "é"], ["ARITH:SET:x"], ["body"]]
)
def test_a_bare_graph_may_have_bodies_of_any_names_and_depths(names: list[str], listed: bool) -> None:
    net = network_from_graph(looped(names, listed), "bare")
    assert net.frame is net.main
    assert Reference(net).step({"x0": np.arange(8)})["y0"].tolist() == list(range(1, 9))


def test_a_bare_graph_with_a_body_is_loaded_from_its_file() -> None:
    body = wire.Raw(wire.graph(name="map_loop") + wire.put(90))
    looping = wire.node(optype=wire.operator("LOOP"), opname="loop", subgraphs={"body": body}, subgraph=wire.get(90))
    net = load_network(wire.bare(wire.graph(nodes=[looping], subgraphs={"map_loop": wire.get(90)})))
    assert net.frame is net.main
    assert [made.op for made in net.frame.nodes] == ["loop"]


def test_beside_arith_only_bodies_of_operators_may_have_other_names() -> None:
    frame = looped(["map_loop"])
    call = node(None, {}, ["y0"], {"body": frame})
    main = Graph("MAIN", frame.inputs, frame.outputs, (), (call,), {"ARITH": frame, **frame.subgraphs})
    assert network_from_graph(main, "net").frame is frame
    other = replace(main, subgraphs={"ARITH": frame, "OTHER": graph([], [], [])})
    with pytest.raises(ModelError, match='subgraphs must be QUANT, ARITH, INIT, DEQUANT, not "OTHER"'):
        network_from_graph(other, "net")


def test_special_subgraphs_need_arith() -> None:
    main = Graph("MAIN", (), (), (), (), {"QUANT": graph([], [], [])})
    with pytest.raises(ModelError, match=r'must have a subgraph ARITH .*, not only "QUANT"'):
        network_from_graph(main, "net")


# ---- names that must differ ----------------------------------------------------------------------------------------


def add(x: Tensor, y: Tensor, out: str = "z") -> Any:
    return node("vvadd", {"x": x, "y": y}, [out], shamt_x=0, shamt_y=0, shamt_bwred=0, bw=16)


def refusal(net: Network) -> str:
    """Said when it is loaded, and by ``validate`` for networks that were not."""
    sentences = []
    for check in (lambda: network_from_graph(net.main, "net"), lambda: validate(net)):
        with pytest.raises(ModelError) as caught:
            check()
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]
    return sentences[0]


def with_main(frame: Graph, init: Graph | None = None, inputs: tuple[Tensor, ...] = ()) -> Network:
    """As files have it: a main graph with calls of ARITH and INIT."""
    graphs = {"ARITH": frame} | ({"INIT": init} if init is not None else {})
    calls = [node(None, {}, [], {"body": body}) for body in graphs.values()]
    main = Graph("MAIN", inputs or frame.inputs, frame.outputs, (), tuple(calls), graphs)
    return Network("net", main, frame, init)


def test_two_inputs_of_one_name_are_refused() -> None:
    twins = [tensor("x\n", [4]), tensor("x\n", [4])]
    assert refusal(network(graph([add(twins[0], twins[1])], twins, ["z"]))) == (
        'network "net", graph ARITH: inputs must have different names, not 2 of them "x\\n". '
        "Correct the graph, or export the model again with fmot."
    )
    same = tensor("x", [4])
    assert "not 3 of them" in refusal(with_main(graph([add(same, same)], [same] * 3, ["z"])))


def test_an_input_named_like_a_parameter_is_refused() -> None:
    x = tensor("x", [4])
    net = network(graph([add(x, x)], [x], ["z"], [parameter("x", [1, 2, 3, 4])]))
    assert 'input "x" must have a name of its own, not that of a parameter.' in refusal(net)


def test_an_input_named_like_a_state_is_refused() -> None:
    x, s = tensor("x", [4]), tensor("s", [4])
    net = with_main(graph([add(x, s)], [x, s], ["z"]), zeros(s=[4]))
    assert 'input "s" must have a name of its own, not that of a state that INIT makes.' in refusal(net)


def test_a_state_may_be_listed_among_the_inputs_of_the_frame() -> None:
    x, s = tensor("x", [4]), tensor("s", [4])
    net = with_main(graph([add(x, s)], [x, s], ["z"]), zeros(s=[4]), inputs=(x,))
    assert [one.name for one in network_from_graph(net.main, "net").inputs] == ["x"]


def test_two_outputs_of_one_name_are_refused() -> None:
    x = tensor("x", [4])
    nodes = [add(x, x), node("vneg", {"x": x}, ["z"], bw=16)]
    assert 'outputs must have different names, not 2 of them "z".' in refusal(network(graph(nodes, [x], ["z", "z"])))


def test_one_output_may_be_listed_twice() -> None:
    x = tensor("x", [4])
    net = network(graph([add(x, x)], [x], ["z", "z"]))
    validate(net)
    assert Reference(net).step({"x": np.arange(4)})["z"].tolist() == [0, 2, 4, 6]
