"""Quality of the compiler over the zoo: cycles against the bound, lanes, bytes, threads, one core against more.

    python benchmarks/quality.py [--corpus ../shared/corpus/zoo] [--frames 8] [PATTERN ...]

All figures are deterministic counts of the machine, so two runs print the same. Patterns choose models by name.

share = executed MACs / lanes / cycles of a frame, all on one core.

bound = (executed MACs / lanes + elementwise elements / lanes) / cores; elementwise elements counts every FQIR
elementwise result once (times the iterations of its loop); cores = the cores that the program uses.
"""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from pathlib import Path

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Mac, walk
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.errors import CapacityError
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Graph, Network
from femtodriver.isa import Form
from femtodriver.machine.machine import Machine
from femtodriver.machine.run_report import RunReport
from femtodriver.part import Part, load_part

_MATRIX = {"matmul", "addmm", "temporal_conv2d"}
_MOVES = {"cat", "split", "chunk", "stack", "reshape", "transpose", "copy", "assign", "temporal_unfold", "zeros", None}
_NESTING = {"loop", "conditional", "strided_subgraph"}


Inputs = Mapping[str, AnyArray]
"""Frames of each input, by name."""


@dataclass(frozen=True)
class Row:
    """Figures of one model.

    ``cycles`` and ``bound`` are those of a frame; ``utilisation`` is the share of the lanes that work while matrix
    instructions run; ``one_core``, ``all_cores``: cycles of a frame there (None: not measured, or does not fit);
    ``share``: see above; ``fill``: used data memory of all cores, as a share of that of one.
    """

    name: str
    weights: int
    cycles: float
    bound: float
    utilisation: float
    stored_bytes: int
    kept_bytes: int
    instructions: int
    threads: int
    cores: int
    one_core: float | None
    all_cores: float | None
    share: float | None
    fill: float

    @property
    def ratio(self) -> float:
        """Cycles over bound."""
        return self.cycles / self.bound


def measure(folder: Path, part: Part, frames: int) -> Row:
    """Compile and run one model of the zoo, also on one core and on all."""
    network = load_network(folder / "graph.pt")
    inputs = dict(np.load(folder / "inputs.npz"))
    program = compile_network(network, part)
    row = measure_program(folder.name, network, program, part, inputs, frames)
    alone, everywhere = (counts(network, part, inputs, frames, cores) for cores in (1, part.cores))
    return replace(
        row,
        one_core=alone and alone[0],
        all_cores=everywhere and everywhere[0],
        share=alone and alone[1] / part.lanes / alone[0],
    )


def measure_program(name: str, network: Network, program: Compilation, part: Part, inputs: Inputs, frames: int) -> Row:
    """Run a compiled model."""
    report = run(program, part, inputs, frames)
    count = report.frames
    executed = total(report, "matrix_executed") / count
    cores = len(report.cores)
    bound = (executed + elementwise(network.frame)) / part.lanes / cores
    matrix_cycles = sum(
        events.get("cycles", 0) for core in report.cores for events in core.by_pc.values() if events.get("matrix_dense")
    )
    stored, kept = weight_bytes(program)
    return Row(
        name=name,
        weights=weights_of(network),
        cycles=report.frame_cycles.mean,
        bound=bound,
        utilisation=executed * count / (matrix_cycles * part.lanes) if matrix_cycles else 0.0,
        stored_bytes=stored,
        kept_bytes=kept,
        instructions=sum(len(memory["IM"][0]) for memory in program.data.mems_per_core.values()),
        threads=sum(thread.count is not None for code in program.fasmir.cores for thread in code.threads),
        cores=cores,
        one_core=None,
        all_cores=None,
        share=None,
        fill=sum(places.used_bytes for places in program.fasmir.maps.values()) / part.dm_bytes,
    )


def counts(network: Network, part: Part, inputs: Inputs, frames: int, cores: int) -> tuple[float, float] | None:
    """Cycles and executed MACs of a frame on so many cores; None if the model does not fit there."""
    try:
        program = compile_network(network, part, options=Options(cores=cores))
    except CapacityError:
        return None
    report = run(program, part, inputs, frames)
    return report.frame_cycles.mean, total(report, "matrix_executed") / report.frames


