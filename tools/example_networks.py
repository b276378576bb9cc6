"""An operator's example as a network of its own: what docs/operators.md measures and tests run."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.fqir.operators.constant_kinds import REQUIRED
from femtodriver.fqir.operators.control_flow import Call
from femtodriver.fqir.operators.example import Example
from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.validate import checked

TYPE = "fqint16"


def example_network(operator: type[Operator], example: Example) -> Network:
    """The network whose frame is a node like the example; its nodes before the last one prepare booleans.

    ModelError if the example breaks a rule of its operator.
    """
    names = ["out"] if example.outputs == 1 else [f"out{index}" for index in range(example.outputs)]
    flow = checked(_network(operator, example, dict.fromkeys(names, ())))
    return _network(operator, example, {name: flow.shapes[name] for name in names})


def example_constants(operator: type[Operator], example: Example) -> dict[str, Any]:
    """The constants of an example's node: its own, and typical ones."""
    typical = {name: kind.typical for name, kind in operator.constants.items() if kind.typical is not REQUIRED}
    return typical | dict(example.constants)


def example_weights(shape: tuple[int, ...], bits: int) -> Int64Array:
    """Weights of so many bits, all over their range, none of them zero."""
    numbers = np.arange(prod(shape), dtype=np.int64)
    sizes = 1 + numbers * 7919 % ((1 << (bits - 1)) - 1)
    return np.asarray(np.where(numbers * 31 % 7 < 3, -sizes, sizes).reshape(shape), np.int64)


def _network(operator: type[Operator], example: Example, outputs: dict[str, tuple[int, ...]]) -> Network:
    tensors = {name: _tensor(name, shape, example) for name, shape in example.shapes.items()}
    results = tuple(Tensor(name, example.types.get("out", TYPE), shape) for name, shape in outputs.items())
    op = None if operator is Call else operator.name
    nodes = [Node("", op, tensors, results, example_constants(operator, example), example.bodies)]
    states = [tensors[name] for name in operator.updates if name in tensors]
    given = [tensor for tensor in tensors.values() if tensor not in states and tensor.value is None]
    for name in operator.booleans:
        at = given.index(tensors[name])
        given[at] = replace(tensors[name], name=f"{name} before")
        nodes.insert(0, Node("", "gt0", {"x": given[at]}, (tensors[name],)))
    clock = () if given else (Tensor("clock", TYPE, (1,)),)  # a frame starts with an input
    shown = results
    if not results:  # what the states held before the node, so that somebody reads them
        shown = tuple(replace(tensor, name=f"old {tensor.name}") for tensor in states)
        nodes = [*(Node("", "copy", {"x": t}, (old,)) for t, old in zip(states, shown, strict=True)), *nodes]
    parameters = tuple(tensor for tensor in tensors.values() if tensor.value is not None)
    frame = Graph("ARITH", (*given, *clock), shown, parameters, tuple(nodes))
    initial = tuple(replace(tensor, value=np.zeros(tensor.shape, np.int64)) for tensor in states)
    init = Graph("INIT", (), (), initial, ()) if states else None
    return Network(operator.name, frame, frame, init)


def _tensor(name: str, shape: tuple[int, ...], example: Example) -> Tensor:
    bits = example.weights.get(name)
    value = None if bits is None else example_weights(shape, bits)
    return Tensor(name, example.types.get(name, TYPE), shape, value)
