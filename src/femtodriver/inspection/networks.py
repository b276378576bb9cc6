"""Inspecting network files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from femtodriver.fqir.graph import Network, Tensor
from femtodriver.fqir.lint import remarks
from femtodriver.inspection.findings import Findings
from femtodriver.model.network_formats import NETWORK_FORMATS


def inspect_network(findings: Findings, path: Path) -> None:
    """Size, inputs, outputs, state and operators of a network; what makes it illegal, and what is odd about it."""
    network = None
    with findings.collecting():
        network = NETWORK_FORMATS[path.suffix.lower()].reader(path)
    if network is None:
        return
    _facts(findings, network)
    with findings.collecting():
        for sentence in remarks(network):
            findings.note(sentence)


def _facts(findings: Findings, network: Network) -> None:
    nodes = [node for _, node in network.frame.walk()]
    findings.sections["network"] = {
        "name": network.name,
        "nodes": len(nodes),
        "graphs": len({id(graph) for graph, _ in network.frame.walk()}),
        "parameters": network.parameter_count,
        "state_names": len(network.state_names),
        "has_init": network.init is not None,
    }
    findings.sections["inputs"] = [_tensor(tensor) for tensor in network.inputs]
    findings.sections["outputs"] = [_tensor(tensor) for tensor in network.outputs]
    counts = Counter("call" if node.op is None else node.op for node in nodes)
    findings.sections["operators"] = [{"op": op, "nodes": count} for op, count in sorted(counts.items())]


def _tensor(tensor: Tensor) -> dict[str, Any]:
    zero = {} if tensor.zero_point is None else {"zero_point": tensor.zero_point}
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape), "quanta": tensor.quanta, **zero}
