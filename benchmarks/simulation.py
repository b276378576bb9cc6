"""Frames per second of both machines on the zoo, side by side in one process: CPU time, interleaved, medians.

    python benchmarks/simulation.py [--corpus ../shared/corpus/zoo] [--rounds 5] [PATTERN ...]

Counting is on, as always. ``ratio``: how many times faster the native loop is; its geometric mean is printed last.
"""

from __future__ import annotations

import argparse
import fnmatch
import statistics
import time
from collections.abc import Callable, Mapping
from math import exp, log
from pathlib import Path

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.machine.machine import Machine
from femtodriver.native.native_machine import NativeMachine
from femtodriver.part import load_part

SLOW_FRAMES, FAST_FRAMES = 8, 400


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def repeated(inputs: Mapping[str, Int64Array], frames: int) -> dict[str, Int64Array]:
    """So many frames, from the beginning again when they are used up."""
    return {name: np.resize(values, (frames, values.shape[1])) for name, values in inputs.items()}


def measure(folder: Path, rounds: int) -> tuple[float, float, float]:
    """Seconds of a frame on the NumPy machine and on the loop, and cycles of a frame."""
    part = load_part()
    program = compile_network(load_network(folder / "graph.pt"), part).data
    stored = np.load(folder / "inputs.npz")
    slow, fast = Machine(program, part), NativeMachine(program, part)
    inputs = {name: stored[name].astype(np.int64).reshape(len(stored[name]), -1) for name in slow.inputs}
    few, many = repeated(inputs, SLOW_FRAMES), repeated(inputs, FAST_FRAMES)
    for machine in (slow, fast):
        machine.reset()
        machine.run(few)  # weights are decoded once
    times: dict[Machine, list[float]] = {slow: [], fast: []}
    for _ in range(rounds):
        times[slow].append(cpu_seconds(lambda: slow.run(few)) / SLOW_FRAMES)
        times[fast].append(cpu_seconds(lambda: fast.run(many)) / FAST_FRAMES)
    cycles = slow.report().frame_cycles.mean
    return statistics.median(times[slow]), statistics.median(times[fast]), cycles


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--corpus", type=Path, default=Path(__file__).parents[2] / "shared" / "corpus" / "zoo")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{'model':32} {'numpy us':>9} {'native us':>9} {'ratio':>6} {'M cycles/s':>10}")
    ratios = []
    for folder in sorted(options.corpus.iterdir()):
        if any(fnmatch.fnmatch(folder.name, pattern) for pattern in options.patterns):
            slow, fast, cycles = measure(folder, options.rounds)
            ratios.append(slow / fast)
            print(
                f"{folder.name:32} {slow * 1e6:9.0f} {fast * 1e6:9.1f} {slow / fast:6.0f} {cycles / fast / 1e6:10.0f}"
            )
    print(f"geometric mean of the ratio: {exp(sum(map(log, ratios)) / len(ratios)):.0f}, least {min(ratios):.0f}")


if __name__ == "__main__":
    main()
