"""Which graphs of a main graph a streaming network consists of (spec/fqir.md B.1)."""

from __future__ import annotations

from femtodriver.errors import ModelError
from femtodriver.fqir.graph import Graph, Network
from femtodriver.safe_text import quote

_SPECIAL = ("QUANT", "ARITH", "INIT", "DEQUANT")
_SETTABLE = "ARITH:SET:"


def network_from_graph(main: Graph, name: str) -> Network:
    """The network whose frame graph is the subgraph ARITH and whose initial state the subgraph INIT, if any, makes.

    A main graph with nodes and no subgraphs at all is a bare graph: its own frame graph, without state.
    Raises ModelError for a main graph without ARITH, with unknown subgraphs, or with nothing in it.
    """
    for key in main.subgraphs:
        if key not in _SPECIAL and not key.startswith(_SETTABLE):
            raise ModelError(f"the main graph: subgraphs must be {', '.join(_SPECIAL)}, not {quote(key)}.")
    if "ARITH" in main.subgraphs:
        return Network(name, main, main.subgraphs["ARITH"], main.subgraphs.get("INIT"))
    if main.subgraphs:
        found = ", ".join(quote(key) for key in main.subgraphs)
        raise ModelError(f"the main graph: must have a subgraph ARITH (the integer computation), not only {found}.")
    if not main.nodes:
        raise ModelError("the main graph: must have a subgraph ARITH or nodes of its own; it is empty.")
    return Network(name, main, main, None)
