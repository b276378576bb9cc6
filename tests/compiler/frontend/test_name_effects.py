"""What graphs do to names: the compiler's table of updated inputs is that of the operators."""

from __future__ import annotations

import pytest

from femtodriver.compiler.frontend.name_effects import effects
from femtodriver.fqir.graph import Graph, Node, Tensor
from femtodriver.fqir.registry import OPERATORS
from tests.compiler.compiler_nets import Net


def tensors(*names: str) -> tuple[Tensor, ...]:
    return tuple(Tensor(name, "int16", (4,)) for name in names)


def graph(*nodes: Node, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = ()) -> Graph:
    return Graph("g", tensors(*inputs), tensors(*outputs), (), nodes)


@pytest.mark.parametrize("op", OPERATORS)
def test_states_that_operators_write(op: str) -> None:
    operator = OPERATORS[op]
    stems = [pattern.rstrip("?#") for pattern in operator.inputs]
    given = dict(zip(stems, tensors(*(f"the {stem}" for stem in stems)), strict=True))
    node = Node("", op, given, tensors("out"))
    assert effects(graph(node), 0).written == {"out", *(f"the {stem}" for stem in operator.updates)}


def test_names_read_before_they_are_written() -> None:
    a, b, c = tensors("a", "b", "c")
    nodes = [Node("", "copy", {"x": a}, (b,)), Node("", "vvadd", {"x": b, "y": c}, (c,))]
    found = effects(graph(*nodes, inputs=("a",), outputs=("d",)), 1)
    assert found.exposed == {"c", "d"}
    assert found.written >= {"b", "c"}
    assert effects(graph(*nodes, inputs=("a",)), 0).exposed == {"a", "c"}, "an argument that is not given"


def test_what_a_body_may_write_is_not_surely_written() -> None:
    inner = Net("inner")
    inner.output(inner.op("relu", {"x": Tensor("x", "int16", (4,))}, 4))
    body = inner.graph()
    (made,) = body.outputs
    (x,) = tensors("x")
    choice = Node("", "conditional", {"condition": x}, tensors("y"), {}, {"true": body, "false": body})
    after = Node("", "copy", {"x": made}, tensors("z"))
    found = effects(graph(choice, after, inputs=("x",)), 1)
    assert made.name in found.written
    assert made.name in found.exposed
