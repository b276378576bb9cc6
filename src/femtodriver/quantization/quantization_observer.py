"""Watches the reference while it runs, and keeps a few numbers of each value: memory does not grow with the frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.fqir.operators.ranges import BOOLEAN, Range, bits_of, of_bits
from femtodriver.fqir.registry import operator_class
from femtodriver.fqir.value_ranges import INPUT_BITS
from femtodriver.quantization.float_values import FloatValues
from femtodriver.quantization.value_use import ValueUse

INPUT, CALL = "input", "call"


@dataclass(frozen=True)
class WatchedValue:
    """A value of the network: its name there, the operator that makes it, and what has become of it.

    ``layer``: the value that stands for the whole layer, as ``source`` of ``DescribedLayer`` does. ``quanta``: an
    integer v stands for v * 2**quanta; None where nobody says. ``nested``: it is made in a loop or a condition, so that
    it may occur several times in a frame, or never. ``boolean``: whether 0 and 1 are all that it can ever be.
    """

    name: str
    op: str
    layer: str
    quanta: float | None
    nested: bool
    boolean: bool
    use: ValueUse


class QuantizationObserver:
    """Told of every node of a frame (``fqir.reference.NodeObserver``), and of the frames.

    ``ranges``: what each name can hold (``Reference.ranges``), for values without a declared width.
    """

    def __init__(self, network: Network, ranges: Mapping[str, Range]) -> None:
        self.frames = 0
        self._ranges = ranges
        self._sizes: dict[str, int] = {}
        self._inputs = {tensor.name: self._watched(tensor, INPUT, nested=False) for tensor in network.inputs}
        self._of_node: dict[int, list[WatchedValue]] = {}
        self._ordered: list[WatchedValue] = list(self._inputs.values())
        self._float: FloatValues | None = None
        self._last: dict[str, tuple[WatchedValue, Int64Array]] = {}
        self._add_graph(network.frame, nested=False)

    @property
    def values(self) -> tuple[WatchedValue, ...]:
        """Inputs, then what the nodes write, in the order in which they run; those of bodies after their node."""
        return tuple(self._ordered)

    def compare_with(self, path: AnyPath, labels: Mapping[str, str]) -> FloatValues:
        """Compare with the values of a float model from now on; ``labels``: other names of values.

        The caller closes what it gets. UsageError and InputError as of ``FloatValues``, and for values that cannot be
        compared: those of loops and conditions, and those without quanta.
        """
        flat = {value.name: value for value in self._ordered if not value.nested}
        sizes = {name: self._sizes[name] for name in flat}
        opened = FloatValues(path, sizes, {label: name for label, name in labels.items() if name in flat})
        for name in opened.names:
            if flat[name].quanta is None:
                opened.close()
                raise UsageError(f"float_values: value {name!r:.60} must have quanta in the network to be compared.")
        self._float = opened
        return opened

    def begin_frame(self, inputs: Mapping[str, Int64Array]) -> None:
        """A frame begins with these inputs."""
        self._last.clear()
        for name, values in inputs.items():
            self._take(self._inputs[name], values, 0)

    def node_done(self, node: Node, results: Sequence[Int64Array], clipped: int) -> None:
        """See ``fqir.reference.NodeObserver``."""
        for place, (watched, values) in enumerate(zip(self._of_node[id(node)], results, strict=True)):
            self._take(watched, np.asarray(values), 0 if place else clipped)

    def end_frame(self) -> None:
        """The frame has ended. InputError where the float model has no more frames."""
        if self._float is not None:
            for name in self._float.names:
                watched, values = self._last[name]
                watched.use.compare(values, watched.quanta or 0.0, self._float.frame(name, self.frames))
        self.frames += 1

    def _take(self, watched: WatchedValue, values: Int64Array, clipped: int) -> None:
        watched.use.add(values, clipped)
        if self._float is not None and watched.name in self._float.names:
            self._last[watched.name] = (watched, values)

    def _add_graph(self, graph: Graph, *, nested: bool) -> None:
        for node in graph.nodes:
            if id(node) not in self._of_node:
                self._of_node[id(node)] = list(self._node_values(node, nested=nested))
                self._ordered += self._of_node[id(node)]
                for body in node.subgraphs.values():
                    self._add_graph(body, nested=True)

    def _node_values(self, node: Node, *, nested: bool) -> Iterator[WatchedValue]:
        """What a node writes, in the order of ``Operator.results``."""
        operator = operator_class(node)
        states = [node.inputs[name] for name in operator.updates if name in node.inputs] if operator else []
        for tensor in (*node.outputs, *states):
            yield self._watched(tensor, node.op or CALL, nested=nested, layer=node.source)

    def _watched(self, tensor: Tensor, op: str, *, nested: bool, layer: str = "") -> WatchedValue:
        self._sizes[tensor.name] = tensor.size
        possible = self._ranges.get(tensor.name, of_bits(INPUT_BITS))
        use = ValueUse(tensor.bits or bits_of(possible))
        return WatchedValue(tensor.name, op, layer or tensor.name, tensor.quanta, nested, possible == BOOLEAN, use)
