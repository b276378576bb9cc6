"""What a run leaves in a model's folder beside the program: the comparison, and the traffic with a board.

::

    comparison/
    ├── comparison.yaml            verdict, runners, seed, tolerance, what differs in each pair
    ├── inputs.npz                 one array (frames, elements) per input
    ├── outputs.npz                one per output of each runner, called "runner/output"
    ├── internals.npz              the same for debug variables, if there are any
    └── output_hist.png, output_diff_over_time.png       of what differs or ran on a board, with matplotlib
    io_records/all.yaml, all_hex.yaml, all_hex.txt       after a run on a board or a fake
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from femtodriver.files.file_access import make_directory, write_file
from femtodriver.metrics import document_yaml
from femtodriver.output.output_files import by_runner, escaped, npz
from femtodriver.output.plots import draw
from femtodriver.program.bus.write_recordings import recording_hex_text, recording_yaml
from femtodriver.runners.compare_runs import Comparison, Verdict
from femtodriver.runners.difference import Difference
from femtodriver.runners.execution import Execution, Recordings

FOLDER = "comparison"
SCHEMA = "femtodriver-comparison/1"
OWN_RUNNERS = frozenset({"fqir", "fmir", "fasmir"})


def write_comparison(folder: Path, execution: Execution) -> None:
    """Writes all files of a comparison into the folder, which is made. ProgramError when that is not possible.

    Of frames that were not kept there is the verdict alone.
    """
    make_directory(folder)
    found = execution.comparison
    document = document_yaml(comparison_document(execution))
    write_file(folder / "comparison.yaml", document.encode("utf-8", "backslashreplace"))
    if execution.streamed:
        return
    write_file(folder / "inputs.npz", npz(escaped(execution.inputs.arrays)))
    write_file(folder / "outputs.npz", npz(by_runner(found.outputs)))
    if any(found.internals.values()):
        write_file(folder / "internals.npz", npz(by_runner(found.internals)))
    for name, picture in draw(found.outputs).items() if pictured(found) else ():
        write_file(folder / name, picture)


def pictured(found: Comparison) -> bool:
    """Whether pictures belong to it: something differs, or more took part than our own three runners.

    Loading matplotlib takes longer than most runs; all zeros need no picture.
    """
    if found.streamed is not None:
        return False
    return not found.passed or not OWN_RUNNERS.issuperset(found.outputs)


def comparison_document(execution: Execution) -> dict[str, Any]:
    """What ``comparison.yaml`` holds."""
    found, request = execution.comparison, execution.request
    on_board = "hw" in execution.runners
    return {
        "schema": SCHEMA,
        "pass": found.passed,
        "status": found.status,
        "runners": list(found.frames),
        "frames": found.frames,
        "partial": execution.partial.table if execution.partial else None,
        "tolerance": found.tolerance or 0,
        "seed": execution.inputs.seed,
        "notes": list(execution.inputs.notes),
        "model": execution.model.model,
        "hardware": request.hardware if on_board else None,
        "hardware_address": request.address if on_board else None,
        "debug_variables": list(execution.model.debug_names),
        "pairs": [_pair(verdict) for verdict in found.verdicts],
    }


def write_traffic(folder: Path, recordings: Recordings) -> None:
    """Writes ``all.yaml``, ``all_hex.yaml``, ``all_hex.txt``. ProgramError when that is not possible."""
    make_directory(folder)
    for name, text in (
        ("all.yaml", recording_yaml(recordings)),
        ("all_hex.yaml", recording_yaml(recordings, hexadecimal=True)),
        ("all_hex.txt", recording_hex_text(recordings)),
    ):
        write_file(folder / name, text.encode("ascii", "backslashreplace"))


def _pair(verdict: Verdict) -> dict[str, Any]:
    found: dict[str, Any] = {
        "first": verdict.first,
        "other": verdict.other,
        "equal": not verdict.outputs,
        "output": _place(next(iter(verdict.outputs), None), verdict),
        "outputs": [_place(one, verdict) for one in verdict.outputs],
        "internal": _place(verdict.internals, verdict),
    }
    if verdict.maker and found["internal"]:
        found["internal"]["made_by"] = verdict.maker
    return found


def _place(found: Difference | None, verdict: Verdict) -> dict[str, Any] | None:
    """One variable that differs, with the first place; None for none."""
    if found is None:
        return None
    if found.frame < 0:
        return {"variable": found.variable or None, "reason": found.text}
    element: Any = list(found.element) if len(found.element) > 1 else next(iter(found.element), None)
    names = (verdict.first, verdict.other)
    values = dict(zip(names, found.values, strict=True))
    return {
        "variable": found.variable,
        "frame": found.frame,
        "element": element,
        "values": values,
        "count": found.count,
        "compared": found.compared,
        "largest": found.largest,
    }
