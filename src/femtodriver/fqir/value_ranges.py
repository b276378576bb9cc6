"""Which values every name of a network can hold, without running it.

All graphs share one table of names, so this looks at names, not at times: a name's range contains whatever any node,
binding, parameter, input or initial state ever writes to it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping

from femtodriver.fqir.graph import Graph, Network, Tensor
from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.operators.ranges import NOTHING, Range, bits_of, hull, of_bits

# What an input without a declared type holds.
INPUT_BITS = 16
# A range that has grown so often is rounded up to whole bits, so that counters and the like come to an end.
PRECISE_STEPS = 4


class _Ranges:
    """Ranges that grow until nothing changes any more."""

    def __init__(self) -> None:
        self.found: dict[str, Range] = {}
        self._grown: dict[str, int] = defaultdict(int)
        self._moves: dict[str, list[str]] = defaultdict(list)
        self._readers: dict[str, list[int]] = defaultdict(list)
        self._operators: list[Operator] = []
        self._changed: deque[str] = deque()

    def write(self, name: str, values: Range) -> None:
        """``name`` may hold these values too."""
        before = self.found.get(name)
        after = values if before is None else hull(before, values)
        if after == before:
            return
        self._grown[name] += 1
        self.found[name] = after if self._grown[name] <= PRECISE_STEPS else of_bits(bits_of(after))
        self._changed.append(name)

    def node(self, operator: Operator) -> None:
        """A node that may run."""
        for name in {tensor.name for tensor in operator.node.inputs.values()}:
            self._readers[name].append(len(self._operators))
        self._operators.append(operator)
        if operator.node.subgraphs:
            for source, target in operator.moves():
                self._moves[source].append(target)

    def _run(self, operator: Operator) -> None:
        given = {argument: self.found.get(operator.node.inputs[argument].name) for argument in operator.arguments}
        known = {argument: values for argument, values in given.items() if values is not None}
        names = operator.written(operator.node)
        if operator.node.subgraphs:
            names = names[len(operator.node.outputs) :]
        if names and len(known) == len(given):
            for name, values in zip(names, operator.ranges(known), strict=True):
                self.write(name, values)

    def settle(self) -> None:
        """Run all nodes, and again those that read what has changed, in their order, until nothing changes."""
        waiting = set(range(len(self._operators)))
        while waiting:
            for number in sorted(waiting):
                self._run(self._operators[number])
            waiting = set(self._after_changes())

    def _after_changes(self) -> Iterator[int]:
        """Numbers of the nodes that read what has changed since the last call."""
        while self._changed:
            name = self._changed.popleft()
            for target in self._moves[name]:
                self.write(target, self.found[name])
            yield from self._readers[name]


def value_ranges(network: Network, graphs: Iterable[Graph], operators: Mapping[int, Operator]) -> dict[str, Range]:
    """{name: range} of all names that are ever written.

    ``graphs`` are all graphs of the network, nested ones too; ``operators`` has the bound operator of each node by id.
    """
    ranges = _Ranges()
    for tensor in network.inputs:
        ranges.write(tensor.name, of_bits(tensor.bits or INPUT_BITS))
    for graph in graphs:
        for tensor in graph.parameters:
            ranges.write(tensor.name, _of_parameter(tensor))
        for node in graph.nodes:
            ranges.node(operators[id(node)])
    ranges.settle()
    return ranges.found


def _of_parameter(tensor: Tensor) -> Range:
    if tensor.value is None or not tensor.value.size:
        return NOTHING
    return int(tensor.value.min()), int(tensor.value.max())
