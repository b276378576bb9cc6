"""Small networks for tests of the compiler, and one run of a network on all executors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.compiler_options import DEFAULT_OPTIONS, Options
from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.fqir.graph import Graph, Network, Node, Table, Tensor
from femtodriver.fqir.reference import Reference
from femtodriver.machine.machine import Machine
from femtodriver.part import Part, load_part

Shape = Sequence[int]

ADD: dict[str, Any] = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16}
ADD_IMMEDIATE: dict[str, Any] = {**ADD, "y": 1}
MULTIPLY: dict[str, Any] = {"shamt_bwred": -8, "bw": 16}
PRODUCT: dict[str, Any] = {"shamt_bwred": -6, "bw_out": 16}
ADDRESSES = np.arange(-128, 128)


@dataclass
class Net:
    """A graph under construction; every verb returns the tensors that it makes."""

    name: str = "net"
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    parameters: list[Tensor] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    states: list[Tensor] = field(default_factory=list)
    made: int = 0

    def input(self, name: str, shape: int | Shape = 8, bits: int = 16) -> Tensor:
        """An input of the graph."""
        self.inputs.append(Tensor(name, f"int{bits}", _shape(shape)))
        return self.inputs[-1]

    def param(self, value: Any, bits: int = 16, name: str = "") -> Tensor:
        """A parameter; its value is the array."""
        array = np.asarray(value, np.int64)
        self.parameters.append(Tensor(name or self._fresh("p"), f"int{bits}", array.shape, array))
        return self.parameters[-1]

    def state(self, name: str, initial: Any, bits: int = 16) -> Tensor:
        """A state with its value before the first frame."""
        array = np.asarray(initial, np.int64)
        self.states.append(Tensor(name, f"int{bits}", array.shape, array))
        return Tensor(name, f"int{bits}", array.shape)

    def op(
        self,
        name: str | None,
        inputs: Mapping[str, Tensor],
        shape: int | Shape = 8,
        bits: int = 16,
        bodies: Mapping[str, Graph] | None = None,
        **constants: Any,
    ) -> Tensor:
        """A node with one output."""
        return self.ops(name, inputs, [shape], bits, bodies, **constants)[0]

    def ops(
        self,
        name: str | None,
        inputs: Mapping[str, Tensor],
        shapes: Sequence[int | Shape],
        bits: int = 16,
        bodies: Mapping[str, Graph] | None = None,
        **constants: Any,
    ) -> tuple[Tensor, ...]:
        """A node with an output of each shape."""
        outputs = tuple(Tensor(self._fresh("v"), f"int{bits}", _shape(shape)) for shape in shapes)
        self.nodes.append(Node("", name, dict(inputs), outputs, constants, dict(bodies or {})))
        return outputs

    def assign(self, state: Tensor, value: Tensor) -> None:
        """The state takes the value."""
        self.nodes.append(Node("", "assign", {"y": state, "x": value}, ()))

    def output(self, *tensors: Tensor) -> None:
        """Outputs of the graph."""
        self.outputs += tensors

    def graph(self, name: str = "body") -> Graph:
        """The graph, for the body of another net's node."""
        return Graph(name, tuple(self.inputs), tuple(self.outputs), tuple(self.parameters), tuple(self.nodes))

    def network(self) -> Network:
        """The network with this graph as its frame."""
        frame = self.graph("ARITH")
        init = Graph("INIT", (), (), tuple(self.states), ()) if self.states else None
        return Network(self.name, frame, frame, init)

    def _fresh(self, stem: str) -> str:
        self.made += 1
        return f"{self.name}.{stem}{self.made}"


def _shape(shape: int | Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def random_frames(network: Network, frames: int = 4, seed: int = 0) -> list[dict[str, Int64Array]]:
    """Frames of full-range inputs."""
    numbers = np.random.default_rng(seed)

    def frame() -> dict[str, Int64Array]:
        limits = ((tensor, 1 << ((tensor.bits or 16) - 1)) for tensor in network.inputs)
        return {tensor.name: numbers.integers(-high, high, tensor.shape) for tensor, high in limits}

    return [frame() for _ in range(frames)]


def agree(
    network: Network,
    part: Part | None = None,
    compiled: Compilation | None = None,
    frames: Sequence[Mapping[str, Int64Array]] | None = None,
    options: Options = DEFAULT_OPTIONS,
) -> Compilation:
    """Compile (unless given), and demand fqir = fmir = fasmir on every frame."""
    part = part or load_part()
    compiled = compiled or compile_network(network, part, options=options)
    reference, mapped, machine = Reference(network), FmirExecutor(compiled.fmir), Machine(compiled.data, part)
    reference.reset()
    for time, frame in enumerate(frames if frames is not None else random_frames(network)):
        flat = {name: values.reshape(-1) for name, values in frame.items()}
        wanted = {name: values.reshape(-1).tolist() for name, values in reference.step(dict(frame)).items()}
        for runner, found in (("fmir", mapped.step(flat)), ("fasmir", machine.step(flat))):
            assert {name: values.tolist() for name, values in found.items()} == wanted, f"{runner}, frame {time}"
    return compiled


def dense(net: Net, x: Tensor, rows: int, bits: int = 8, kept: float = 1.0, seed: int = 0) -> Tensor:
    """A matrix product with random weights of ``bits`` bits, pruned in groups of 8 outputs."""
    numbers = np.random.default_rng(seed)
    groups = numbers.random((x.size, -(-rows // 8))) < kept
    weights = numbers.integers(-1 << (bits - 1), 1 << (bits - 1), (x.size, rows))
    weights *= np.repeat(groups, 8, axis=1)[:, :rows]
    return net.op("matmul", {"x": x, "y": net.param(weights, bits)}, rows, **PRODUCT)


def table(values: Int64Array) -> Table:
    """A look-up table of 8-bit addresses."""
    return Table("f", ADDRESSES, np.asarray(values, np.int64))


def recurrent(size: int = 64, layers: int = 2) -> Network:
    """Gated recurrent layers with a delay line in front: products, states, tables, elementwise work."""
    net = Net("recurrent")
    x, line = net.input("x", size), net.state("line", np.zeros(size))
    both = net.op("cat", {"x0": line, "x1": x}, 2 * size, dim=0)
    net.assign(line, x)
    for layer in range(layers):
        state = net.state(f"h{layer}", np.arange(size) * 3 - 50)
        gates = net.op("vvadd", {"x": dense(net, both, 2 * size), "y": dense(net, state, 2 * size)}, 2 * size, **ADD)
        update, reset = net.ops("chunk", {"x": gates}, [size, size], chunks=2, dim=0)
        curve = table(np.tanh(ADDRESSES / 40) * 30000)
        soft = net.op("lut", {"x": update}, size, shamt_address=-8, bw_address=8, table=curve, function="f")
        kept = net.op("vvmul", {"x": soft, "y": state}, size, shamt_bwred=-15, bw=16)
        both = net.op("vvadd", {"x": kept, "y": reset}, size, **ADD)
        net.assign(state, both)
    net.output(both, x)
    return net.network()
