"""Files as the reference 2.x lays them out, for scripts that read them: what ``--tree 2.6`` adds to ours.

::

    <output_dir>/<full>/                  <full> = <name>_<part>, with _noenc or _key<n> behind it where that is so
    ├── <full>.femto, <full>_metadata.yaml, <full>_iospec.yaml
    ├── debug/<full>.fqirtxt              a listing of the network
    ├── debug/runner_inout.pck            after a run: {"in": inputs, "out": outputs, "internals": ...}
    ├── run_metrics.yaml                  after a run of one runner that measures: fasmir, or a board
    └── compare_metrics.yaml              after a comparison: the verdict, and the metrics of each runner that has any

The pickle holds plain dicts of arrays: {input: array}, {runner: {variable: array}}. We never read it again.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver.files.file_access import make_directory, write_file
from femtodriver.fqir.graph_text import network_text
from femtodriver.metrics import document_yaml
from femtodriver.model.build_model import Built
from femtodriver.output.file_names import safe_name
from femtodriver.program.images import METADATA_FILE
from femtodriver.runners.execution import SIMULATOR, Execution

DEBUG = "debug"
RUN_METRICS, COMPARE_METRICS = "run_metrics.yaml", "compare_metrics.yaml"
RUN_FILES = frozenset({DEBUG, RUN_METRICS, COMPARE_METRICS})
_PROTOCOL = 4


def newer_program_names(built: Built) -> dict[str, str]:
    """The names of the files of the program in the model's folder, by what they hold."""
    full = safe_name(built.folder)
    return {"femto": f"{full}.femto", "metadata": f"{full}_metadata.yaml", "iospec": f"{full}_iospec.yaml"}


def write_newer_program(folder: Path, built: Built, femto: bytes) -> None:
    """Writes the files of the program into the model's folder. ProgramError when that is not possible."""
    names = newer_program_names(built)
    write_file(folder / names["femto"], femto)
    write_file(folder / names["metadata"], built.data.read_txt(METADATA_FILE).encode("utf-8"))
    built.iospec.write_spec_to_file(folder / names["iospec"])
    network = built.source.network
    if network is not None:
        make_directory(folder / DEBUG)
        write_file(folder / DEBUG / f"{safe_name(built.folder)}.fqirtxt", network_text(network).encode("utf-8"))


def write_newer_run(folder: Path, execution: Execution, doc: Mapping[str, Any] | None) -> None:
    """Writes what a run gave into the model's folder; nothing is pickled of frames that were not kept.

    ``doc``: the metrics of what was simulated. ProgramError when that is not possible.
    """
    if not execution.streamed:
        make_directory(folder / DEBUG)
        write_file(folder / DEBUG / "runner_inout.pck", pickle.dumps(_pickled(execution), _PROTOCOL))
    measured = _measured(execution, doc)
    if execution.compared:
        verdict = {"pass": execution.comparison.passed, "status_str": execution.comparison.status}
        write_file(folder / COMPARE_METRICS, document_yaml({**verdict, **measured}).encode("utf-8", "backslashreplace"))
    for metrics in measured.values() if not execution.compared else ():
        write_file(folder / RUN_METRICS, document_yaml(metrics).encode("utf-8", "backslashreplace"))


def newer_run_names(execution: Execution, doc: Mapping[str, Any] | None) -> list[str]:
    """The names of what ``write_newer_run`` writes, below the model's folder."""
    names = [] if execution.streamed else [f"{DEBUG}/runner_inout.pck"]
    if execution.compared:
        return [*names, COMPARE_METRICS]
    return [*names, RUN_METRICS] if _measured(execution, doc) else names


def _measured(execution: Execution, doc: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """The metrics by the name of the runner."""
    found: dict[str, Mapping[str, Any]] = {}
    if doc is not None:
        found[SIMULATOR] = doc
    board = execution.board_metrics
    if board is not None and execution.board_runner is not None:
        found[execution.board_runner.name] = board
    return found


def _pickled(execution: Execution) -> dict[str, object]:
    found = execution.comparison
    inputs = {name: np.asarray(rows) for name, rows in execution.inputs.arrays.items()}
    out, internals = (
        {runner: dict(arrays) for runner, arrays in runs.items()} for runs in (found.outputs, found.internals)
    )
    return {"in": inputs, "out": out, "internals": internals}