def run(program: Compilation, part: Part, inputs: Inputs, frames: int) -> RunReport:
    """A few frames on the machine."""
    machine = Machine(program.data, part)
    machine.reset()
    for frame in range(min(frames, len(next(iter(inputs.values()))))):
        machine.step({name: values[frame].astype(np.int64).reshape(-1) for name, values in inputs.items()})
    return machine.report()


def total(report: RunReport, event: str) -> int:
    """An event over all cores."""
    return sum(core.total(event) for core in report.cores)


def elementwise(graph: Graph, times: float = 1) -> float:
    """Elements of elementwise results per frame."""
    count = 0.0
    for node in graph.nodes:
        if node.op in _NESTING or node.op is None:
            share = times * node.constants.get("n_iter", 1) / (node.constants.get("n", 1) if node.op != "loop" else 1)
            bodies = list(node.subgraphs.values())
            count += sum(elementwise(body, share) for body in bodies) / max(len(bodies), 1)
        elif node.op not in _MATRIX and node.op not in _MOVES:
            count += times * sum(tensor.size for tensor in node.outputs)
    return count


def weights_of(network: Network) -> int:
    """Elements of parameters with at least two axes."""
    graphs = {id(network.frame): network.frame}
    for _, node in network.frame.walk():
        graphs |= {id(body): body for body in node.subgraphs.values()}
    return sum(t.size for graph in graphs.values() for t in graph.parameters if len(t.shape) > 1)


def weight_bytes(program: Compilation) -> tuple[int, int]:
    """Bytes of stored weights and indices, and bytes of the kept halves of groups alone."""
    stored = sum(p.usage["weights"] + p.usage["indices"] for p in program.fasmir.maps.values())
    used = {name for op in walk(program.fmir.ops) if isinstance(op, Mac) for name, _ in op.parts}
    kept = sum(
        int(program.fmir.matrices[name].halves.sum()) * Form.HALVES.unit * program.fmir.matrices[name].bits // 8
        for name in used
    )
    return stored, kept


def geometric(values: Sequence[float]) -> float:
    """Geometric mean."""
    return exp(sum(log(value) for value in values) / len(values)) if values else float("nan")


def line(row: Row) -> str:
    """One line of the table."""
    one, everywhere, share = (value or float("nan") for value in (row.one_core, row.all_cores, row.share))
    return (
        f"{row.name:32} {row.weights:8d} {row.cycles:8.0f} {row.bound:8.0f} {row.ratio:5.2f} {row.utilisation:5.2f} "
        f"{row.stored_bytes:8d} {row.stored_bytes / max(row.kept_bytes, 1):5.2f} {row.instructions:5d} "
        f"{row.threads:3d} {row.cores} {one:8.0f} {everywhere:8.0f} {everywhere / one:5.2f} {share:5.3f} "
        f"{row.fill:5.2f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--corpus", type=Path, default=Path(__file__).parents[2] / "shared" / "corpus" / "zoo")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--hw-config", default="spu001")
    options = parser.parse_args()
    part = load_part(options.hw_config)
    print(
        f"{'model':32} {'weights':>8} {'cycles':>8} {'bound':>8} {'ratio':>5} {'util':>5} {'stored':>8} {'/kept':>5} "
        f"{'instr':>5} {'thr':>3} {'c':>1} {'1 core':>8} {'all':>8} {'gain':>5} {'share':>5} {'fill':>5}"
    )
    rows = []
    for folder in sorted(options.corpus.iterdir()):
        if not any(fnmatch.fnmatch(folder.name, pattern) for pattern in options.patterns):
            continue
        row = measure(folder, part, options.frames)
        rows.append(row)
        print(line(row), flush=True)
    large = [row.ratio for row in rows if row.weights >= 100_000]
    small = [row.ratio for row in rows if row.weights < 100_000]
    print(f"geometric mean of the ratio: {geometric(large):.2f} from 100 k weights on, {geometric(small):.2f} below")
    print(f"worst ratio from 100 k weights on: {max(large, default=float('nan')):.2f}")


if __name__ == "__main__":
    main()
