"""Validation of whole networks: operators, names, parameters, shapes over time, memory and work; remarks."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.errors import UnsupportedError
from femtodriver.fqir.graph import Network, Tensor
from femtodriver.fqir.registry import OPERATORS
from femtodriver.fqir.validate import validate
from tests.fqir.small_networks import graph, network, node, parameter, tensor
from tests.fqir.valid_nodes import AGAIN, fault, with_parameter

# ---- operators that cannot be executed, and unknown ones ------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        ("pwlin", "it is a function that fmot has not lowered to tables yet"),
        ("squeeze", "it has no meaning for one frame at a time"),
        ("lstm", "it is a whole layer that fmot no longer makes"),
        ("print", "it holds a function of the model's author, and has no value"),
        ("fqir_writer_kernel", "it is a kernel that fmot has not inlined yet"),
        ("temporal_unfold_unkernelized", "it is an unfold that fmot has not given a buffer yet"),
        ("temporal_transpose_fold_unkernelized", "it is a transposed fold, for which fmot has no lowering"),
        ("dequantize", "it makes real numbers, which belong to DEQUANT"),
    ],
)
def test_operators_that_cannot_be_executed(op: str, reason: str) -> None:
    net = network(graph([node(op, {"x": "x"})], [tensor("x")]))
    with pytest.raises(UnsupportedError) as caught:
        validate(net)
    assert str(caught.value) == (
        f'network "net", graph ARITH, node 0 ("out", operator {op}): operator {op} must not occur in a graph to'
        f" execute: {reason}. Run the model through fmot's lowering passes, or replace this layer."
    )


@pytest.mark.parametrize(
    ("op", "advice"),
    [
        ("vvad", "Did you mean vvand or vvadd?"),
        ("MATMUL", "Did you mean matmul?"),
        ("wobble", "It may come from a newer fmot; export with 3.21.7."),
    ],
)
def test_unknown_operators(op: str, advice: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        validate(network(graph([node(op, {"x": "x"})], [tensor("x")])))
    assert str(caught.value) == (
        f'network "net", graph ARITH, node 0 ("out", operator {op}): operator must be one of the {len(OPERATORS)} known'
        f' ones, not "{op}". {advice}'
    )


# ---- names and values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (with_parameter([127, 128]), 'parameter "w" must be from -128 to 127 (int8), not 128.'),
        (with_parameter([-9], "fqint4"), 'parameter "w" must be from -8 to 7 (fqint4), not -9.'),
        (
            with_parameter([1 << 31], ""),
            'parameter "w" must be from -2147483648 to 2147483647 (no type), not 2147483648.',
        ),
        (with_parameter([1, 2], shape=[3]), 'parameter "w" must have its declared shape [3], not [2].'),
        (with_parameter([1], "fqint16_fp"), 'type of "w" must be an integer type, not "fqint16_fp".'),
        (with_parameter([1], "int64"), 'type of "w" must have 1 to 32 bits, not 64.'),
        (with_parameter([1], "int0"), 'type of "w" must have 1 to 32 bits, not 0.'),
        (
            network(graph([], parameters=[Tensor("w", "int8", (1,), np.array([0.5]))], outputs=["w"])),
            'parameter "w" must be an array of integers, not of float64.',
        ),
        (
            network(graph([], parameters=[tensor("w")], outputs=["w"])),
            'parameter "w" must have a value, not none.',
        ),
        (
            network(graph([], [tensor("x" * 2000)], ["x" * 2000])),
            f'name "{"x" * 60}"... (2000 characters) must have at most 1000 characters, not 2000.',
        ),
        (
            network(graph([], [tensor("x", [1] * 9)], ["x"])),
            'shape of "x" must be at most 8 sizes of 0 or more, not a tuple of 9.',
        ),
        (
            network(graph([], [tensor("x", dtype="float")], ["x"])),
            'type of "x" must be an integer type, not "float".',
        ),
    ],
)
def test_tensors(net: Network, sentence: str) -> None:
    assert fault(net) == f'network "net", graph ARITH: {sentence}{AGAIN}'


def test_parameters_may_fill_their_width_or_have_no_declared_width() -> None:
    validate(with_parameter([-128, 127]))
    validate(with_parameter([-(1 << 31), (1 << 31) - 1], ""))
    validate(with_parameter([], "int8"))


def test_parameters_of_init_and_of_bodies_are_checked() -> None:
    wrong = graph([], parameters=[parameter("s", [300], "int8")], outputs=[])
    frame = graph([node("relu", {"x": "s"})])
    assert 'graph INIT: parameter "s" must be from -128 to 127 (int8), not 300.' in fault(network(frame, wrong))
    call = node(None, {}, [], {"body": wrong})
    assert 'graph ARITH/0:call.body: parameter "s" must be' in fault(network(graph([call], [tensor("x")], ["x"])))


def test_long_names_inside_nodes() -> None:
    net = network(graph([node("relu", {"x": "x"}, ["y" * 1001])], [tensor("x")], ["x"]))
    assert "must have at most 1000 characters, not 1001." in fault(net)


@pytest.mark.parametrize("name", ["a/../b", "\u202egnp.exe", "a\nb", "a\x00b", "x" * 900])
def test_strange_names_run_but_never_reach_a_message_raw(name: str) -> None:
    validate(network(graph([node("relu", {"x": "x"}, [name])], [tensor("x")], [name])))
    message = fault(network(graph([node("relu", {"x": name}, [name])], [tensor("x")], [name])))
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 500


# ---- shapes from frame to frame, memory, work ----------------------------------------------------------------


# ---- legal, but worth a remark ---------------------------------------------------------------------------------
