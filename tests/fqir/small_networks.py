"""Small networks made by hand: tensors, nodes, graphs, and one operator applied to arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.fqir.reference import Reference

Values = Sequence[int]


def tensor(name: str, shape: Sequence[int] = (1,), dtype: str = "int16", value: Any = None) -> Tensor:
    array = None if value is None else np.asarray(value, dtype=np.int64)
    return Tensor(name, dtype, tuple(shape) if array is None else array.shape, array)


def parameter(name: str, value: Any, dtype: str = "int16") -> Tensor:
    return tensor(name, dtype=dtype, value=value)


def node(
    op: str | None,
    inputs: Mapping[str, Tensor | str],
    outputs: Sequence[str] = ("out",),
    subgraphs: Mapping[str, Graph] | None = None,
    **constants: Any,
) -> Node:
    given = {key: tensor(item) if isinstance(item, str) else item for key, item in inputs.items()}
    return Node("", op, given, tuple(tensor(name) for name in outputs), constants, subgraphs or {})


def graph(
    nodes: Sequence[Node],
    inputs: Sequence[Tensor] = (),
    outputs: Sequence[str] = ("out",),
    parameters: Sequence[Tensor] = (),
    name: str = "ARITH",
) -> Graph:
    return Graph(name, tuple(inputs), tuple(map(tensor, outputs)), tuple(parameters), tuple(nodes))


def zeros(**shapes: Sequence[int]) -> Graph:
    """An INIT graph."""
    return graph([node("zeros", {}, [name], shape=tuple(shape)) for name, shape in shapes.items()], outputs=())


def network(frame: Graph, init: Graph | None = None) -> Network:
    return Network("net", frame, frame, init)


def applied(
    op: str,
    arrays: Mapping[str, Any],
    outputs: int = 1,
    parameters: Sequence[str] = (),
    dtypes: Mapping[str, str] | None = None,
    **constants: Any,
) -> list[Any]:
    """Outputs (as nested lists) of one operator; arrays named in ``parameters`` are parameters, others inputs.

    ``dtypes`` has declared types of inputs and of outputs ("out0", ...).
    """
    values = {name: np.asarray(array, dtype=np.int64) for name, array in arrays.items()}
    kinds = {name: (dtypes or {}).get(name, "int32") for name in values}
    tensors = {
        name: tensor(name, array.shape, kinds[name], array if name in parameters else None)
        for name, array in values.items()
    }
    names = [f"out{index}" for index in range(outputs)]
    made = tuple(tensor(name, dtype=(dtypes or {}).get(name, "int16")) for name in names)
    frame = graph(
        [replace(node(op, tensors, (), {}, **constants), outputs=made)],
        [item for name, item in tensors.items() if name not in parameters],
        names,
        [tensors[name] for name in parameters],
    )
    reference = Reference(network(frame))
    results = reference.step({name: array for name, array in values.items() if name not in parameters})
    return [results[name].tolist() for name in names]


def run(net: Network, *frames: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Outputs (as nested lists) of each frame, from reset."""
    reference = Reference(net)
    results = [reference.step({name: np.asarray(item) for name, item in frame.items()}) for frame in frames]
    return [{name: array.tolist() for name, array in result.items()} for result in results]


def run_once(reference: Reference) -> None:
    """One frame of numbers from -300 to 299."""
    numbers = np.random.default_rng(0)
    reference.step({item.name: numbers.integers(-300, 300, item.shape) for item in reference.network.inputs})
