"""What happens to names and shapes when a network runs, without running it.

``Flow`` follows the execution model (one flat table of named values) with shapes in place of values. It finds
reads of names that nothing has written on every path, shapes that do not fit or grow from frame to frame, and
estimates memory and work, all in time proportional to the number of nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from femtodriver.fqir.graph import Graph, Network, Node
from femtodriver.fqir.location import GraphPlace, NodePlace, named
from femtodriver.fqir.operators.operator import Operator, Shape
from femtodriver.fqir.operators.ranges import Range
from femtodriver.fqir.registry import bind
from femtodriver.safe_text import plain_name

MAX_NODES = 100_000
MAX_NESTING = 8
MAX_ELEMENTS = 1 << 24
MAX_NODE_RUNS = 1 << 24
MAX_WORK = 1 << 36

SMALLER = "Make the model smaller, or correct the graph."


class Flow:
    """Shapes of all names after the operations followed so far.

    ``shapes`` holds the names that are certainly written, ``operators`` the bound operator of every node
    met (by ``id`` of the node), ``ranges`` the values that names can hold (see ``fqir.value_ranges``).
    """

    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = {}
        self.operators: dict[int, Operator] = {}
        self.ranges: dict[str, Range] = {}
        self._journals: list[dict[str, Shape | None]] = []
        self._sizes: dict[str, int] = {}
        self._elements = self._work = self._runs = self._visits = 0
        self._times = 1
        self._nesting = 0

    def frames(self, network: Network, init: GraphPlace, frame: GraphPlace) -> None:
        """Follow INIT and two frames, which stand for all frames."""
        if network.init is not None:
            self.graph(network.init, (), init)
        inputs = {tensor.name: tensor.shape for tensor in network.inputs}
        self._stable(network.frame, inputs, frame)
        self._check_outputs(network.frame, frame)

    def graph(self, graph: Graph, arguments: Sequence[Shape], place: GraphPlace) -> tuple[Shape, ...]:
        """Follow one run of a graph; shapes of its outputs."""
        bound = zip((tensor.name for tensor in graph.inputs), arguments, strict=False)
        self._run(graph, dict(bound), place)
        self._check_outputs(graph, place)
        return tuple(self.shapes[tensor.name] for tensor in graph.outputs)

    def _check_outputs(self, graph: Graph, place: GraphPlace) -> None:
        for tensor in graph.outputs:
            if tensor.name not in self.shapes:
                raise place.fault(f"output {named(tensor.name)} must be produced on every path, not missing")

    def _run(self, graph: Graph, inputs: Mapping[str, Shape], place: GraphPlace) -> None:
        if self._nesting > MAX_NESTING:
            raise place.fault(f"bodies must be nested at most {MAX_NESTING} deep, not deeper", SMALLER)
        for name, shape in inputs.items():
            self._write(name, shape, place)
        for tensor in graph.parameters:
            self._write(tensor.name, tensor.shape, place)
        for index, node in enumerate(graph.nodes):
            self._node(node, NodePlace(place.network, place.graph, index, node))

    def _node(self, node: Node, place: NodePlace) -> None:
        self._count_visit(place)
        operator = self.operators.get(id(node))
        new = operator is None
        if operator is None:
            operator = self.operators[id(node)] = bind(node, place)
        shapes = {argument: self._read(operator, argument) for argument in operator.arguments}
        operator.check(shapes)
        bodies = _Bodies(self, operator, place)
        results = operator.trace(bodies, shapes) if node.subgraphs else operator.shapes(shapes)
        if len(results) != len(operator.results):
            found, wanted = len(node.outputs), len(results) - len(operator.results) + len(node.outputs)
            raise place.fault(f"outputs must be {wanted} in number, not {found}")
        if new:
            self._elements += operator.scratch(shapes)
        for name, shape in zip(operator.results, results, strict=True):
            self._write(name, shape, place)
        self._count_work(operator, shapes, results, place)

    def _read(self, operator: Operator, argument: str) -> Shape:
        name = operator.node.inputs[argument].name
        shape = self.shapes.get(name)
        if shape is None:
            raise operator.place.fault(
                f"input {plain_name(argument)} must be a value written before on every path, not {named(name)}"
            )
        return shape

    def _write(self, name: str, shape: Shape | None, place: GraphPlace) -> None:
        """Note that ``name`` now has this shape, or (None) that it may have no value or another shape."""
        if self._journals:
            self._journals[-1].setdefault(name, self.shapes.get(name))
        if shape is None:
            self.shapes.pop(name, None)
            return
        self.shapes[name] = shape
        size = prod(shape)
        grown = size - self._sizes.get(name, 0)
        if grown > 0:
            self._sizes[name] = size
            self._elements += grown
        if self._elements > MAX_ELEMENTS:
            sentence = f"the values of a frame must have at most {MAX_ELEMENTS} elements, not {self._elements}"
            raise place.fault(sentence, SMALLER)

    def _count_visit(self, place: GraphPlace) -> None:
        self._visits += 1
        if self._visits > MAX_NODES:
            raise place.fault(f"the network must have at most {MAX_NODES} nodes, not more", SMALLER)

    def _count_work(
        self, operator: Operator, shapes: Mapping[str, Shape], results: Sequence[Shape], place: GraphPlace
    ) -> None:
        self._runs += self._times
        self._work += self._times * operator.work(shapes, results)
        if self._runs > MAX_NODE_RUNS:
            raise place.fault(f"a frame must execute at most {MAX_NODE_RUNS} nodes, not {self._runs} or more", SMALLER)
        if self._work > MAX_WORK:
            raise place.fault(f"a frame must take at most {MAX_WORK} operations, not {self._work} or more", SMALLER)

    def body(self, graph: Graph, arguments: Sequence[Shape], place: GraphPlace) -> tuple[Shape, ...]:
        """Follow one run of a nested graph."""
        self._nesting += 1
        results = self.graph(graph, arguments, place)
        self._nesting -= 1
        return results

    def repeat(self, graph: Graph, arguments: Sequence[Shape], times: int, place: GraphPlace) -> tuple[Shape, ...]:
        """Follow a nested graph that runs ``times`` times."""
        self._nesting += 1
        self._times *= times
        bound = zip((tensor.name for tensor in graph.inputs), arguments, strict=False)
        self._stable(graph, dict(bound), place, times)
        self._check_outputs(graph, place)
        self._times //= times
        self._nesting -= 1
        return tuple(self.shapes[tensor.name] for tensor in graph.outputs)

    def _stable(self, graph: Graph, inputs: Mapping[str, Shape], place: GraphPlace, times: int = 2) -> None:
        """Follow repeated runs. A second look is needed only if the first changed what had been there before."""
        changed = self._changes(graph, inputs, place)
        if changed and times > 1:
            changed = self._changes(graph, inputs, place)
            if changed:
                name, (before, after) = next(iter(changed.items()))
                texts = [list(shape) if shape is not None else "unknown" for shape in (before, after)]
                raise place.fault(
                    f"value {named(name)} must keep its shape from run to run, not be {texts[0]} and then {texts[1]}"
                )

    def _changes(
        self, graph: Graph, inputs: Mapping[str, Shape], place: GraphPlace
    ) -> dict[str, tuple[Shape, Shape | None]]:
        """Run once; names that had a shape before and have another (or none for certain) now."""
        self._journals.append({})
        self._run(graph, inputs, place)
        journal = self._journals.pop()
        if self._journals:
            for name, before in journal.items():
                self._journals[-1].setdefault(name, before)
        found = ((name, before, self.shapes.get(name)) for name, before in journal.items())
        return {name: (before, now) for name, before, now in found if before is not None and now != before}

    def choose(
        self, branches: Sequence[tuple[str, Graph | None, Sequence[Shape], GraphPlace]], place: GraphPlace
    ) -> dict[str, tuple[Shape, ...]]:
        """Follow alternatives (graph None: nothing happens); afterwards only what all agree on is certain."""
        results: dict[str, tuple[Shape, ...]] = {}
        outcomes: list[dict[str, Shape | None]] = []
        for branch, graph, arguments, inner in branches:
            self._journals.append({})
            results[branch] = self.body(graph, arguments, inner) if graph is not None else ()
            journal = self._journals.pop()
            outcomes.append({name: self.shapes.get(name) for name in journal})
            self._roll_back(journal)
        touched = dict.fromkeys(name for outcome in outcomes for name in outcome)
        for name in touched:
            ends = [outcome.get(name, self.shapes.get(name)) for outcome in outcomes]
            self._write(name, ends[0] if ends.count(ends[0]) == len(ends) else None, place)
        return results

    def _roll_back(self, journal: Mapping[str, Shape | None]) -> None:
        for name, before in journal.items():
            if before is None:
                self.shapes.pop(name, None)
            else:
                self.shapes[name] = before


class _Bodies:
    """The tracer of one node with bodies."""

    def __init__(self, flow: Flow, operator: Operator, place: NodePlace) -> None:
        self.flow, self.operator, self.place = flow, operator, place

    def once(self, branch: str, arguments: Sequence[Shape]) -> tuple[Shape, ...]:
        return self.flow.body(self.operator.node.subgraphs[branch], arguments, self.place.nested(branch))

    def repeated(self, branch: str, arguments: Sequence[Shape], times: int) -> tuple[Shape, ...]:
        graph = self.operator.node.subgraphs[branch]
        return self.flow.repeat(graph, arguments, times, self.place.nested(branch))

    def choice(self, branches: Mapping[str, Sequence[Shape]]) -> dict[str, tuple[Shape, ...]]:
        graphs = self.operator.node.subgraphs
        plan = [(name, graphs.get(name), given, self.place.nested(name)) for name, given in branches.items()]
        return self.flow.choose(plan, self.place)
