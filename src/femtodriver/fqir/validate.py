"""Whether a network has a meaning, and a harmless one: all rules that loading cannot check.

Four parts: names and parameters of every graph (here), each node's operator with its constants and rules
(``operators``), what happens to names, shapes, memory and work when it runs (``shape_inference``), and which values
the names can hold (``value_ranges``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from femtodriver import fixed
from femtodriver.fqir.graph import Graph, Network, Tensor
from femtodriver.fqir.graph_roles import names_fault
from femtodriver.fqir.location import GraphPlace, NodePlace, frame_place, named, shown
from femtodriver.fqir.shape_inference import MAX_NESTING, MAX_NODES, SMALLER, Flow
from femtodriver.fqir.value_ranges import value_ranges

MAX_NAME = 1000
MAX_RANK = 8
WIDEST = 32


def validate(network: Network) -> None:
    """Check every rule. ModelError names the graph, node and operator of the first fault.

    UnsupportedError if an operator is unknown or cannot be executed.
    """
    checked(network)


def checked(network: Network) -> Flow:
    """``validate``, giving what was learned: shapes of all names, and the bound operators."""
    frame, init = frame_place(network), GraphPlace(network.name, "INIT")
    for graph, place in graphs(network):
        _check_graph(graph, place)
    fault = names_fault(network)
    if fault is not None:
        raise frame.fault(fault)
    if not network.frame.outputs:
        raise frame.fault("the graph must have at least one output, not none")
    flow = Flow()
    flow.frames(network, init, frame)
    flow.ranges = value_ranges(network, (graph for graph, _ in graphs(network)), flow.operators)
    for operator in flow.operators.values():
        given = {argument: operator.node.inputs[argument].name for argument in operator.arguments}
        operator.check_values({argument: flow.ranges[name] for argument, name in given.items()})
    return flow


def graphs(network: Network) -> Iterator[tuple[Graph, GraphPlace]]:
    """The frame graph, INIT and all graphs nested in their nodes, each once, however often it is used.

    Without recursion, since the file chooses the depth. ModelError beyond the limits of depth and number of nodes.
    """
    waiting = [(network.init, GraphPlace(network.name, "INIT"), 0)] if network.init is not None else []
    waiting.append((network.frame, frame_place(network), 0))
    seen: set[int] = set()
    nodes = 0
    while waiting:
        graph, place, depth = waiting.pop()
        if id(graph) in seen:
            continue
        seen.add(id(graph))
        nodes += len(graph.nodes)
        if nodes > MAX_NODES:
            raise place.fault(f"the network must have at most {MAX_NODES} nodes, not {nodes}", SMALLER)
        if depth > MAX_NESTING:
            raise place.fault(f"bodies must be nested at most {MAX_NESTING} deep, not deeper", SMALLER)
        yield graph, place
        for index, node in enumerate(graph.nodes):
            inside = NodePlace(place.network, place.graph, index, node)
            waiting += [(nested, inside.nested(branch), depth + 1) for branch, nested in node.subgraphs.items()]


def _check_graph(graph: Graph, place: GraphPlace) -> None:
    for tensor in (*graph.inputs, *graph.outputs):
        _check_tensor(tensor, place)
    for tensor in graph.parameters:
        _check_tensor(tensor, place)
        _check_parameter(tensor, place)
    for index, node in enumerate(graph.nodes):
        for tensor in (*node.inputs.values(), *node.outputs):
            if len(tensor.name) > MAX_NAME:
                _check_tensor(tensor, NodePlace(place.network, place.graph, index, node))


def _check_tensor(tensor: Tensor, place: GraphPlace) -> None:
    name = named(tensor.name)
    if len(tensor.name) > MAX_NAME:
        raise place.fault(f"name {name} must have at most {MAX_NAME} characters, not {len(tensor.name)}")
    if len(tensor.shape) > MAX_RANK or min(tensor.shape, default=0) < 0:
        raise place.fault(
            f"shape of {name} must be at most {MAX_RANK} sizes of 0 or more, not {shown(tuple(tensor.shape))}"
        )
    if tensor.dtype and tensor.bits is None:
        raise place.fault(f"type of {name} must be an integer type, not {named(tensor.dtype)}")
    if tensor.bits is not None and not 1 <= tensor.bits <= WIDEST:
        raise place.fault(f"type of {name} must have 1 to {WIDEST} bits, not {shown(tensor.bits)}")


def _check_parameter(tensor: Tensor, place: GraphPlace) -> None:
    """Parameters hold integer arrays of their declared shape, inside their declared width; that of 32 bits without."""
    name, value = named(tensor.name), tensor.value
    if value is None:
        raise place.fault(f"parameter {name} must have a value, not none")
    if value.dtype.kind not in "iu":
        raise place.fault(f"parameter {name} must be an array of integers, not of {value.dtype}")
    if value.shape != tensor.shape:
        raise place.fault(
            f"parameter {name} must have its declared shape {list(tensor.shape)}, not {list(value.shape)}"
        )
    if value.size == 0:
        return
    low, high = fixed.limits(tensor.bits or WIDEST)
    smallest, largest = int(np.min(value)), int(np.max(value))
    if smallest < low or largest > high:
        worst = smallest if smallest < low else largest
        raise place.fault(f"parameter {name} must be from {low} to {high} ({tensor.dtype or 'no type'}), not {worst}")
