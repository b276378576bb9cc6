"""FQIR -> FMIR: walks the frame graph and lets every operator lower itself with the verbs of ``OperationBuilder``.

States are written back once, at the end of the frame; loops and conditions (``lower_control_flow``) do so at the end of
every iteration or branch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from femtodriver.compiler.fmir.element_widths import storage_bits
from femtodriver.compiler.fmir.ir import Buffer, Fmir, Role, View
from femtodriver.compiler.fmir.network_interface import Port
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.compiler.frontend import lower_control_flow, ropes
from femtodriver.compiler.frontend.named_values import NamedValues, input_buffer, port_bits
from femtodriver.compiler.frontend.ropes import Rope
from femtodriver.fqir.graph import Graph, Node, Tensor
from femtodriver.fqir.location import NodePlace
from femtodriver.fqir.node_origin import OriginFinder
from femtodriver.fqir.operators.lowering_interface import Branch, LoopForm
from femtodriver.fqir.operators.operator import Shape
from femtodriver.fqir.registry import bind


class Lowering(NamedValues):
    """Lowers a network: ``graph(network.frame)``, then ``finish()``. The arguments are those of ``NamedValues``."""

    _place = ""  # numbers of the nodes around the one that is being lowered

    def graph(self, graph: Graph, arguments: Sequence[tuple[Rope, Shape]] = ()) -> list[tuple[Rope, Shape]]:
        """Lower a graph on these arguments; its results. UnsupportedError for what cannot be compiled."""
        for tensor, (value, shape) in zip(graph.inputs, arguments, strict=False):
            self.bind(tensor.name, value, shape)
        for tensor in graph.parameters:
            if tensor.value is not None:
                self.bind(tensor.name, self.constant(tensor.value), tensor.value.shape)
        outer = self._place
        for index, node in enumerate(graph.nodes):
            self._place = f"{outer}{index}."
            self._node(NodePlace(self.network.name, graph.name, index, node))
        self._place = outer
        return [(self.value(tensor.name), self.shape(tensor.name)) for tensor in graph.outputs]

    def _node(self, place: NodePlace) -> None:
        node, self.where = place.node, place.text
        operator = bind(node, place)
        given = {argument: self.shape(node.inputs[argument].name) for argument in operator.arguments}
        operator.check(given)
        self._begin_layer(node)
        layer = self.layer
        operator.lower(self)
        if not node.subgraphs:
            for name, shape in zip(operator.results, operator.shapes(given), strict=True):
                self.shapes[name] = shape
        self.layers[layer] = replace(self.layers[layer], holds=self._holding(node))

    def _holding(self, node: Node) -> tuple[str, ...]:
        """Buffers of the node's results; of the state that it writes, if it has none."""
        if not node.outputs:
            return tuple(self.states[x.name].buffer for x in node.inputs.values() if x.name in self.states)[:1]
        views = (view for out in node.outputs for view in self.values.get(out.name, ()))
        return tuple(dict.fromkeys(view.buffer for view in views))

    @cached_property
    def _origins(self) -> OriginFinder:
        return OriginFinder(self.network)

    def _begin_layer(self, node: Node) -> None:
        op = node.op or "call"
        elements = sum(tensor.size for tensor in node.outputs)
        origin = self._origins.of(node.name, node.line)
        self.layers.append(SourceLayer(f"{self._place[:-1]} {op} {node.source}", op, node.source, elements, origin))

    # ---- regions -----------------------------------------------------------------------------------------------

    def settle(self, graphs: Sequence[Graph]) -> None:
        """Before a region is lowered: states that its graphs write are in their buffers, and only there."""
        lower_control_flow.settle(self, graphs)

    def loop(self, loop: LoopForm) -> list[tuple[Rope, Shape]]:
        """A loop; see ``lower_control_flow.lower_loop``."""
        return lower_control_flow.lower_loop(self, loop, self._place)

    def choose(self, condition: Rope, then: Branch, orelse: Branch) -> list[tuple[Rope, Shape]]:
        """A condition; see ``lower_control_flow.lower_choice``."""
        return lower_control_flow.lower_choice(self, condition, then, orelse, self._place)

    # ---- the end of the frame ----------------------------------------------------------------------------------

    def finish(self) -> Fmir:
        """Copy outputs out, write states back, and return the mapped network."""
        self.layers.append(SourceLayer("(frame end)", "frame_end", "", 0))
        published = {tensor.name: self._publish(tensor) for tensor in self.network.outputs}
        self.write_back(self.states)
        inputs = tuple(Port(t.name, input_buffer(t), t.size, port_bits(t)) for t in self.network.inputs)
        return Fmir(
            self.network.name,
            self.buffers,
            self.matrices,
            self.tables,
            tuple(self.ops),
            inputs,
            tuple(published.values()),
            tuple(self.layers),
            {name: view.buffer for name, view in self.kept.items()},
        )

    def _publish(self, tensor: Tensor) -> Port:
        value, name = self.value(tensor.name), f"out:{tensor.name}"
        bits = self._output_bits(tensor, value)
        if name not in self.buffers:
            size = ropes.length(value)
            self.buffers[name] = Buffer(name, size, storage_bits(bits), Role.OUTPUT)
            self.copy(View(name, 0, size), value)
        return Port(tensor.name, name, self.buffers[name].length, bits)

    def _output_bits(self, tensor: Tensor, value: Rope) -> int:
        """The declared width if the value surely fits it, else the width of the value's elements."""
        bits, declared = self.bits(value), tensor.bits or 16
        return declared if storage_bits(declared) >= bits else bits
