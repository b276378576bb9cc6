"""What it costs to read ``.fqir`` files: ``python -m tests.fqir.exchange.measure_reading``.

Each file in a process of its own: peak memory of the first reading, the interpreter and NumPy included, and CPU time,
the median of ROUNDS later ones. Then the whole corpus, one reading of each graph.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from femtodriver.errors import ModelError
from femtodriver.fqir.exchange import fqir_bytes, load_fqir
from femtodriver.fqir.files.load_network import load_network
from tests.corpus.corpus_check import graph_names
from tests.fqir.exchange.largest_files import FILES
from tests.fqir.files.attack_runner import peak_bytes

ROOT = Path(__file__).resolve().parents[3]
SPOTTER = ROOT / "examples" / "keyword_spotter" / "keyword_spotter.pt"
CORPUS = ROOT.parent / "shared" / "corpus"
ROUNDS = 5


def read(source: Path | bytes) -> float:
    """CPU seconds of reading it, or of refusing it."""
    start = time.process_time()
    with contextlib.suppress(ModelError):
        load_fqir(source)
    return time.process_time() - start


def measure_here(path: Path) -> None:
    """Prints seconds and bytes of one file."""
    read(path)
    peak = peak_bytes()
    print(json.dumps([statistics.median(read(path) for _ in range(ROUNDS)), peak]))


def measure_elsewhere(path: Path) -> None:
    """The same from a fresh process, as a row."""
    words = [sys.executable, "-m", "tests.fqir.exchange.measure_reading", str(path)]
    seconds, peak = json.loads(subprocess.run(words, capture_output=True, check=True, cwd=ROOT).stdout)
    print(f"{path.name:24} {path.stat().st_size:>11,} bytes {seconds:7.3f} s {peak / 1e6:5.0f} MB")


def measure_corpus() -> None:
    """Sizes of all graphs in either format, and the time for reading all as ``.fqir``."""
    paths = [CORPUS / name / "graph.pt" for name in graph_names(CORPUS)]
    contents = [fqir_bytes(load_network(path)) for path in paths]
    sizes = [sum(path.stat().st_size for path in paths) / 1e6, sum(map(len, contents)) / 1e6]
    seconds = sum(map(read, contents))
    print(f"{len(paths)} graphs: {sizes[0]:.1f} MB as .pt, {sizes[1]:.1f} MB as .fqir, read in {seconds:.2f} s")


if __name__ == "__main__":
    if sys.argv[1:]:
        measure_here(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            files = {"keyword_spotter": lambda: fqir_bytes(load_network(SPOTTER)), **FILES}
            for name, make in files.items():
                path = Path(made, f"{name}.fqir")
                path.write_bytes(make())
                measure_elsewhere(path)
        measure_corpus()
