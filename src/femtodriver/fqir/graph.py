"""What a network is: frozen records of graphs, nodes and tensors.

These are our own records, never the producer's classes. ``files.load_network`` makes them from
bytes, ``files.from_graphproto`` from objects in memory; nothing here executes or compiles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.notebook_html import html_facts
from femtodriver.safe_text import plain_name

_INT_NAME = re.compile(r"(?:fq)?int(\d+)")


@dataclass(frozen=True, eq=False)
class Tensor:
    """A named value. Identity at run time is the name, not the object.

    ``dtype`` is the producer's text ("fqint16", "int8", "float", or "" when unknown); ``shape`` is
    per frame, without batch and time; ``value`` is a read-only int64 array for parameters, else None.
    An integer v stands for the real number (v - ``zero_point``) * 2**``quanta``, as far as they are known. A tensor
    with a zero point, be it 0, takes the integer nearest to a real number, as TFLite does; any other rounds down.
    ``other_names`` are those by which users may know an input or output, too.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    value: Int64Array | None = None
    quanta: float | None = None
    is_bool: bool = False
    zero_point: int | None = None
    other_names: tuple[str, ...] = ()

    @property
    def bits(self) -> int | None:
        """Declared width in bits of an integer tensor; None for reals and unknown types."""
        found = _INT_NAME.fullmatch(self.dtype)
        return int(found.group(1)) if found else None

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Table:
    """A look-up table: ``values[i]`` belongs to address ``addresses[i]``; read-only int64 arrays."""

    name: str
    addresses: Int64Array
    values: Int64Array


@dataclass(frozen=True, eq=False)
class Node:
    """One operator application, or (``op`` None) a plain call of the subgraph ``body``.

    ``inputs`` keeps the producer's order; ``constants`` holds int, bool, str, None, tuples of those,
    ``Table`` or read-only int64 arrays. ``line``: where in the user's source it was traced, ``file.py:433``; "" if
    nobody says.
    """

    name: str
    op: str | None
    inputs: Mapping[str, Tensor]
    outputs: tuple[Tensor, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    subgraphs: Mapping[str, Graph] = field(default_factory=dict)
    line: str = ""

    @property
    def source(self) -> str:
        """The value that stands for its layer: its first output or, if it has none, its first input."""
        values = (*self.outputs, *self.inputs.values())
        return values[0].name if values else self.name


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in execution order with positional inputs and outputs."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parameters: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    subgraphs: Mapping[str, Graph] = field(default_factory=dict)
    unbind_dim: int | None = None

    def __repr__(self) -> str:
        return f"<Graph {plain_name(self.name, 60)}: {len(self.nodes):,} nodes>"

    def walk(self) -> Iterator[tuple[Graph, Node]]:
        """Every node of this graph and of the graphs nested in its nodes, depth first."""
        for node in self.nodes:
            yield self, node
            for nested in node.subgraphs.values():
                yield from nested.walk()


@dataclass(frozen=True, eq=False)
class Network:
    """The streaming network inside a main graph: INIT once, then the frame graph once per frame."""

    name: str
    main: Graph
    frame: Graph
    init: Graph | None

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names that hold a value before the first frame (defined by INIT), in INIT order."""
        if self.init is None:
            return ()
        names = [tensor.name for tensor in self.init.parameters]
        names += [out.name for node in self.init.nodes for out in node.outputs]
        return tuple(dict.fromkeys(names))

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """External inputs: frame inputs that INIT does not define."""
        state = set(self.state_names)
        return tuple(tensor for tensor in self.frame.inputs if tensor.name not in state)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Outputs of one frame."""
        return self.frame.outputs

    @property
    def node_count(self) -> int:
        """Nodes of the frame graph and of those nested in it."""
        return sum(1 for _ in self.frame.walk())

    @property
    def parameter_count(self) -> int:
        """Elements of the parameters of the frame graph and of those nested in it, each once."""
        graphs = [self.frame, *(nested for _, node in self.frame.walk() for nested in node.subgraphs.values())]
        return sum({tensor.name: tensor.size for graph in graphs for tensor in graph.parameters}.values())

    def __repr__(self) -> str:
        sizes = f"{self.node_count:,} nodes, {self.parameter_count:,} parameters"
        return f"<Network {plain_name(self.name, 60)}: {sizes}; {_ports(self.inputs)} to {_ports(self.outputs)}>"

    def _repr_html_(self) -> str:
        operators = Counter(node.op or "call" for _, node in self.frame.walk())
        facts = {
            "nodes": f"{self.node_count:,}",
            "parameters": f"{self.parameter_count:,}",
            "inputs": _ports(self.inputs),
            "outputs": _ports(self.outputs),
            "states": len(self.state_names),
            "operators": ", ".join(f"{count} {name}" for name, count in sorted(operators.items(), key=_most_first)),
        }
        return html_facts(f"Network {plain_name(self.name, 60)}", facts)


def _most_first(entry: tuple[str, int]) -> tuple[int, str]:
    return -entry[1], entry[0]


def _ports(tensors: Sequence[Tensor]) -> str:
    """Names, sizes and widths of inputs or outputs."""
    told = [f"{plain_name(one.name, 40)} ({one.size} x {one.bits or '?'} bits)" for one in tensors]
    return ", ".join(told) or "nothing"
