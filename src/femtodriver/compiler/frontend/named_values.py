"""What FQIR names stand for while a network is lowered: ropes, shapes, the buffers of states and of kept values.

A state's new value is written to its buffer late, so that every read before sees what the specification demands. Until
then an assignment only gives the name another rope.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.element_widths import storage_bits, value_bits
from femtodriver.compiler.fmir.ir import Buffer, Role, View
from femtodriver.compiler.frontend import ropes
from femtodriver.compiler.frontend.name_effects import bound, counters, effects
from femtodriver.compiler.frontend.operation_builder import OperationBuilder
from femtodriver.compiler.frontend.ropes import Rope
from femtodriver.errors import ModelError
from femtodriver.fqir.graph import Graph, Network, Tensor
from femtodriver.fqir.operators.operator import Shape
from femtodriver.fqir.operators.ranges import Range, bits_of
from femtodriver.isa.limits import ELEMENT_BITS, MAX_ELEMENT_BITS


class NamedValues(OperationBuilder, ABC):
    """Names and states on top of the verbs.

    ``values`` and ``shapes``: what a name stands for now; ``states``: the buffers of states; ``kept``: those of values
    that stay readable until the frame ends; ``captured``: names that some graph reads without having written them.
    ``ranges`` has the smallest and largest number of each name. ``widths`` holds the element widths (bits) of states
    and carried values by label; ``too_narrow`` has those that turned out to need more, so that the network is lowered
    again with them.
    """

    def __init__(
        self,
        network: Network,
        initial: Mapping[str, Int64Array],
        ranges: Mapping[str, Range],
        widths: Mapping[str, int],
        wide_elements: int,
        *,
        reuse: bool = True,
        simplify: bool = True,
        keep: Iterable[str] = (),
    ) -> None:
        super().__init__(wide_elements, reuse=reuse, simplify=simplify)
        self.network = network
        self._ranges = ranges
        self.widths = widths
        self._labels: dict[str, str] = {}
        self.values: dict[str, Rope] = {}
        self.shapes: dict[str, Shape] = {}
        self.states: dict[str, View] = {}
        self.kept: dict[str, View] = {}
        self.captured = _captured(network.frame)
        self._counters = counters(network.frame)
        self._initial = initial
        self._keep = set(keep)
        for tensor in network.inputs:
            self._declare_input(tensor)
        for name in network.state_names:
            self._declare_state(name, initial[name])

    @abstractmethod
    def graph(self, graph: Graph, arguments: Sequence[tuple[Rope, Shape]] = ()) -> list[tuple[Rope, Shape]]:
        """Lower a graph on these arguments; its results. UnsupportedError for what cannot be compiled."""

    def value(self, name: str) -> Rope:
        """The current value of an FQIR name."""
        if name not in self.values:
            raise ModelError(f"tensor {name!r}: must be written before it is read.")
        return self.values[name]

    def shape(self, name: str) -> Shape:
        """The shape of a name's current value."""
        return self.shapes[name]

    def most_bits(self, name: str) -> int:
        """The smallest width in bits that holds all values which a name can ever have."""
        return bits_of(self._ranges[name])

    def shaped_value(self, name: str) -> tuple[Rope, Shape]:
        """The current value of a name with its shape."""
        return self.value(name), self.shape(name)

    def bind(self, name: str, value: Rope, shape: Shape | None = None) -> None:
        """Give an FQIR name a new value; a vector unless a shape is given."""
        self.values[name] = value
        self.shapes[name] = (ropes.length(value),) if shape is None else shape
        if name in self._keep and value:
            self._keep_copy(name, value)

    def _keep_copy(self, name: str, value: Rope) -> None:
        """Copy a value to where it stays until the frame ends; wider ones keep their low 32 bits."""
        label, size = f"kept {name}", ropes.length(value)
        if name not in self.kept:
            bits = self.width(label, min(self.bits(value), MAX_ELEMENT_BITS))
            self.kept[name] = self.new(size, bits, Role.KEPT, "kept")
        view = self.kept[name]
        self.keep_width(label, view, value)
        if size == view.length:
            self.copy(view, value)

    def counts(self, name: str, n: int) -> bool:
        """Whether the state surely holds a number from 0 to n: it starts there, and only counting changes it."""
        first = self._initial.get(name)
        return first is not None and 0 <= int(first.flat[0]) <= n and self._counters.get(name, n + 1) <= n

    def reachable(self, name: str, low: int, high: int) -> tuple[int, int]:
        """The numbers from ``low`` to ``high`` that the state can hold, as far as the lowered network counts on it."""
        most = self._counters.get(name, high)
        return (max(low, 0), min(high, most)) if name in self._counters and self.counts(name, most) else (low, high)

    def width(self, label: str, at_least: int) -> int:
        """Element width of a state or carried value."""
        return max(storage_bits(at_least), self.widths.get(label, ELEMENT_BITS[0]))

    def keep_width(self, label: str, view: View, value: Rope) -> None:
        """``view``, whose width has that label, must be able to keep the value."""
        self._labels[view.buffer] = label
        self.follow(view, value)

    def too_narrow(self) -> dict[str, int]:
        """Widths of states, carried and kept values that need more than they have, by label; all that follows from
        each other at once."""
        followers: dict[str, list[str]] = {}
        for name, sources in self.follows.items():
            for source in sources:
                followers.setdefault(source, []).append(name)
        bits = {name: buffer.bits for name, buffer in self.buffers.items()}
        changed = list(followers)
        while changed:
            source = changed.pop()
            for name in followers.get(source, ()):
                most = MAX_ELEMENT_BITS if self.buffers[name].role is Role.KEPT else bits[source]
                if bits[name] < min(bits[source], most):
                    bits[name] = min(bits[source], most)
                    changed.append(name)
        return {label: bits[name] for name, label in self._labels.items() if bits[name] > self.buffers[name].bits}

    def write_back(self, states: Iterable[str]) -> None:
        """Copy the values of these states into their buffers."""
        names = [name for name in states if name in self.states]
        for name in names:
            self.keep_width(f"state {name}", self.states[name], self.values[name])
        self.copy_all([(self.states[name], self.values[name]) for name in names if self.values[name]])
        for name in names:
            self.values[name] = ropes.join([(self.states[name],)])

    def copy_all(self, copies: Sequence[tuple[View, Rope]]) -> None:
        """Copies as if at once. A source that another copy overwrites first is copied aside."""
        wanted = [(dst, value) for dst, value in copies if value != (dst,)]
        overwritten = {dst.buffer for dst, _ in wanted}
        safe = []
        for dst, value in wanted:
            foreign = any(view.buffer in overwritten and view.buffer != dst.buffer for view in value)
            aside = foreign or not _shifts_down(value, dst.buffer)
            safe.append((dst, (self.copied(value),) if aside else value))
        for dst, value in safe:
            self.copy(dst, value)

    def copied(self, value: Rope) -> View:
        """A copy of the value, which nothing changes."""
        return self.gathered(value)

    def _declare_input(self, tensor: Tensor) -> None:
        name, bits = input_buffer(tensor), storage_bits(port_bits(tensor))
        self.buffers[name] = Buffer(name, tensor.size, bits, Role.INPUT)
        self.bind(tensor.name, (View(name, 0, tensor.size),) if tensor.size else (), tensor.shape)

    def _declare_state(self, tensor: str, initial: Int64Array) -> None:
        name, values = f"state:{tensor}", np.ascontiguousarray(initial, np.int64).reshape(-1)
        bits = self.width(f"state {tensor}", value_bits(values))
        self.buffers[name] = Buffer(name, len(values), bits, Role.STATE, init=values)
        self.states[tensor] = View(name, 0, len(values))
        self.bind(tensor, ropes.join([(self.states[tensor],)]), np.shape(initial))


def _captured(frame: Graph) -> set[str]:
    """Names that some graph reads without having surely written them: states, and what nested graphs leave behind."""
    names = set(effects(frame, len(frame.inputs)).exposed)
    for _, node in frame.walk():
        for body in node.subgraphs.values():
            names |= effects(body, bound(node, body)).exposed
    return names


def input_buffer(tensor: Tensor) -> str:
    """The name of an input's buffer."""
    return f"in:{tensor.name}"


def port_bits(tensor: Tensor) -> int:
    """Width of an external tensor; producers leave test graphs without one, which we take as 16 bits."""
    return tensor.bits or 16


def _shifts_down(value: Rope, buffer: str) -> bool:
    """Whether copying the rope into ``buffer``, piece by piece, never overwrites what a later piece reads."""
    position = 0
    for view in value:
        if view.buffer == buffer and (view.offset < position or not view.step):
            return False
        position += view.length
    return True
