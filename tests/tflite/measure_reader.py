"""Reads, checks and shows the files named on the command line; a JSON line about each: outcome, calls, memory.

Run as a process of its own (``python -m tests.tflite.measure_reader``): the memory is that of the reader alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from femtodriver.errors import ModelError
from femtodriver.inspection import inspect_file, report_json
from femtodriver.tflite.check_graphs import check_graphs
from femtodriver.tflite.read_model import read_model
from tests.fqir.files.attack_runner import forget_peak, peak_bytes
from tests.fqir.files.work import Work


def outcome(data: bytes) -> tuple[str, str]:
    """Whether a file is loaded or refused, and the sentence. Anything else is an error of ours, and raised."""
    try:
        check_graphs(read_model(data))
    except ModelError as error:
        return "refused", str(error)
    return "loaded", ""


def main(*names: str) -> None:
    for name in names:
        data = Path(name).read_bytes()
        forget_peak()
        with Work() as work:
            verdict, message = outcome(data)
        report_json(inspect_file(name))
        row = {"case": Path(name).name, "outcome": verdict, "message": message, "calls": work.calls}
        print(json.dumps({**row, "peak_bytes": peak_bytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
