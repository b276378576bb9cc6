"""What networks of the shapes of MLPerf Tiny cost: a row of a Markdown table each.

    python -m tests.tflite.measure_shapes [SHAPE ...]

Weights and input are random, so that results mean nothing; time, memory and energy hardly depend on them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from femtodriver import Femtodriver
from tests.tflite.tiny_shapes import TINY_SHAPES, tiny_model

PERIOD_S = 1.0
HEAD = (
    "| network | parameters | data memory | instructions | compiled in | cycles | time | energy "
    "| power at 1 per second |",
    "|---|---|---|---|---|---|---|---|---|",
)


def row(name: str) -> str:
    """Compiles and runs one frame."""
    with tempfile.TemporaryDirectory() as folder, Femtodriver() as driver:
        path = Path(folder) / f"{name}.tflite"
        path.write_bytes(tiny_model(TINY_SHAPES[name]))
        started = time.perf_counter()
        driver.load_model(path)
        driver.compile_metadata()
        seconds = time.perf_counter() - started
        network = driver.fqir
        assert network is not None
        (given,) = network.inputs
        frame = np.random.default_rng(0).integers(-128, 128, (1, given.size))
        doc = yaml.safe_load(driver.simulate({given.name: frame}, input_period=PERIOD_S)[1])
        compiled = driver.compiled_data
        assert compiled is not None
        info = compiled.info()
    data = sum(8 * sum(sizes.values()) for sizes in info.data_bank_sizes.values())
    words = sum(info.inst_counts.values())
    cells = (
        name.replace("_", " "),
        f"{network.parameter_count:,}",
        f"{data / 1024:,.0f} KiB",
        f"{words:,}",
        f"{seconds:.1f} s",
        f"{doc['cycles']['total']:,.0f}",
        f"{1e3 * doc['Latency (s)']:.2f} ms",
        f"{1e6 * doc['energy_j']['total']['typical']:.1f} uJ",
        f"{1e6 * doc['Power (W)']:.0f} uW",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join(HEAD))
    for chosen in sys.argv[1:] or TINY_SHAPES:
        print(row(chosen), flush=True)
