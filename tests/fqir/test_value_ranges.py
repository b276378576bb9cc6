"""Which values names can hold: through bodies, states and names that are written several times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from femtodriver.fqir.graph import Network
from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.operators.ranges import Range, of_bits
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.registry import OPERATORS
from femtodriver.fqir.validate import checked
from tests.fqir.files.work import Work
from tests.fqir.small_networks import graph, network, node, parameter, tensor, zeros

ADD: dict[str, Any] = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16}
FLAG = node("gt0", {"x": "x"}, ["flag"], bw=8)


def ranges(net: Network) -> dict[str, Range]:
    return checked(net).ranges


def test_inputs_have_their_type_and_parameters_their_values() -> None:
    frame = graph([], [tensor("a", [2], "int8"), tensor("b", [2], "")], ["a"], [parameter("p", [3, -7])])
    assert ranges(network(frame)) == {"a": (-128, 127), "b": (-32768, 32767), "p": (-7, 3)}


def test_what_nothing_is_in_is_zero() -> None:
    empty = parameter("p", np.zeros(0, np.int64))
    nodes = [node("cat", {"x0": "flag", "x1": empty}, ["out"], dim=0)]
    assert ranges(network(graph([FLAG, *nodes], [tensor("x")], parameters=[empty])))["out"] == (0, 1)


def test_a_name_has_the_values_of_all_its_writers() -> None:
    nodes = [FLAG, node("constant", {}, ["flag"], shape=(1,), value=-9)]
    assert ranges(network(graph(nodes, [tensor("x")], ["flag"])))["flag"] == (-9, 1)


def test_values_move_into_bodies_and_out_of_them() -> None:
    body = graph([node("copy", {"x": "b"}, ["c"])], [tensor("b")], ["c"])
    call = node(None, {"any": "flag"}, ["called"], {"body": body})
    other = graph([node("vvmax", {"x": "d", "y": "d"}, ["e"])], [tensor("d")], ["e"])
    chosen = node("conditional", {"condition": "x", "input_0": "called"}, ["out"], {"true": other, "false": other},
                  num_inputs=1, num_outputs=1)  # fmt: skip
    found = ranges(network(graph([FLAG, call, chosen], [tensor("x")])))
    assert {found[name] for name in ("b", "c", "called", "d", "e", "out")} == {(0, 1)}


def test_carried_values_come_back_into_the_loop() -> None:
    body = graph([node("vvadd", {"x": "c", "y": "c"}, ["d"], **ADD)], [tensor("c")], ["d", "d"])
    constants = {"n_iter": 3, "n_recurse": 1, "n_sliced": 0, "n_scope": 0, "n_concat": 0, "n_final": 1}
    lists = {"block_size_sliced": (), "reverse_sliced": (), "reverse_concat": ()}
    loop = node("loop", {"x_recurse_0": "flag"}, ["out"], {"body": body}, **constants, **lists)
    found = ranges(network(graph([FLAG, loop], [tensor("x")])))
    assert found["c"] == found["d"] == found["out"] == of_bits(16)


def test_counters_stay_below_their_number_and_defaults_come_through() -> None:
    body = graph([node("copy", {"x": "b"}, ["c"])], [tensor("b")], ["c"])
    default = parameter("seven", [7])
    inputs: dict[str, Any] = {"counter": "s", "input_0": "flag", "default_output_0": default}
    strided = node("strided_subgraph", inputs, ["out"], {"body": body}, n=5, k=0, num_inputs=1, num_outputs=1)
    found = ranges(network(graph([FLAG, strided], [tensor("x")], parameters=[default]), zeros(s=[1])))
    assert (found["s"], found["c"], found["out"]) == ((0, 4), (0, 1), (0, 7))


def test_states_that_grow_for_ever_come_to_an_end() -> None:
    """Each frame widens the next state of a ring; without whole bits there would be 2**15 steps."""
    names = [f"s{index}" for index in range(30)]
    nodes = [node("viadd", {"x": "s0"}, ["next"], **{**ADD, "bw": 32}, y=1)]
    nodes += [node("assign", {"y": name, "x": "next" if name == names[-1] else after}, [])
              for name, after in zip(names, [*names[1:], ""], strict=True)]  # fmt: skip
    net = network(graph(nodes, [tensor("x")], ["s0"]), zeros(**{name: [1] for name in names}))
    with Work() as work:
        assert ranges(net)["s0"] == of_bits(32)
    assert work.calls < 60_000


@pytest.mark.parametrize("name", [name for name, cls in OPERATORS.items() if cls.moves is not Operator.moves])
def test_operators_with_bodies_say_what_moves(name: str) -> None:
    assert OPERATORS[name].bodies


def test_no_value_ever_leaves_its_range() -> None:
    numbers = np.random.default_rng(1)
    nodes = [FLAG, node("vvsub", {"x": "s", "y": "x"}, ["t"], **ADD), node("assign", {"y": "s", "x": "t"}, [])]
    net = network(graph(nodes, [tensor("x", [3])], ["t"]), zeros(s=[3]))
    found, reference = ranges(net), Reference(net)
    for _ in range(20):
        reference.step({"x": numbers.integers(-32768, 32767, 3)})
        for key, values in reference.values.items():
            assert found[key][0] <= values.min()
            assert found[key][1] >= values.max()
