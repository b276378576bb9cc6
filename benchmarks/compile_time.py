"""How compile time grows: Python calls (the same in every run) and seconds, for networks of one kind in several sizes.

    python benchmarks/compile_time.py [--seconds-only] [PATTERN ...]

Calls are counted by a profiler, so they say how much work there is, whatever else the machine does. ``x`` is the factor
from the size before: about 2 where the work grows with the network. Seconds are CPU time without the profiler.
"""

from __future__ import annotations

import argparse
import cProfile
import fnmatch
import pstats
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import CapacityError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.part import Part, load_part

_ADD = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": -1, "bw": 16, "rounded": True}
_PRODUCT = {"shamt_bwred": -8, "bw_out": 16, "rounded": False}


@dataclass(frozen=True)
class Kind:
    """Networks of one kind: ``make(size)`` for each of the sizes, on a part."""

    name: str
    make: Callable[[int], Network]
    sizes: Sequence[int]
    part: str = "spu001"


def _tensor(name: str, size: int) -> Tensor:
    return Tensor(name, "int16", (size,))


def _network(nodes: list[Node], inputs: list[Tensor], outputs: list[Tensor], **more: list[Tensor]) -> Network:
    frame = Graph("ARITH", tuple(inputs), tuple(outputs), tuple(more.get("parameters", ())), tuple(nodes))
    states = more.get("states")
    return Network("benchmark", frame, frame, Graph("INIT", (), (), tuple(states), ()) if states else None)


def state_chain(count: int) -> Network:
    """A delay line of states, each assigned to the next."""
    x = _tensor("x", 8)
    states = [Tensor(f"s{index}", "int16", (8,), np.zeros(8, np.int64)) for index in range(count)]
    nodes = [Node("", "vvadd", {"x": states[-1], "y": x}, (_tensor("y", 8),), _ADD, {})]
    nodes += [Node("", "assign", {"y": states[i], "x": states[i - 1]}, (), {}, {}) for i in range(count - 1, 0, -1)]
    nodes.append(Node("", "assign", {"y": states[0], "x": x}, (), {}, {}))
    return _network(nodes, [x], [_tensor("y", 8)], states=states)


def small_nodes(count: int) -> Network:
    """A web of small additions, a quarter of whose results are joined to one output."""
    inputs = [_tensor(f"x{index}", 8) for index in range(4)]
    values, nodes = list(inputs), []
    for index in range(count):
        one, other = values[index % len(values)] if index % 3 else values[-1], values[(7 * index) % len(values)]
        values.append(_tensor(f"t{index}", 8))
        nodes.append(Node("", "vvadd", {"x": one, "y": other}, (values[-1],), _ADD, {}))
    joined = values[-len(values) // 4 :]
    z = _tensor("z", 8 * len(joined))
    nodes.append(Node("", "cat", {f"x{index}": value for index, value in enumerate(joined)}, (z,), {"dim": 0}, {}))
    return _network(nodes, inputs, [z])


def layers(count: int, width: int = 104, bits: int = 8) -> Network:
    """A chain of dense layers."""
    numbers = np.random.default_rng(0)
    x = inner = _tensor("x", width)
    nodes, parameters = [], []
    for index in range(count):
        weights = numbers.integers(1, 1 << (bits - 1), (width, width))
        parameters.append(Tensor(f"w{index}", f"int{bits}", weights.shape, weights))
        made = _tensor(f"h{index}", width)
        nodes.append(Node("", "matmul", {"x": inner, "y": parameters[-1]}, (made,), _PRODUCT, {}))
        inner = made
    return _network(nodes, [x], [inner], parameters=parameters)


def four_bit_weights(count: int) -> Network:
    """Layers of a million 4-bit weights each."""
    return layers(count, 1000, 4)


KINDS = (
    Kind("state_chain", state_chain, (40, 80, 160, 320)),
    Kind("small_nodes", small_nodes, (625, 1250, 2500), "spu001x4"),
    Kind("small_nodes_5000", small_nodes, (5000,), "spu001x4"),
    Kind("layers", layers, (10, 20, 40, 80)),
    Kind("million_weights", four_bit_weights, (1, 2, 4), "spu001x4"),
)


def calls(network: Network, part: Part) -> int:
    """Function calls of one compilation."""
    profiler = cProfile.Profile()
    profiler.runcall(_compiled, network, part)
    return int(pstats.Stats(profiler).total_calls)  # type: ignore[attr-defined]


def seconds(network: Network, part: Part) -> float:
    """CPU time of one compilation."""
    start = time.process_time()
    _compiled(network, part)
    return time.process_time() - start


def _compiled(network: Network, part: Part) -> None:
    try:
        compile_network(network, part)
    except CapacityError as error:
        print(f"refused: {error}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--seconds-only", action="store_true", help="do not count calls")
    options = parser.parse_args()
    print(f"{'network':20} {'size':>6} {'part':10} {'calls':>11} {'x':>5} {'seconds':>8} {'x':>5} {'MB so far':>9}")
    for kind in KINDS:
        if not any(fnmatch.fnmatch(kind.name, pattern) for pattern in options.patterns):
            continue
        part, before = load_part(kind.part), (0, 0.0)
        for size in kind.sizes:
            network = kind.make(size)
            taken = seconds(network, part)
            megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            count = 0 if options.seconds_only else calls(network, part)
            factors = [
                f"{new / old:5.2f}" if old and new else "     " for new, old in zip((count, taken), before, strict=True)
            ]
            print(
                f"{kind.name:20} {size:6d} {part.name:10} {count:11,d} {factors[0]} {taken:8.2f} {factors[1]} "
                f"{megabytes:9d}",
                flush=True,
            )
            before = (count, taken)


if __name__ == "__main__":
    main()
