"""How long a user waits: start-up, the smallest run, loading and compiling, beside ``import torch, fmot``.

See README.md in this folder. Standard library only.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path

ZOO = Path(__file__).resolve().parents[2] / "shared/corpus/zoo"
MODEL = ZOO / "gru_kws_L_double_p0/graph.pt"
DENOISER = ZOO / "stft_denoise_M_double_p0/graph.pt"
SAMPLE_RATE = 16_000
YARDSTICK = "import torch, fmot"
TIME_LIMIT_S = 300

COMPILE = """
import sys
from femtodriver import Femtodriver
with Femtodriver() as fd:
    fd.compile(sys.argv[1], model_name="benchmark", output_dir=sys.argv[2])
"""


@dataclass
class Row:
    """One thing to measure; ``limit`` in seconds.

    ``seconds`` that one waits, and ``cpu`` of user and system have one entry per round.
    Python's caches of compiled modules are in the folder that it runs in, filled by the first round, as they are after
    an installation.
    """

    name: str
    command: list[str]
    limit: float | None = None
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    trouble: str = ""

    def run(self, folder: str, count: bool) -> None:
        """One fresh process, timed from start to exit."""
        if self.trouble:
            return
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "caches")
        before, start = _cpu_of_children(), time.perf_counter()
        try:
            done = subprocess.run(
                self.command,
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIME_LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self.trouble = str(error)
            return
        elapsed = time.perf_counter() - start
        if done.returncode != 0:
            self.trouble = f"exit {done.returncode}: {(done.stderr.strip().splitlines() or ['(silent)'])[-1]}"
        elif count:
            self.seconds.append(elapsed)
            self.cpu.append(_cpu_of_children() - before)


def _cpu_of_children() -> float:
    """CPU seconds of all processes that have ended."""
    used = os.times()
    return used.children_user + used.children_system


def write_second(path: Path) -> None:
    """One second of noise, 16 bits."""
    numbers = random.Random(0)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, SAMPLE_RATE, "NONE", ""))
        file.writeframes(struct.pack(f"<{SAMPLE_RATE}h", *(numbers.randint(-8000, 8000) for _ in range(SAMPLE_RATE))))


def rows(model: Path, folder: str) -> list[Row]:
    """What is measured, in the order of the table; the yardstick last."""
    python = sys.executable
    drive = str(Path(python).with_name("femtodrive"))
    audio = Path(folder) / "second.wav"
    write_second(audio)
    found = [
        Row("python -c pass", [python, "-c", "pass"]),
        Row("femtodrive --help", [drive, "--help"], 0.1),
        Row("femtodrive LOOPBACK --runners fqir,fasmir", [drive, "LOOPBACK", "--runners", "fqir,fasmir"], 0.5),
        Row("femtodrive stft_denoise_M, 1 s of audio", [drive, str(DENOISER), "--input-file", str(audio)], 1.5),
        Row(f"load and compile {model.parent.name}/{model.name}", [python, "-c", COMPILE, str(model), folder], 3.0),
    ]
    for row, file in zip(found[-2:], (DENOISER, model), strict=True):
        if not file.is_file():
            row.trouble = f"{file} is not there; give a network with --model" if file == model else f"needs {file}"
    yardstick = Row(f'python -c "{YARDSTICK}"', [python, "-W", "ignore", "-c", YARDSTICK])
    if any(importlib.util.find_spec(name) is None for name in ("torch", "fmot")):
        yardstick.trouble = "torch and fmot are not installed"
    return [*found, yardstick]


def table(measured: list[Row]) -> str:
    """The rows as text; times in milliseconds."""
    yardstick = statistics.median(measured[-1].seconds) if measured[-1].seconds else None
    lines = [f"{'':48} {'median':>9} {'fastest':>9} {'slowest':>9} {'CPU':>9} {'of last row':>12}  goal"]
    for row in measured:
        if row.trouble:
            lines.append(f"{row.name:48} not measured: {row.trouble}")
            continue
        median = statistics.median(row.seconds)
        shown = (median, min(row.seconds), max(row.seconds), statistics.median(row.cpu))
        numbers = "".join(f" {1000 * value:6.0f} ms" for value in shown)
        share = f"{median / yardstick:11.3f} x" if yardstick else " " * 13
        goal = "" if row.limit is None else f"< {1000 * row.limit:.0f} ms: {'met' if median < row.limit else 'missed'}"
        lines.append(f"{row.name:48}{numbers} {share}  {goal}".rstrip())
    return "\n".join(lines)


def main() -> int:
    """Measure and print; exit status 1 if a row of ours could not be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="counted rounds (default 7)")
    parser.add_argument("--model", type=Path, default=MODEL, help="network to load and compile")
    arguments = parser.parse_args()
    if arguments.repeats < 1:
        parser.error("--repeats must be at least 1")
    with tempfile.TemporaryDirectory() as folder:
        measured = rows(arguments.model.resolve(), folder)
        for turn in range(arguments.repeats + 1):
            for row in measured:
                row.run(folder, count=turn > 0)
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; {arguments.repeats} rounds"
    )
    print(table(measured))
    return int(any(row.trouble for row in measured[:-1]))


if __name__ == "__main__":
    sys.exit(main())
