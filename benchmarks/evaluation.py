"""How much faster two worker processes evaluate a data set than one: ``python benchmarks/evaluation.py``.

Clips of random features for the keyword spotter of the examples; rounds with one worker and with two take turns. The
times are those of ``Femtodriver.evaluate`` as a whole: compiling, starting processes, running, writing results. On a
machine that does other things too, wall-clock time says little; CPU time says then what two free cores would give: the
work of this process stays, and that of the workers is shared out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from femtodriver import Femtodriver

MODEL = Path(__file__).resolve().parents[1] / "examples" / "keyword_spotter" / "keyword_spotter.pt"
WIDTH = 32
GOAL = 1.8


def write_clips(folder: Path, clips: int, frames: int) -> None:
    """Random features that stay clear of the limits."""
    random = np.random.default_rng(0)
    for number in range(clips):
        np.save(folder / f"{number:04}.npy", random.integers(-2000, 2000, (frames, WIDTH), np.int16))


def cpu_seconds() -> tuple[float, float]:
    """CPU time so far of this process, and of the processes that it has started and that have ended."""
    times = os.times()
    return times.user + times.system, times.children_user + times.children_system


def seconds(folder: Path, workers: int, clips: str = "clips") -> tuple[float, float, float]:
    """How long one evaluation takes, with nothing left of an earlier one: wall clock, CPU here, CPU of the workers."""
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    start, before = time.perf_counter(), cpu_seconds()
    Femtodriver().evaluate(MODEL, inputs=str(folder / clips), workers=workers, output_dir=results)
    here, workers_s = (after - one for after, one in zip(cpu_seconds(), before, strict=True))
    return time.perf_counter() - start, here, workers_s


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--frames", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "clips").mkdir()
        write_clips(folder / "clips", given.clips, given.frames)
        seconds(folder, 1, "clips/0000.npy")  # loads what is loaded once
        times: dict[int, list[tuple[float, float, float]]] = {1: [], 2: []}
        for _ in range(given.rounds):
            for workers, found in times.items():
                found.append(seconds(folder, workers))
    load = os.getloadavg()[0]
    print(f"{given.clips} clips of {given.frames} frames, {os.cpu_count()} cores, load {load:.1f}; medians")
    medians = {
        workers: [statistics.median(column) for column in zip(*found, strict=True)] for workers, found in times.items()
    }
    print("workers  wall clock  clips/s  CPU here  CPU of workers")
    for workers, (wall, here, work) in medians.items():
        print(f"{workers:7}  {wall:8.2f} s  {given.clips / wall:7.1f}  {here:6.2f} s  {work:12.2f} s")
    ratio = medians[1][0] / medians[2][0]
    print(f"wall clock: two workers are {ratio:.2f} x as fast (goal: {GOAL} on two free cores)")
    (_, here, work), (_, here2, work2) = medians[1], medians[2]
    free = (here + work) / (here2 + work2 / 2)
    print(f"CPU time: on two free cores they would be {free:.2f} x as fast")
    return 0


if __name__ == "__main__":
    sys.exit(main())
