"""How fast the native loop simulates the zoo, beside fmot's own runtimes: one process, interleaved, CPU time, medians.

    python benchmarks/simulation.py [--corpus ../shared/corpus/zoo] [--rounds 5] [--short] [PATTERN ...]

Counting is on, as always. Columns: frames and million cycles that the native loop simulates in a second; how many times
faster that is than fmot's Python backend, fmot's C++ backend (built at -O3 from the source in the wheel, which takes
15 seconds) and our NumPy machine; and how long it takes to make a machine of a program's images.
"""

from __future__ import annotations

import argparse
import fnmatch
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from pathlib import Path
from typing import Any

import fmot_peers
import numpy as np
from kernel_speeds import matrix_rows, vector_rows

from femtodriver.arrays import Int64Array
from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.machine.machine import Machine
from femtodriver.native.native_machine import NativeMachine
from femtodriver.part import load_part

NATIVE, NUMPY = "native", "numpy"
FRAMES = {NATIVE: 2000, NUMPY: 8, fmot_peers.PYTHON: 8, fmot_peers.CPP: 24}
# (column, better than which peer, geometric mean and least value that we want)
GOALS = ((fmot_peers.PYTHON, "fmot Python", 300, None), (fmot_peers.CPP, "fmot C++", 130, 35))
LEAST_CYCLES, MOST_VECTOR_NS, LEAST_MACS, MOST_PREPARATION_MS = 150, 60, 50, 100


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def repeated(inputs: Mapping[str, Int64Array], frames: int) -> dict[str, Int64Array]:
    """So many frames, from the beginning again when they are used up."""
    return {name: np.resize(values, (frames, values.shape[1])) for name, values in inputs.items()}


@dataclass
class Model:
    """What was measured. ``seconds``: CPU time of a frame by runner; ``remarks``: what a peer could not do."""

    name: str
    cycles: float = 0.0
    preparation: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def ratio(self, peer: str) -> float | None:
        """How many times faster the native loop is; None where the peer did not run."""
        return self.seconds[peer] / self.seconds[NATIVE] if peer in self.seconds else None

    @property
    def million_cycles(self) -> float:
        """Million cycles of the program that are simulated in a second."""
        return self.cycles / self.seconds[NATIVE] / 1e6

    def line(self, peers: Sequence[str]) -> str:
        """The row of the table."""
        ratios = ["-" if (ratio := self.ratio(peer)) is None else f"{ratio:.0f}" for peer in peers]
        columns = [f"{1 / self.seconds[NATIVE]:.0f}", f"{self.million_cycles:.0f}", *ratios]
        return f"{self.name:31}" + "".join(f"{text:>10}" for text in (*columns, f"{self.preparation * 1e3:.0f}"))


def measure(folder: Path, backends: set[str], rounds: int, *, with_numpy: bool) -> Model:
    """All runners of a model take turns, after each has run once."""
    part = load_part()
    program = compile_network(load_network(folder / "graph.pt"), part).data
    stored, model = np.load(folder / "inputs.npz"), Model(folder.name)
    preparations = []
    for _ in range(3):
        gc.collect()
        preparations.append(cpu_seconds(lambda: NativeMachine(program, part)))
    model.preparation = statistics.median(preparations)
    machines: dict[str, Machine] = {NATIVE: NativeMachine(program, part)}
    if with_numpy:
        machines[NUMPY] = Machine(program, part)
    inputs = {name: stored[name].astype(np.int64).reshape(len(stored[name]), -1) for name in machines[NATIVE].inputs}
    work: dict[str, Callable[[], object]] = {}
    for name, machine in machines.items():
        machine.reset()
        frames = repeated(inputs, FRAMES[name])
        work[name] = lambda machine=machine, frames=frames: machine.run(frames)  # type: ignore[misc]
        work[name]()
    work |= _peers(folder, inputs, backends, model)
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            times[name].append(cpu_seconds(run) / FRAMES[name])
    model.seconds = {name: statistics.median(found) for name, found in times.items()}
    model.cycles = machines[NATIVE].report().frame_cycles.mean
    return model


