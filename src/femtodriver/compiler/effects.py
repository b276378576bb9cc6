"""What a graph does to names: which it reads before it writes them, which its nodes write.

All graphs share one flat table of names (fqir.md B.3), so a body may carry values from one iteration, frame or branch
to the next by name alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from femtodriver.fqir.graph import Graph, Node


@dataclass
class Effects:
    """``exposed``: names read before they are surely written. ``written``: names that nodes write, perhaps."""

    exposed: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)


# Inputs that an operator writes; the reference declares the same in ``Operator.updates``.
_UPDATES = {
    "assign": ("y",),
    "temporal_unfold": ("buffer",),
    "temporal_conv2d": ("buffer",),
    "strided_subgraph": ("counter",),
}


def effects(graph: Graph, arguments: int) -> Effects:
    """Effects of running ``graph`` with its first ``arguments`` inputs bound."""
    found = Effects()
    sure = {tensor.name for tensor in (*graph.inputs[:arguments], *graph.parameters)}
    for node in graph.nodes:
        _node(node, found, sure)
    found.exposed |= {tensor.name for tensor in graph.outputs} - sure
    return found


def _node(node: Node, found: Effects, sure: set[str]) -> None:
    found.exposed |= {tensor.name for tensor in node.inputs.values()} - sure
    for body in node.subgraphs.values():
        inner = effects(body, len(body.inputs) if node.inputs else 0)
        found.exposed |= inner.exposed - sure
        found.written |= inner.written
    updated = [node.inputs[name].name for name in _UPDATES.get(node.op or "", ()) if name in node.inputs]
    outputs = [tensor.name for tensor in node.outputs]
    found.written.update(outputs, updated)
    sure.update(outputs, updated)
