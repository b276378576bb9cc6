"""Which graphs of a main graph a streaming network consists of, and which names must differ."""

from __future__ import annotations

from collections import Counter

from femtodriver.errors import ModelError
from femtodriver.fqir.graph import Graph, Network
from femtodriver.fqir.location import frame_place, named
from femtodriver.safe_text import quote

_SPECIAL = ("QUANT", "ARITH", "INIT", "DEQUANT")
_SETTABLE = "ARITH:SET:"


def network_from_graph(main: Graph, name: str) -> Network:
    """The network whose frame graph is the subgraph ARITH and whose initial state the subgraph INIT, if any, makes.

    A main graph with nodes and none of the special subgraphs is a bare graph: its own frame graph, without state.
    Bodies of operators, which producers list among the subgraphs too, may have any name. Raises ModelError for
    special subgraphs without ARITH, for unknown ones beside ARITH, for a main graph with nothing in it, and for names
    that must differ and do not.
    """
    bodies = {id(body) for _, node in main.walk() if node.op is not None for body in node.subgraphs.values()}
    listed = {key: graph for key, graph in main.subgraphs.items() if id(graph) not in bodies}
    special = {key: graph for key, graph in listed.items() if key in _SPECIAL or key.startswith(_SETTABLE)}
    if "ARITH" in special:
        for key in listed:
            if key not in special:
                raise ModelError(f"the main graph: subgraphs must be {', '.join(_SPECIAL)}, not {quote(key)}.")
        network = Network(name, main, special["ARITH"], special.get("INIT"))
    elif special:
        found = ", ".join(quote(key) for key in special)
        raise ModelError(f"the main graph: must have a subgraph ARITH (the integer computation), not only {found}.")
    elif not main.nodes:
        raise ModelError("the main graph: must have a subgraph ARITH or nodes of its own; it is empty.")
    else:
        network = Network(name, main, main, None)
    return with_distinct_names(network)


def with_distinct_names(network: Network) -> Network:
    """The network itself. ModelError if names of inputs, outputs and states do not differ where they must."""
    fault = names_fault(network)
    if fault is not None:
        raise frame_place(network).fault(fault)
    return network


def names_fault(network: Network) -> str | None:
    """What is wrong with the names of inputs, outputs and states, as "subject must be X, not Y"; None if nothing is.

    All values live in one table of names, so that of two values of one name only one arrives.
    """
    inputs = Counter(tensor.name for tensor in network.inputs)
    twice = next((name for name, count in inputs.items() if count > 1), None)
    if twice is not None:
        return f"inputs must have different names, not {inputs[twice]} of them {named(twice)}"
    parameters = {tensor.name for tensor in network.frame.parameters}
    for name in inputs:
        if name in parameters:
            return f"input {named(name)} must have a name of its own, not that of a parameter"
    if network.main is not network.frame:
        states = set(network.state_names)
        for tensor in network.main.inputs:
            if tensor.name in states:
                return f"input {named(tensor.name)} must have a name of its own, not that of a state that INIT makes"
    return _outputs_fault(network)


def _outputs_fault(network: Network) -> str | None:
    """An output may be listed twice. Two tensors of one name are two outputs if the frame writes the name twice."""
    written = Counter(tensor.name for node in network.frame.nodes for tensor in node.outputs)
    tensors = {id(tensor): tensor.name for tensor in network.outputs}
    for name, count in Counter(tensors.values()).items():
        if count > 1 and written[name] > 1:
            return f"outputs must have different names, not {count} of them {named(name)}"
    return None
