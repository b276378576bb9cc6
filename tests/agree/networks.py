"""Small networks in one expression, for tests of agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from femtodriver.fqir.graph import Graph, Network, Node, Tensor

ADD = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "rounded": False}
MULTIPLY = {"shamt_bwred": 0, "bw": 16, "rounded": False}
PRODUCT = {"shamt_bwred": 0, "bw_out": 16, "rounded": False}
COPY: dict[str, Any] = {}


def tensor(name: str, size: int | tuple[int, ...] = 1, dtype: str = "int16", value: Any = None) -> Tensor:
    """A tensor; with ``value`` a parameter of its shape."""
    array = None if value is None else np.asarray(value, np.int64)
    shape = (size,) if isinstance(size, int) else size
    return Tensor(name, dtype, shape if array is None else array.shape, array)


def parameter(name: str, value: Any, dtype: str = "int16") -> Tensor:
    """A parameter."""
    return tensor(name, dtype=dtype, value=value)


def node(
    op: str | None,
    inputs: Mapping[str, Tensor | str],
    outputs: str,
    constants: Mapping[str, Any] = COPY,
    subgraphs: Mapping[str, Graph] | None = None,
) -> Node:
    """A node; names of inputs and outputs stand for tensors of any shape (only frame inputs need theirs)."""
    given = {key: tensor(item) if isinstance(item, str) else item for key, item in inputs.items()}
    made = tuple(tensor(name) for name in outputs.split())
    return Node("", op, given, made, dict(constants), dict(subgraphs or {}))


def graph(
    nodes: Sequence[Node], inputs: Sequence[Tensor | str], outputs: str, parameters: Sequence[Tensor] = ()
) -> Graph:
    """A graph."""
    given = tuple(tensor(item) if isinstance(item, str) else item for item in inputs)
    return Graph("", given, tuple(tensor(name) for name in outputs.split()), tuple(parameters), tuple(nodes))


def network(frame: Graph, **states: Sequence[int]) -> Network:
    """A network with these states and their first values."""
    initial = tuple(parameter(name, value, "int32") for name, value in states.items())
    return Network("small", frame, frame, Graph("INIT", (), (), initial, ()) if states else None)


def loop(
    times: int, carried: int = 0, sliced: int = 0, scope: int = 0, concat: int = 0, final: int = 0
) -> dict[str, Any]:
    """Constants of a loop over single elements."""
    return {
        "n_iter": times,
        "n_recurse": carried,
        "n_sliced": sliced,
        "n_scope": scope,
        "n_concat": concat,
        "n_final": final,
        "block_size_sliced": (1,) * sliced,
        "reverse_sliced": (False,) * sliced,
        "reverse_concat": (False,) * concat,
    }
