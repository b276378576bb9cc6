"""Write a traced network so that the file is the same wherever it was made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import torch


def save_graph(graph: Any, path: Path) -> None:
    """Write the graph (fmot's ``GraphProto``); source files are named without the folders of this machine."""
    for node in nodes_of(graph):
        if node.sourceref:
            node.sourceref = re.sub(r'(?<=File ")[^"]+', _short, node.sourceref)
    torch.save(graph, path)
    print(f"wrote {path}")


def nodes_of(graph: Any) -> Iterator[Any]:
    """Its nodes, and those of the graphs inside them."""
    for node in graph.nodes:
        yield node
        if node.subgraph is not None:
            yield from nodes_of(node.subgraph)


def _short(file: re.Match[str]) -> str:
    """fmot/nn/... for files of fmot, and the bare name for others."""
    parts = PurePath(file[0]).parts
    return "/".join(parts[parts.index("fmot") :]) if "fmot" in parts else parts[-1]
