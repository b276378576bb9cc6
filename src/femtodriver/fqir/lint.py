"""What is legal in a network but worth a look: shared names, ignored constants, incorrect shapes and types."""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.fqir.location import GraphPlace, NodePlace, frame_place, named
from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.operators.ranges import bits_of
from femtodriver.fqir.shape_inference import Flow
from femtodriver.fqir.validate import checked, graphs


def remarks(network: Network) -> tuple[str, ...]:
    """One sentence for each oddity of a valid network. ModelError if the network is not valid.

    All values live in one flat table, so two things of one name overwrite each other, silently.
    """
    flow = checked(network)
    found: list[str] = []
    origins = _origins(network)
    for name, places in origins.items():
        if len(places) > 1:
            found.append(f"value {named(name)} is shared by {len(places)} places: {'; '.join(places[:4])}.")
    for graph, place in graphs(network):
        for index, node in enumerate(graph.nodes):
            inside = NodePlace(place.network, place.graph, index, node)
            found += _ignored_constants(flow.operators[id(node)], inside)
            for tensor in node.outputs:
                shape = flow.shapes.get(tensor.name)
                if len(origins[tensor.name]) == 1 and shape is not None and shape != tensor.shape:
                    found.append(f"{inside.text}: the declared shape of {named(tensor.name)} is not {list(shape)}.")
    return (*found, *_narrow_outputs(network, flow))


def _narrow_outputs(network: Network, flow: Flow) -> Iterator[str]:
    """Types say nothing about what is computed; programs give such an output the width that it needs."""
    for tensor in network.outputs:
        bits = bits_of(flow.ranges[tensor.name])
        if tensor.bits is not None and bits > tensor.bits:
            where = f"{frame_place(network).text}: output {named(tensor.name)}"
            yield f"{where} is declared {tensor.dtype}, but its values may need {bits} bits; it gets them."


def _ignored_constants(operator: Operator, place: NodePlace) -> Iterator[str]:
    for name in place.node.constants:
        if name not in operator.constants:
            yield f"{place.text}: constant {named(name)} is not known and has no effect."


def _origins(network: Network) -> dict[str, list[str]]:
    """For every name the places that make a value of it; a state counts where INIT makes it, not where it changes."""
    found: dict[str, list[str]] = {}
    for tensor in network.inputs:
        found.setdefault(tensor.name, []).append("an input of the network")
    for graph, place in graphs(network):
        for name, what in _made(graph, place):
            found.setdefault(name, []).append(what)
    return found


def _made(graph: Graph, place: GraphPlace) -> Iterator[tuple[str, str]]:
    for tensor in graph.parameters:
        yield tensor.name, f"a parameter of {place.graph}"
    for index, node in enumerate(graph.nodes):
        for tensor in node.outputs:
            yield tensor.name, f"an output of node {index} of {place.graph}"
        inside = NodePlace(place.network, place.graph, index, node)
        for branch, body in node.subgraphs.items():
            for tensor in _bound(node, body):
                yield tensor.name, f"an input of {inside.nested(branch).graph}"


def _bound(node: Node, body: Graph) -> Iterator[Tensor]:
    """Inputs of a body, apart from those that only repeat the name of something passed to the node."""
    passed = {tensor.name for tensor in node.inputs.values()}
    return (tensor for tensor in body.inputs if tensor.name not in passed)
