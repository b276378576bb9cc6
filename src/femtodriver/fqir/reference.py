"""The meaning of a network, frame by frame: what everything that we compile is compared with.

One flat table of named values, shared by all graphs and kept from frame to frame, is the whole state. The
network is validated and prepared once; a frame is then a list of prepared calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.fqir.location import named
from femtodriver.fqir.operators.exact_matmul import Known
from femtodriver.fqir.operators.operator import Body, Operator
from femtodriver.fqir.operators.ranges import Range
from femtodriver.fqir.validate import checked, graphs

Step = Callable[[], None]


class NodeObserver(Protocol):
    """What is told of every node of a frame when it has run, those of nested graphs each time that they run."""

    def node_done(self, node: Node, results: Sequence[Int64Array], clipped: int) -> None:
        """``results``: what it wrote, in the order of ``Operator.results``: outputs, then states. Not to be changed.

        ``clipped``: elements that its own saturations have changed, nested nodes left out.
        """


class Reference:
    """Executes a network. ``values`` is the table of all named values after the last frame: read, do not write.

    ``ranges`` has the smallest and largest number that each name can ever hold.
    """

    def __init__(self, network: Network, observer: NodeObserver | None = None) -> None:
        """Validate and prepare. ModelError or UnsupportedError if the network has no meaning.

        ``observer`` is told of every node of every frame, and makes them slower; not of those of INIT.
        """
        self.network = network
        self._observer: NodeObserver | None = None
        self._clipped = 0
        self.values: dict[str, Int64Array] = {}
        flow = checked(network)
        self._operators, self.ranges = flow.operators, flow.ranges
        self._known = constant_values(network, self._operators)
        self._prepared: dict[tuple[object, ...], Any] = {}
        self._bodies: dict[int, Body] = {}
        self._inputs = {tensor.name: tensor for tensor in network.inputs}
        self._init = self._body(network.init) if network.init is not None else None
        if observer is not None:
            self._observer = observer
            self._bodies.clear()  # a graph that INIT and the frame share is told of in the frame only
        self._frame = self._body(network.frame)
        self.reset()

    @property
    def states(self) -> dict[str, Range]:
        """The names whose values last from frame to frame and can change, in INIT order, each with its range."""
        return {name: self.ranges[name] for name in self.network.state_names if name not in self._known}

    def set_state(self, name: str, values: Int64Array) -> None:
        """Give a state other values, inside its range, between two frames. ``values``: any shape, as many elements."""
        self.values[name] = np.array(values, np.int64).reshape(self.values[name].shape)

    def reset(self) -> None:
        """Forget all values and run INIT."""
        self.values.clear()
        if self._init is not None:
            self._init(())

    def step(self, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Int64Array]:
        """Run one frame.

        ``inputs`` holds one integer array of the declared shape for each external input; the result one
        new int64 array for each output of the frame. InputError for other names, shapes or types.
        """
        if inputs.keys() != self._inputs.keys():
            raise InputError(_wrong_names(self.network.name, list(inputs), list(self._inputs)))
        self.values.update([(name, self._accepted(self._inputs[name], value)) for name, value in inputs.items()])
        watching = fixed.counting_clipped(self._count) if self._observer is not None else nullcontext()
        # Scalars would warn where arrays silently wrap modulo 2**64.
        with np.errstate(over="ignore"), watching:
            results = self._frame(())
        names = (tensor.name for tensor in self.network.outputs)
        return {name: np.array(value, dtype=np.int64) for name, value in zip(names, results, strict=True)}

    def _accepted(self, tensor: Tensor, value: npt.ArrayLike) -> Int64Array:
        """A copy of an input as int64, so that callers may reuse their buffers."""
        where = f"network {named(self.network.name)}: input {named(tensor.name)}"
        try:
            array = np.asarray(value)
        except (ValueError, OverflowError):
            raise InputError(f"{where} must be an array, not ragged lists. Give rows of one length.") from None
        if array.dtype.kind not in "iu":
            raise InputError(f"{where} must be of an integer type, not {array.dtype}. Quantize it first.")
        if array.shape != tensor.shape:
            raise InputError(
                f"{where} must have shape {list(tensor.shape)}, not {list(array.shape)}. Give one frame at a time."
            )
        copy = np.array(array, dtype=np.int64)
        if array.dtype == np.uint64 and copy.min(initial=0) < 0:
            raise InputError(f"{where} must hold 64-bit signed integers, not {array.max()}. Scale the input.")
        return copy

    def _body(self, graph: Graph) -> Body:
        """A graph prepared for running; one that several nodes share is prepared once."""
        if id(graph) not in self._bodies:
            self._bodies[id(graph)] = self._new_body(graph)
        return self._bodies[id(graph)]

    def _new_body(self, graph: Graph) -> Body:
        """A graph prepared for running: binds arguments and parameters, runs the nodes, reads the outputs."""
        table = self.values
        inputs = [tensor.name for tensor in graph.inputs]
        parameters = {tensor.name: _value(tensor) for tensor in graph.parameters}
        outputs = [tensor.name for tensor in graph.outputs]
        steps = [self._step(node) for node in graph.nodes]

        def run(arguments: Sequence[Int64Array]) -> list[Int64Array]:
            for name, value in zip(inputs, arguments, strict=False):
                table[name] = value
            table.update(parameters)
            for step in steps:
                step()
            return [table[name] for name in outputs]

        return run

    def _step(self, node: Node) -> Step:
        step = self._plain_step(node)
        return step if self._observer is None else self._observed(node, step, self._observer)

    def _count(self, clipped: int) -> None:
        self._clipped += clipped

    def _observed(self, node: Node, step: Step, observer: NodeObserver) -> Step:
        """A step that tells of itself; what nested nodes have clipped is theirs."""
        names = self._operators[id(node)].results

        def run() -> None:
            outer, self._clipped = self._clipped, 0
            step()
            observer.node_done(node, [self.values[name] for name in names], self._clipped)
            self._clipped = outer

        return run

    def _plain_step(self, node: Node) -> Step:
        operator = self._operators[id(node)]
        names = [node.inputs[argument].name for argument in operator.arguments]
        if node.subgraphs:
            bodies = {branch: self._body(graph) for branch, graph in node.subgraphs.items()}
            return _many(self.values, lambda *values: operator.evaluate(bodies, *values), names, operator.results)
        known = {key: self._known[tensor.name] for key, tensor in node.inputs.items() if tensor.name in self._known}
        evaluate = operator.specialised(Known(known, self._prepared))
        if not operator.single:
            return _many(self.values, evaluate, names, operator.results)
        return _single(self.values, evaluate, names, operator.results[0])


def _single(
    table: dict[str, Int64Array], evaluate: Callable[..., Int64Array], names: Sequence[str], result: str
) -> Step:
    """A call with one result; the usual numbers of arguments are spelled out for speed."""
    if len(names) == 1:
        (only,) = names

        def one() -> None:
            table[result] = evaluate(table[only])

        return one
    if len(names) == 2:
        first, second = names

        def two() -> None:
            table[result] = evaluate(table[first], table[second])

        return two

    def several() -> None:
        table[result] = evaluate(*[table[name] for name in names])

    return several


def _many(
    table: dict[str, Int64Array],
    evaluate: Callable[..., Sequence[Int64Array]],
    names: Sequence[str],
    results: Sequence[str],
) -> Step:
    """A call with any number of results."""

    def run() -> None:
        for name, value in zip(results, evaluate(*[table[name] for name in names]), strict=True):
            table[name] = value

    return run


def _value(tensor: Tensor) -> Int64Array:
    """The value of a parameter (validated before) as int64."""
    return np.asarray(tensor.value, dtype=np.int64)


def constant_values(network: Network, operators: Mapping[int, Operator]) -> dict[str, Int64Array]:
    """Values of the names that only ever hold one parameter: written by no node, no binding, no other value."""
    found: dict[str, Int64Array] = {}
    written = {tensor.name for tensor in network.frame.inputs}
    for graph, _ in graphs(network):
        for tensor in graph.parameters:
            value = _value(tensor)
            if tensor.name in found and not np.array_equal(found[tensor.name], value):
                written.add(tensor.name)
            found[tensor.name] = value
        for node in graph.nodes:
            written.update(operators[id(node)].results)
            written.update(tensor.name for nested in node.subgraphs.values() for tensor in nested.inputs)
    return {name: value for name, value in found.items() if name not in written}


def _wrong_names(network: str, given: list[str], wanted: list[str]) -> str:
    texts = [", ".join(map(named, names[:8])) or "none" for names in (wanted, given)]
    return f"network {named(network)}: inputs must be {texts[0]}, not {texts[1]}. Give exactly one array per input."
