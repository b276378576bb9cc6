"""The reference as callers use it: reset, step, values, and refusal of wrong inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError, UnsupportedError
from femtodriver.fqir.graph import Node
from femtodriver.fqir.reference import Reference
from tests.fqir.small_networks import graph, network, node, parameter, run, tensor, zeros


class Recorder:
    """Notes what it is told of the nodes."""

    def __init__(self) -> None:
        self.told: list[tuple[str | None, list[list[int]], int]] = []

    def node_done(self, node: Node, results: Sequence[Int64Array], clipped: int) -> None:
        """See ``NodeObserver``."""
        self.told.append((node.op, [values.tolist() for values in results], clipped))


@pytest.fixture
def reference() -> Reference:
    return summing()


def summing(observer: Recorder | None = None) -> Reference:
    """Sums two inputs of shape [2] into a state."""
    add: dict[str, Any] = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "rounded": False}
    pair = {key: tensor(key, [2]) for key in ("x", "y")}
    nodes = [
        node("vvadd", pair, ["sum"], **add),
        node("vvadd", {"x": "s", "y": "sum"}, ["total"], **add),
        node("assign", {"y": "s", "x": "total"}, []),
    ]
    return Reference(network(graph(nodes, list(pair.values()), ["s"]), zeros(s=[2])), observer)


def test_an_observer_is_told_of_the_nodes_of_a_frame_and_of_what_they_clip() -> None:
    recorder = Recorder()
    made = summing(recorder)
    assert recorder.told == []  # INIT has run
    made.step({"x": np.array([1, 30000]), "y": np.array([2, 30000])})
    assert recorder.told == [
        ("vvadd", [[3, 32767]], 1),
        ("vvadd", [[3, 32767]], 0),
        ("assign", [[3, 32767]], 0),
    ]


def test_reset_forgets_everything(reference: Reference) -> None:
    frame = {"x": np.array([1, 2]), "y": np.array([3, 4])}
    first = [reference.step(frame)["s"].tolist() for _ in range(2)]
    reference.reset()
    assert reference.values.keys() == {"s"}
    assert [reference.step(frame)["s"].tolist() for _ in range(2)] == first == [[4, 6], [8, 12]]


def test_values_hold_every_name(reference: Reference) -> None:
    reference.step({"x": np.array([1, 2]), "y": np.array([3, 4])})
    assert {name: value.tolist() for name, value in reference.values.items()} == {
        "s": [4, 6],
        "x": [1, 2],
        "y": [3, 4],
        "sum": [4, 6],
        "total": [4, 6],
    }


def test_callers_may_reuse_their_buffers() -> None:
    net = network(graph([node("assign", {"y": "s", "x": "x"}, [])], [tensor("x")], ["s", "x"]), zeros(s=[1]))
    reference, buffer = Reference(net), np.array([1])
    result = reference.step({"x": buffer})
    buffer[0] = 99
    result["s"][0] = 77
    assert reference.values["s"].tolist() == reference.values["x"].tolist() == [1]


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int64, np.uint8])
def test_inputs_of_any_integer_type_become_int64(reference: Reference, kind: Any) -> None:
    result = reference.step({"x": np.array([100, 100], kind), "y": np.array([100, 1], kind)})
    assert result["s"].tolist() == [200, 101]
    assert result["s"].dtype == np.int64


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"x": [1, 2]}, 'network "net": inputs must be "x", "y", not "x". Give exactly one array per input.'),
        (
            {"x": [1, 2], "y": [1, 2], "z": [1]},
            'network "net": inputs must be "x", "y", not "x", "y", "z". Give exactly one array per input.',
        ),
        (
            {"x": [1, 2], "y": [[1], [2, 3]]},
            'network "net": input "y" must be an array, not ragged lists. Give rows of one length.',
        ),
        (
            {"x": [1, 2], "y": np.array([1, 1 << 63], dtype=np.uint64)},
            'network "net": input "y" must hold 64-bit signed integers, not 9223372036854775808. Scale the input.',
        ),
        (
            {"x": [1, 2], "y": [1, 2, 3]},
            'network "net": input "y" must have shape [2], not [3]. Give one frame at a time.',
        ),
        (
            {"x": [1.0, 2.0], "y": [1, 2]},
            'network "net": input "x" must be of an integer type, not float64. Quantize it first.',
        ),
        (
            {"x": [True, False], "y": [1, 2]},
            'network "net": input "x" must be of an integer type, not bool. Quantize it first.',
        ),
    ],
)
def test_wrong_inputs_are_refused(reference: Reference, inputs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        reference.step(inputs)
    assert str(caught.value) == sentence
    assert reference.values.keys() == {"s"}


def test_scalars_wrap_without_a_warning() -> None:
    x = tensor("x", ())
    product = node("vvmul", {"x": x, "y": x}, ["p"], shamt_bwred=0, bw=32, rounded=False)
    reference = Reference(network(graph([product], [x], ["p"])))
    assert reference.step({"x": np.array(1 << 32)})["p"].tolist() == 0  # 2**64 wraps to 0


def test_a_network_that_cannot_run_is_refused_before_it_runs() -> None:
    with pytest.raises(UnsupportedError, match="operator squeeze must not occur"):
        Reference(network(graph([node("squeeze", {"x": "x"}, dim=0)], [tensor("x")])))


PRODUCT: dict[str, Any] = {"shamt_bwred": 0, "bw_out": 16, "rounded": False}
WEIGHT = tensor("w", [1, 1])


def product(out: str) -> Any:
    return node("matmul", {"x": "x", "y": WEIGHT}, [out], **PRODUCT)


def test_a_parameter_that_a_node_overwrites_is_not_taken_for_constant() -> None:
    overwrite = node("zeros", {}, ["w"], shape=(1, 1))
    frame = graph([product("a"), overwrite, product("b")], [tensor("x")], ["a", "b"], [parameter("w", [[5]])])
    assert run(network(frame), {"x": [3]}, {"x": [4]}) == [{"a": [15], "b": [0]}, {"a": [20], "b": [0]}]


def test_a_state_that_init_gives_a_value_is_not_taken_for_constant() -> None:
    grow = node("vvadd", {"x": WEIGHT, "y": WEIGHT}, ["d"], shamt_x=0, shamt_y=0, shamt_bwred=0, bw=16)
    nodes = [product("out"), grow, node("assign", {"y": WEIGHT, "x": "d"}, [])]
    init = graph([], outputs=[], parameters=[parameter("w", [[5]])])
    frame = graph(nodes, [tensor("x")])
    assert [result["out"] for result in run(network(frame, init), {"x": [1]}, {"x": [1]})] == [[5], [10]]


def test_two_parameters_of_one_name_are_each_loaded_in_turn() -> None:
    bodies = [graph([product(f"o{value}")], [], [f"o{value}"], [parameter("w", [[value]])]) for value in (2, 3)]
    calls = [node(None, {}, [f"y{index}"], {"body": body}) for index, body in enumerate(bodies)]
    frame = graph(calls, [tensor("x")], ["y0", "y1"])
    assert run(network(frame), {"x": [10]}) == [{"y0": [20], "y1": [30]}]
