"""Networks of public benchmarks as products of as many multiplications, and what our machine counts for them.

A layer stands for ``positions`` products of a vector of ``inputs`` with a matrix of ``outputs`` columns: a convolution
is one product per output position, a depthwise one a product of its taps with a matrix of one column per channel. What
a real convolution needs besides (moving the input, reusing weights that are at hand) is not in these networks: they
have *equal MACs*, and no more is claimed. The counts are those of reference models (MLPerf Tiny, TC-ResNet).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.machine.machine import Machine
from femtodriver.part import Part

BYTE = "fqint8"


@dataclass(frozen=True)
class Layer:
    """So many products of a vector with a matrix of 8-bit weights."""

    inputs: int
    outputs: int
    positions: int = 1

    @property
    def macs(self) -> int:
        """Multiplications of all products."""
        return self.inputs * self.outputs * self.positions


@dataclass(frozen=True)
class EqualMacNetwork:
    """A network by its layers."""

    name: str
    layers: tuple[Layer, ...]

    @property
    def macs(self) -> int:
        """Multiplications of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def weights(self) -> int:
        """Weights of all layers, which have a byte each."""
        return sum(layer.inputs * layer.outputs for layer in self.layers)


@dataclass(frozen=True)
class Work:
    """Events and cycles of one inference on one core, and bytes of weights."""

    counts: Counter[str]
    cycles: int
    weights: int


def _network(name: str, *layers: tuple[int, ...]) -> EqualMacNetwork:
    return EqualMacNetwork(name, tuple(Layer(*layer) for layer in layers))


def _separable(channels: int, outputs: int, positions: int, taps: int = 9) -> list[tuple[int, int, int]]:
    """A depthwise convolution, and the pointwise one behind it."""
    return [(taps, channels, positions), (channels, outputs, positions)]


AD = _network("AD", (640, 128), *[(128, 128)] * 3, (128, 8), (8, 128), *[(128, 128)] * 3, (128, 640))
KWS = _network("KWS", (40, 64, 125), *_separable(64, 64, 125) * 4, (64, 12))
IC = _network(
    "IC",
    (27, 16, 1024),
    *[(144, 16, 1024)] * 2,
    *[(144, 32, 256), (288, 32, 256), (16, 32, 256)],
    *[(288, 64, 64), (576, 64, 64), (32, 64, 64)],
    (64, 10),
)
VWW = _network(
    "VWW",
    (27, 8, 2304),
    *_separable(8, 16, 2304),
    *_separable(16, 32, 576),
    *_separable(32, 32, 576),
    *_separable(32, 64, 144),
    *_separable(64, 64, 144),
    *_separable(64, 128, 36),
    *_separable(128, 128, 36) * 5,
    *_separable(128, 256, 9),
    *_separable(256, 256, 9),
    (256, 2),
)
SWW_WINDOW = _network(
    "SWW, window",
    *_separable(40, 128, 28, 3),
    *_separable(128, 128, 24, 5),
    *_separable(128, 128, 15, 10),
    *_separable(128, 32, 1, 15),
    (32, 3),
)
SWW_STREAM = EqualMacNetwork(
    "SWW, new column", tuple(Layer(layer.inputs, layer.outputs) for layer in SWW_WINDOW.layers)
)
TC_RESNET8 = _network(
    "TC-ResNet8",
    (120, 16, 98),
    *[(16, 24, 49), (144, 24, 49), (216, 24, 49)],
    *[(24, 32, 25), (216, 32, 25), (288, 32, 25)],
    *[(32, 48, 13), (288, 48, 13), (432, 48, 13)],
    (48, 12),
)
DENSE_570K = _network("570 k dense", *[(400, 400)] * 3, (225, 400))
DENSE = _network("dense", (512, 512))


def work_of(network: EqualMacNetwork, part: Part) -> Work:
    """What the machine counts for one inference without a zero activation, layer by layer, on one core."""
    counts: Counter[str] = Counter()
    cycles = 0
    for layer in network.layers:
        once, one_cycles = _product(layer.inputs, layer.outputs, part)
        counts.update({event: layer.positions * number for event, number in once.items()})
        cycles += layer.positions * one_cycles
    return Work(counts, cycles, network.weights)


def work_of_chain(network: EqualMacNetwork, part: Part) -> Work:
    """The layers, one position each, as one program with ReLU between them: about half of the activations are zero."""
    sizes = [network.layers[0].inputs, *(layer.outputs for layer in network.layers)]
    counts, cycles = _counted(_chain(network.name, sizes), part)
    return Work(counts, cycles, network.weights)


@cache
def _product(inputs: int, outputs: int, part: Part) -> tuple[Counter[str], int]:
    return _counted(_chain(f"{inputs} x {outputs}", [inputs, outputs]), part)


def _counted(network: Network, part: Part) -> tuple[Counter[str], int]:
    """Events and cycles of a frame whose inputs are not zero."""
    machine = Machine(compile_network(network, part, options=Options(cores=1)).data, part)
    machine.reset()
    numbers = np.random.default_rng(0)
    (given,) = network.inputs
    machine.step({given.name: numbers.integers(1, 128, given.shape) * numbers.choice((-1, 1), given.shape)})
    report = machine.report()
    counts: Counter[str] = Counter()
    for core in report.cores:
        for events in core.by_pc.values():
            counts.update(events)
    return counts, report.frame_cycles.total


def _chain(name: str, sizes: Sequence[int]) -> Network:
    """Products in a row, with ReLU between them; 8-bit weights, activations and results."""
    numbers = np.random.default_rng(0)
    start = value = Tensor("x", BYTE, (sizes[0],))
    parameters, nodes = [], []
    for place, (inputs, outputs) in enumerate(pairwise(sizes)):
        if place:
            rectified = Tensor(f"relu{place}", BYTE, value.shape)
            nodes.append(Node("", "relu", {"x": value}, (rectified,)))
            value = rectified
        weights = numbers.integers(1, 128, (inputs, outputs)) * numbers.choice((-1, 1), (inputs, outputs))
        parameters.append(Tensor(f"w{place}", BYTE, weights.shape, weights))
        product = Tensor(f"y{place}", BYTE, (outputs,))
        constants = {"shamt_bwred": -10, "bw_out": 8, "rounded": False}
        nodes.append(Node("", "matmul", {"x": value, "y": parameters[-1]}, (product,), constants))
        value = product
    frame = Graph("ARITH", (start,), (value,), tuple(parameters), tuple(nodes))
    return Network(name, frame, frame, None)
