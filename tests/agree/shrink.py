"""The smallest network that still shows a defect: nodes, outputs, inputs and parameters that do not matter go away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from femtodriver.errors import FemtoError
from femtodriver.fqir.graph import Graph, Network, Node
from femtodriver.fqir.validate import validate

Shows = Callable[[Network], bool]


def shrunk(network: Network, shows: Shows) -> Network:
    """A smaller legal network for which ``shows`` is still true."""
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
    for frame in (*_smaller_frames(network.frame), *_smaller(network.frame)):
        yield replace(network, main=frame, frame=frame)
    if network.init is not None:
        for init in _smaller(network.init):
            yield replace(network, init=init)
        yield replace(network, init=None)


def _smaller_frames(frame: Graph) -> Iterator[Graph]:
    """With fewer outputs, with an earlier value instead of the outputs, with fewer inputs."""
    if len(frame.outputs) > 1:
        for index in range(len(frame.outputs)):
            yield replace(frame, outputs=frame.outputs[:index] + frame.outputs[index + 1 :])
    for number, node in enumerate(frame.nodes[:-1], start=1):
        for tensor in node.outputs:
            yield replace(frame, nodes=frame.nodes[:number], outputs=(tensor,))
    for index in range(len(frame.inputs)):
        yield replace(frame, inputs=frame.inputs[:index] + frame.inputs[index + 1 :])


def _smaller(graph: Graph) -> Iterator[Graph]:
    """With fewer nodes, fewer parameters, smaller bodies."""
    nodes = graph.nodes
    for size in sorted({len(nodes) // 2, len(nodes) // 4, 1} - {0}, reverse=True):
        for first in range(0, len(nodes), size):
            yield replace(graph, nodes=nodes[:first] + nodes[first + size :])
    for index in range(len(graph.parameters)):
        yield replace(graph, parameters=graph.parameters[:index] + graph.parameters[index + 1 :])
    for index, node in enumerate(nodes):
        for changed in _smaller_nodes(node):
            yield replace(graph, nodes=(*nodes[:index], changed, *nodes[index + 1 :]))


def _smaller_nodes(node: Node) -> Iterator[Node]:
    for branch, body in node.subgraphs.items():
        for smaller in _smaller(body):
            yield replace(node, subgraphs={**node.subgraphs, branch: smaller})
