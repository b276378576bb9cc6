"""Seconds until a compiled program can run on the native loop: decoding, and the weights with the first frame.

    python benchmarks/preparation.py [--corpus ../shared/corpus/zoo] [--rounds 5] [PATTERN ...]

CPU time, medians. ``make`` makes the machine of the program, ``weights`` is what the first frame takes longer than a
later one, because the loop asks for weights when it meets them.
"""

from __future__ import annotations

import argparse
import fnmatch
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.native.native_machine import NativeMachine
from femtodriver.part import load_part
from femtodriver.program.compiled_data import CompiledData

LIMIT_S = 0.1


@dataclass(frozen=True)
class Row:
    """Instructions of all cores; seconds of CPU time."""

    instructions: int
    make: float
    weights: float


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(program: CompiledData, rounds: int) -> Row:
    """The medians of some rounds; the first one, which loads modules, does not count."""
    part = load_part()
    make, weights, machine = [], [], None
    for _ in range(rounds + 1):
        start = time.process_time()
        machine = NativeMachine(program, part)
        machine.reset()
        make.append(time.process_time() - start)
        frame = {name: np.ones(record.usable, np.int64) for name, record in machine.inputs.items()}
        first, second = (cpu_seconds(lambda: machine.step(frame)) for _ in range(2))  # noqa: B023 - called at once
        weights.append(first - second)
    instructions = sum(len(processor.rows) for processor in machine.spu.processors.values()) if machine else 0
    return Row(instructions, statistics.median(make[1:]), statistics.median(weights[1:]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--corpus", type=Path, default=Path(__file__).parents[2] / "shared" / "corpus" / "zoo")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{'model':32} {'instructions':>12} {'make ms':>8} {'weights ms':>10} {'both ms':>8}")
    worst = 0.0
    for folder in sorted(options.corpus.iterdir()):
        if any(fnmatch.fnmatch(folder.name, pattern) for pattern in options.patterns):
            row = measure(compile_network(load_network(folder / "graph.pt"), load_part()).data, options.rounds)
            both = row.make + row.weights
            worst = max(worst, both)
            print(
                f"{folder.name:32} {row.instructions:12} {row.make * 1e3:8.1f} {row.weights * 1e3:10.1f} "
                f"{both * 1e3:8.1f}",
                flush=True,
            )
    print(f"the most: {worst * 1e3:.0f} ms; wanted: at most {LIMIT_S * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