def _peers(
    folder: Path, inputs: Mapping[str, Int64Array], backends: set[str], model: Model
) -> dict[str, Callable[[], object]]:
    """The peers that can run this model and get the outputs of the corpus."""
    if not backends:
        return {}
    work: dict[str, Callable[[], Any]] = {}
    peer, wanted = fmot_peers.FmotModel(folder / "graph.pt", inputs), np.load(folder / "outputs.npz")
    for backend in sorted(backends, reverse=True):
        try:
            work[backend] = peer.runner(backend, FRAMES[backend])
            made = peer.rows(work[backend]())
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            model.remarks.append(f"{folder.name}: fmot ({backend}) cannot run it: {str(error).splitlines()[0]}")
            work.pop(backend, None)
            continue
        for name, rows in zip(peer.outputs, made, strict=True):
            stored = wanted[name].reshape(len(wanted[name]), -1)[: len(rows)]
            if not np.array_equal(rows[: len(stored)], stored):
                model.remarks.append(f"{folder.name}: fmot ({backend}) gives another {name} than the corpus has")
    return work


def verdict(met: bool) -> str:
    """What stands behind a goal."""
    return "met" if met else "missed"


def summary(models: Sequence[Model]) -> Iterator[str]:
    """Geometric means and extremes beside their goals."""
    for peer, name, wanted, least in GOALS:
        ratios = {model.name: ratio for model in models if (ratio := model.ratio(peer)) is not None}
        if not ratios:
            continue
        mean, worst = exp(statistics.mean(map(log, ratios.values()))), min(ratios, key=lambda model: ratios[model])
        text = f"{name}: {mean:.0f} times in the geometric mean of {len(ratios)}"
        text += f" (goal {wanted}: {verdict(mean >= wanted)})"
        goal = "" if least is None else f" (goal {least}: {verdict(ratios[worst] >= least)})"
        yield f"{text}, least {ratios[worst]:.0f} on {worst}{goal}"
    slow = min(models, key=lambda model: model.million_cycles)
    goal = f"goal {LEAST_CYCLES}: {verdict(slow.million_cycles >= LEAST_CYCLES)}"
    below = sum(model.million_cycles < LEAST_CYCLES for model in models)
    yield f"fewest M cycles/s: {slow.million_cycles:.0f} on {slow.name} ({goal}; {below} of {len(models)} are below)"
    long = max(models, key=lambda model: model.preparation)
    goal = f"goal {MOST_PREPARATION_MS}: {verdict(long.preparation * 1e3 <= MOST_PREPARATION_MS)}"
    yield f"longest preparation: {long.preparation * 1e3:.0f} ms for {long.name} ({goal})"


def kernels() -> Iterator[str]:
    """The speed of single instructions beside their goals."""
    yield f"\nvector instruction of 64 elements, ns (goal {MOST_VECTOR_NS})"
    for name, taken in vector_rows():
        yield f"  {name:50}{taken:7.1f}  {verdict(taken <= MOST_VECTOR_NS)}"
    yield f"dense 512 x 512 products, the weights in L2, MAC/ns (goal {LEAST_MACS} for mac)"
    for name, rate in matrix_rows():
        yield f"  {name:50}{rate:7.1f}" + (f"  {verdict(rate >= LEAST_MACS)}" if name.startswith("mac") else "")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("patterns", nargs="*", default=["*"], help="names of models, with wildcards")
    parser.add_argument("--corpus", type=Path, default=Path(__file__).parents[2] / "shared" / "corpus" / "zoo")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="native loop alone: no peers, no NumPy machine, 3 rounds")
    parser.add_argument("--peers", type=Path, help="keep fmot's C++ backend in this folder, built once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.peers or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        backends, remarks = (set(), []) if options.short else fmot_peers.find_backends(folder)
        columns = [peer for peer in (fmot_peers.PYTHON, fmot_peers.CPP) if peer in backends]
        names = [f"x fmot {'C++' if peer == fmot_peers.CPP else 'Py'}" for peer in columns]
        columns, names = (columns, names) if options.short else ([*columns, NUMPY], [*names, "x NumPy"])
        titles = ("frames/s", "Mcycles/s", *names, "prep. ms")
        print(f"{'model':31}" + "".join(f"{title:>10}" for title in titles))
        models = []
        for path in sorted(options.corpus.iterdir()):
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in options.patterns):
                rounds = min(options.rounds, 3) if options.short else options.rounds
                models.append(measure(path, backends, rounds, with_numpy=not options.short))
                print(models[-1].line(columns), flush=True)
    for text in (*summary(models), *remarks, *(remark for model in models for remark in model.remarks), *kernels()):
        print(text)


if __name__ == "__main__":
    main()
