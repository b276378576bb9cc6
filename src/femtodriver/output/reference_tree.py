"""Files as the reference 1.3.0 lays them out, for scripts that read them: what ``--tree 1.3`` adds to ours.

::

    <output_dir>/<name>/meta_from_femtocrux/     instead of meta_from_femtodriver, for networks
    └── runner_inputs.pck, runner_outputs.pck, runner_internals.pck        after a comparison
    ./output_<runner>.npy                        after a comparison of runners with one output each
    ./output_hist.png, output_diff_over_time.png      the same, with matplotlib

The pickles hold plain dicts of arrays: {input: array}, {runner: {variable: array}}. We never read them again.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from femtodriver.files.file_access import write_file
from femtodriver.output.output_files import npy
from femtodriver.output.plots import can_draw, draw
from femtodriver.runners.execution import Execution

_PROTOCOL = 4


def write_pickles(folder: Path, execution: Execution) -> None:
    """Writes inputs, outputs and internal values of a comparison into the folder of metadata and images.

    ProgramError when that is not possible. Nothing is written of frames that were not kept.
    """
    for name, content in _pickled(execution).items():
        write_file(folder / name, pickle.dumps(content, _PROTOCOL))


def write_beside(execution: Execution) -> None:
    """Writes outputs and pictures of a comparison into the current folder, if every runner has one output."""
    for name, content in _beside(execution).items():
        write_file(Path(name), content)


def names_beside(execution: Execution) -> tuple[str, ...]:
    """The names of what ``write_beside`` writes, pictures apart."""
    outputs = execution.comparison.outputs
    if not execution.compared or execution.streamed or any(len(found) != 1 for found in outputs.values()):
        return ()
    return tuple(f"output_{runner}.npy" for runner in outputs)


def is_beside(path: Path) -> bool:
    """Whether ``write_beside`` could write this file."""
    here = os.path.realpath(path.parent) == os.path.realpath(os.curdir)
    return here and path.name.startswith("output_") and path.suffix == ".npy"


def _pickled(execution: Execution) -> Mapping[str, object]:
    if execution.streamed:
        return {}
    found = execution.comparison
    values = {"outputs": found.outputs, "internals": found.internals}
    inputs = {name: np.asarray(rows) for name, rows in execution.inputs.arrays.items()}
    plain = {kind: {runner: dict(arrays) for runner, arrays in runs.items()} for kind, runs in values.items()}
    return {"runner_inputs.pck": inputs, **{f"runner_{kind}.pck": runs for kind, runs in plain.items()}}


def _beside(execution: Execution) -> dict[str, bytes]:
    outputs = execution.comparison.outputs
    names = names_beside(execution)
    files = {name: npy(next(iter(found.values()))) for name, found in zip(names, outputs.values(), strict=False)}
    if files and can_draw():
        files.update(draw(outputs))
    return files
