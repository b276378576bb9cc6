"""What a graph does to names: which it reads before it writes them, which its nodes write.

All graphs share one flat table of names, so a body may carry values from one iteration, frame or branch
to the next by name alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from femtodriver.fqir.graph import Graph, Node
from femtodriver.fqir.registry import operator_class


@dataclass
class Effects:
    """``exposed``: names read before they are surely written. ``written``: names that get a value, perhaps.

    ``sure``: names that get a value whenever the graph runs (its arguments and parameters among them).
    """

    exposed: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    sure: set[str] = field(default_factory=set)


def counters(frame: Graph) -> dict[str, int]:
    """Names that operators only count up, written by nothing else, and the largest number that they count to."""
    largest: dict[str, int] = {}
    others = {tensor.name for tensor in (*frame.inputs, *frame.parameters)}
    for _, node in frame.walk():
        operator = operator_class(node)
        counted = {node.inputs[state].name: key for state, key in operator.counts.items()} if operator else {}
        for counter, key in counted.items():
            largest[counter] = max(node.constants[key], largest.get(counter, 0))
        for body in node.subgraphs.values():
            others.update(tensor.name for tensor in (*body.inputs, *body.parameters))
        others.update(tensor.name for tensor in node.outputs)
        others.update(_written(node) - set(counted))
    return {name: most for name, most in largest.items() if name not in others}


def bound(node: Node, body: Graph) -> int:
    """How many inputs of its body the node gives values to; a plain call may leave out the last ones."""
    return len(body.inputs) if node.op is not None else len(node.inputs)


def effects(graph: Graph, arguments: int) -> Effects:
    """Effects of running ``graph`` with its first ``arguments`` inputs bound."""
    given = {tensor.name for tensor in (*graph.inputs[:arguments], *graph.parameters)}
    found = Effects(written=set(given), sure=given)
    for node in graph.nodes:
        _node(node, found)
    found.exposed |= {tensor.name for tensor in graph.outputs} - found.sure
    return found


def _node(node: Node, found: Effects) -> None:
    found.exposed |= {tensor.name for tensor in node.inputs.values()} - found.sure
    for body in node.subgraphs.values():
        inner = effects(body, bound(node, body))
        found.exposed |= inner.exposed - found.sure
        found.written |= inner.written
    written = _written(node)
    found.written |= written
    found.sure |= written


def _written(node: Node) -> set[str]:
    """Names that the node itself writes: its outputs and the states that it updates."""
    operator = operator_class(node)
    return set(operator.written(node)) if operator else {tensor.name for tensor in node.outputs}
