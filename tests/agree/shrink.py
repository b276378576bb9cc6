"""The smallest network that still shows a defect: nodes, outputs, inputs and parameters that do not matter go away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from femtodriver.errors import FemtoError
from femtodriver.fqir.graph import Graph, Network, Node
from femtodriver.fqir.validate import validate

Shows = Callable[[Network], bool]


def shrunk(network: Network, shows: Shows) -> Network:
    """A smaller network for which ``shows`` is still true."""
    while True:
        for smaller in _smaller_networks(network):
            if _legal(smaller) and shows(smaller):
                network = smaller
                break
        else:
            return network


def _legal(network: Network) -> bool:
    try:
        validate(network)
    except FemtoError:
        return False
    return bool(network.inputs)


def _smaller_networks(network: Network) -> Iterator[Network]:
    for frame in _smaller(network.frame, top=True):
        yield replace(network, main=frame, frame=frame)
    if network.init is not None:
        for init in _smaller(network.init, top=False):
            yield replace(network, init=init)
        yield replace(network, init=None)


def _smaller(graph: Graph, *, top: bool) -> Iterator[Graph]:
    nodes, outputs = graph.nodes, graph.outputs
    for size in (len(nodes) // 2, len(nodes) // 4, 1):
        for first in range(0, len(nodes), max(size, 1)) if size else ():
            yield replace(graph, nodes=nodes[:first] + nodes[first + size :])
    if top:
        for index in range(len(outputs)):
            if len(outputs) > 1:
                yield replace(graph, outputs=outputs[:index] + outputs[index + 1 :])
        for number, node in enumerate(nodes[:-1], start=1):  # an earlier value instead of the outputs
            for tensor in node.outputs:
                yield replace(graph, nodes=nodes[:number], outputs=(tensor,))
        for index in range(len(graph.inputs)):
            yield replace(graph, inputs=graph.inputs[:index] + graph.inputs[index + 1 :])
    for index in range(len(graph.parameters)):
        yield replace(graph, parameters=graph.parameters[:index] + graph.parameters[index + 1 :])
    for index, node in enumerate(nodes):
        for changed in _smaller_node(node):
            yield replace(graph, nodes=(*nodes[:index], *changed, *nodes[index + 1 :]))


def _smaller_node(node: Node) -> Iterator[tuple[Node, ...]]:
    """The node with smaller bodies."""
    for branch, body in node.subgraphs.items():
        for smaller in _smaller(body, top=False):
            yield (replace(node, subgraphs={**node.subgraphs, branch: smaller}),)
