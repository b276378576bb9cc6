"""A random graph under construction: what a sampler sees, and the verbs with which it adds its nodes.

A sampler is a function ``(Draw) -> None`` that picks inputs from the values at hand and adds one node (or a few) with
``Draw.node``. Graphs are legal by construction: shapes follow from the operators' own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Graph, Node, Tensor
from femtodriver.fqir.location import NodePlace
from femtodriver.fqir.operators.operator import Shape
from femtodriver.fqir.registry import bind
from tests.agree.random_numbers import Numbers

Sampler = Callable[["Draw"], None]


@dataclass(frozen=True)
class Choice:
    """What may be added to a graph: how, how often, and whether it nests graphs."""

    add: Sampler
    weight: float = 1.0
    nests: bool = False


# What a value is wanted like: its shape, and the most bits that it may have.
Wanted = tuple[Shape, int]
DEEPEST = 3
# Of one matrix.
MOST_ELEMENTS = 1 << 18
_NAMES = (
    "%x.{}", "%add.{}", "add_{}", "é {}", 'q"{}', "a\n{}", "in:{}", "state:{}", "t{}", "const{}", "m{}", "{}", "[{}]-+",
    "%b_%x.{}_lo", "x@1.{}", "c0.{}", "out:{}", "carry{}", "{{{}}}", "%s{}", "null: {}", "'{}",
)  # fmt: skip


class Store:
    """What all graphs of a network share: the source of numbers, the choices, the states, how many nodes are left."""

    def __init__(self, numbers: Numbers, choices: Mapping[str, Choice], nodes: int) -> None:
        self.numbers = numbers
        self.choices = choices
        self.nodes_left = nodes
        self.init_nodes: list[Node] = []
        self.init_parameters: list[Tensor] = []
        self.states: dict[str, Tensor] = {}
        self.named = 0
        # Each network favours some operators, and some overwrite names often.
        self.favour = {name: numbers.pick([0.0, 0.3, 1.0, 3.0]) for name in choices}
        self.overwriting = numbers.pick([0.0, 0.03, 0.2])
        # How often a body assigns states, and arguments are states: what a body does to names is the hard part.
        self.stateful = numbers.pick([0.0, 0.3, 0.8])
        # Values meet more often when they have few different sizes.
        count, large = numbers.integer(1, 4), numbers.chance(0.3)
        self.sizes = [numbers.integer(24, 100) if large else numbers.any_size() for _ in range(count)]

    def name(self) -> str:
        """A new name, often an odd one."""
        self.named += 1
        return self.numbers.pick(_NAMES).format(self.named)


class Draw(Numbers):
    """One graph under construction. ``values`` has the names that can be read, with their present shapes."""

    def __init__(self, store: Store, outer: Draw | None = None) -> None:
        super().__init__(store.numbers.generator)
        self.store = store
        self.values: dict[str, Tensor] = dict(outer.values) if outer is not None else {}
        self.depth: int = 0 if outer is None else outer.depth + 1
        self.nodes: list[Node] = []
        self.parameters: list[Tensor] = []

    # ---- values to read ------------------------------------------------------------------------------------------

    def value(self, accept: Callable[[Tensor], bool] | None = None, fallback: Shape | None = None) -> Tensor:
        """A value that can be read, preferably a late one; a new parameter if none is acceptable, and now and then."""
        found = self.existing(accept)
        return found or self.parameter((self.size(),) if fallback is None else fallback)

    def existing(self, accept: Callable[[Tensor], bool] | None = None) -> Tensor | None:
        """A value that can be read, preferably a late one; None if none is acceptable, and now and then."""
        found = [tensor for tensor in self.values.values() if accept is None or accept(tensor)]
        if not found or self.chance(0.05):
            return None
        states = [tensor for tensor in found if tensor.name in self.store.states]
        if states and self.chance(self.store.stateful / 3):
            return self.pick(states)
        return self.pick(found[-6:] if self.chance(0.6) else found)

    def size(self) -> int:
        """The length of a vector, usually one of the network's own sizes."""
        return self.pick(self.store.sizes) if self.chance(0.7) else self.any_size()

    def shape(self) -> Shape:
        """A shape, nearly always of a vector."""
        kind = self.integer(0, 29)
        if kind < 2:
            return () if kind else (self.integer(1, 4), self.integer(1, 9))
        return (self.size(),)

    def vector(self, least: int = 0) -> Tensor:
        """A vector of at least so many elements."""
        size = max(least, self.size())
        return self.value(lambda tensor: len(tensor.shape) == 1 and tensor.size >= least, (size,))

    def holding_something(self) -> Tensor:
        """A value with an element."""
        return self.value(lambda tensor: tensor.size > 0, (self.integer(1, 9),))

    def like(self, shape: Shape, bits: int = 32) -> Tensor:
        """A value of this shape and of at most so many bits; made if there is none."""
        found = [t for t in self.values.values() if t.shape == shape and (t.bits or 32) <= bits]
        if found and self.chance(0.85):
            return self.pick(found)
        if self.chance(0.3) or not self.values:
            return self.parameter(shape, min(bits, self.pick([8, 16])))
        source = self.holding_something()
        if source.size * prod(shape) > MOST_ELEMENTS:
            return self.parameter(shape, min(bits, 16))
        return self._mapped(source, shape, bits)

    def pair(self) -> tuple[Tensor, Tensor]:
        """Two values that go together elementwise: of one shape, or one of them a single element."""
        first = self.value()
        second = self.like((1,)) if self.chance(0.1) else self.like(first.shape)
        return (second, first) if self.chance(0.5) else (first, second)

    def _mapped(self, source: Tensor, shape: Shape, bits: int) -> Tensor:
        """A value of the shape and width made from another one, whatever its shape."""
        if source.shape != shape:
            (flat,) = self.node("reshape", {"x": source}, [source.bits or 32], {"shape": (source.size,)})
            weights = self.parameter((source.size, prod(shape)), self.pick([4, 8]))
            constants = {"shamt_bwred": self.shift(-8, 0), "bw_out": min(bits, 16), "rounded": self.chance(0.5)}
            (source,) = self.node("matmul", {"x": flat, "y": weights}, [min(bits, 16)], constants)
            if source.shape != shape:
                (source,) = self.node("reshape", {"x": source}, [min(bits, 16)], {"shape": shape})
        if (source.bits or 32) > bits:
            (source,) = self.node("shift", {"x": source}, [bits], {"shamt": 0, "bw": bits, "rounded": False})
        return source

    # ---- values to make ------------------------------------------------------------------------------------------

    def parameter(self, shape: Shape, bits: int | None = None, values: Int64Array | None = None) -> Tensor:
        """A new parameter of this graph."""
        bits = bits or self.pick([4, 8, 8, 16, 16, 24])
        value = self.array(shape, bits) if values is None else values
        value.setflags(write=False)
        tensor = Tensor(self.store.name(), self.dtype(bits), shape, value)
        self.parameters.append(tensor)
        if len(shape) == 1:
            self.values[tensor.name] = tensor
        return tensor

    def state(self, shape: Shape, values: Int64Array | None = None) -> Tensor:
        """A new state; zeros unless ``values`` says otherwise, or by chance."""
        store, bits = self.store, self.pick([8, 16, 16, 24])
        name = store.name()
        tensor = Tensor(name, self.dtype(bits), shape)
        if values is not None or self.chance(0.4):
            initial = self.array(shape, bits) if values is None else values
            initial.setflags(write=False)
            store.init_parameters.append(Tensor(name, "int32", shape, initial))
        else:
            store.init_nodes.append(Node(name, "zeros", {}, (tensor,), {"shape": shape}))
        store.states[name] = tensor
        return tensor

    def dtype(self, bits: int) -> str:
        """The text of an integer type."""
        return f"{'fq' if self.chance(0.5) else ''}int{bits}"

    def output(self, shape: Shape, bits: int) -> Tensor:
        """A tensor for a result: nearly always of a new name, else of one that is overwritten."""
        name = self.store.name()
        taken = [t.name for t in self.values.values() if t.shape == shape and (t.value is None or t.value.ndim == 1)]
        if taken and self.chance(self.store.overwriting):
            name = self.pick(taken)
        return Tensor(name, self.dtype(bits), shape)

    def node(
        self,
        op: str | None,
        inputs: Mapping[str, Tensor],
        bits: Sequence[int],
        constants: Mapping[str, Any] | None = None,
        subgraphs: Mapping[str, Graph] | None = None,
        shapes: Sequence[Shape] | None = None,
    ) -> tuple[Tensor, ...]:
        """Add a node; its outputs, of so many bits each. Shapes follow from the operator unless it has bodies."""
        made = Node(self.store.name(), op, dict(inputs), (), dict(constants or {}), dict(subgraphs or {}))
        if shapes is None:
            shapes = _shapes(made, len(bits))
        outputs = tuple(self.output(shape, width) for shape, width in zip(shapes, bits, strict=True))
        self.add(Node(made.name, op, made.inputs, outputs, made.constants, made.subgraphs))
        return outputs

    def add(self, node: Node) -> None:
        """Append a node; what it writes can be read from now on."""
        self.nodes.append(node)
        self.store.nodes_left -= 1
        for tensor in node.outputs:
            self.values[tensor.name] = tensor

    def update(self, state: Tensor, bits: int) -> None:
        """A node has written a state."""
        self.values[state.name] = Tensor(state.name, f"int{max(bits, state.bits or 32)}", state.shape)

    # ---- nested graphs -------------------------------------------------------------------------------------------

    def grow(self, nodes: int) -> None:
        """Add about so many nodes of random operators."""
        names = list(self.store.choices)
        weights = np.array([self._weight(name) for name in names])
        goal = len(self.nodes) + nodes
        while len(self.nodes) < goal and self.store.nodes_left > 0:
            chosen = str(self.generator.choice(names, p=weights / weights.sum()))
            self.store.choices[chosen].add(self)

    def _weight(self, name: str) -> float:
        choice = self.store.choices[name]
        return 0.0 if self.depth >= DEEPEST and choice.nests else choice.weight * self.store.favour[name] + 1e-6

    def body(self, inputs: Sequence[Wanted], outputs: Sequence[Wanted]) -> tuple[Graph, Draw]:
        """A nested graph with inputs and outputs as wanted; and the draw that made it, for what it did to names."""
        inner = Draw(self.store, self)
        if self.chance(0.3):  # a body that captures nothing
            inner.values = {name: tensor for name, tensor in inner.values.items() if name in self.store.states}
        given = [inner._argument(shape, bits, self) for shape, bits in inputs]
        inner.grow(self.integer(0, 4))
        if self.chance(self.store.stateful):
            self.store.choices["(assignments)"].add(inner)
            inner.grow(self.integer(0, 2))
        results = tuple(inner.like(shape, bits) for shape, bits in outputs)
        return Graph("", tuple(given), results, tuple(inner.parameters), tuple(inner.nodes)), inner

    def _argument(self, shape: Shape, bits: int, outer: Draw) -> Tensor:
        """An input of this graph; sometimes it has the name of an outer value, which it then hides forever."""
        name = self.store.name()
        same = [tensor.name for tensor in outer.values.values() if tensor.shape == shape and tensor.value is None]
        if same and self.chance(self.store.overwriting):
            name = self.pick(same)
        self.values[name] = tensor = Tensor(name, self.dtype(bits), shape)
        return tensor

    def left_behind(self, inner: Draw, sure: bool) -> None:
        """What a body did to names: outer ones may have new values; if it surely ran, its own can be read too."""
        for name, tensor in inner.values.items():
            if name in self.values:
                before = self.values[name]
                if tensor is not before:
                    self.values[name] = Tensor(name, f"int{max(before.bits or 32, tensor.bits or 32)}", before.shape)
            elif sure and self.chance(0.05):
                self.values[name] = tensor


def _shapes(node: Node, outputs: int) -> Sequence[Shape]:
    """Shapes of the outputs, by the operator's own rules."""
    placeholders = tuple(Tensor(str(index), "int8", ()) for index in range(outputs))
    trial = Node(node.name, node.op, node.inputs, placeholders, node.constants)
    operator = bind(trial, NodePlace("sample", "ARITH", 0, trial))
    shapes = {argument: node.inputs[argument].shape for argument in operator.arguments}
    operator.check(shapes)
    return operator.shapes(shapes)[:outputs]
