"""The process that runs a user's file: it builds the module, converts it, and writes what came of it into a folder.

Our side of it is in ``conversion_process``. What this process says is read there as plain data and by the loader of
network files, which executes nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver.errors import FemtoError, ModelError
from femtodriver.files.file_access import read_file, write_file
from femtodriver.files.plain_json import load_json
from femtodriver.inputs.open_inputs import read_array
from femtodriver.pytorch.calibration import LABELS, TARGETS, Calibration
from femtodriver.pytorch.conversion_process import ARRAYS, GRAPH, JOB, RESULT, STAGE, TOOLS
from femtodriver.pytorch.convert_module import SEED, convert_module, quiet
from femtodriver.pytorch.foreign_code import ForeignCode, place_of, raised
from femtodriver.pytorch.module_reference import ModuleReference, offered_names

MOST_JOB_BYTES = 1 << 20


def main() -> None:
    """Do the job in the folder that the command line names, and end."""
    threading.Thread(target=_end_with_parent, args=(os.dup(0),), daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    folder = Path(sys.argv[1])
    try:
        said = _converted(folder)
    except FemtoError as error:
        said = {"error": type(error).__name__, "text": str(error)}
    write_file(folder / RESULT, json.dumps(said).encode())
    os._exit(0)  # threads of the user's may go on for ever


def _end_with_parent(link: int) -> None:
    """End when the other end of our standard input is closed: nobody waits for us any more."""
    os.read(link, 1)
    os._exit(1)


def _converted(folder: Path) -> dict[str, Any]:
    job = load_json(read_file(folder / JOB, MOST_JOB_BYTES), JOB, ModelError)

    def stage(text: str) -> None:
        write_file(folder / STAGE, text.encode())

    stage("loading torch and fmot")
    torch = _seeded_torch()
    reference = ModuleReference(Path(job["file"]), job["name"])
    stage("running the file")
    module = _built(reference, torch)
    sys.stdout.flush()
    sys.stderr.flush()
    tools = os.open(folder / TOOLS, os.O_WRONLY | os.O_CREAT)
    os.dup2(tools, 1)
    os.dup2(tools, 2)
    calibration = _calibration(folder, job["calibration"])
    made = convert_module(module, reference.where, calibration, job["precision"], job["time_axis"], stage)
    torch.save(made.graph, folder / GRAPH)
    return {"lines": made.lines, "quality": made.quality, "versions": made.versions, "time_axis": made.time_axis}


def _seeded_torch() -> Any:
    """torch, and every random generator where it always begins, so that untrained weights are the same every time."""
    with quiet():
        torch = importlib.import_module("torch")
        importlib.import_module("fmot")
    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    return torch


def _calibration(folder: Path, where: str) -> Calibration:
    found = read_array(folder / ARRAYS)
    arrays = dict(found) if isinstance(found, dict) else {}
    labels, targets = arrays.pop(LABELS, None), arrays.pop(TARGETS, None)
    return Calibration(where, arrays, labels, targets, "")


def _built(reference: ModuleReference, torch: Any) -> Any:
    """The module that the reference means. ModelError where the user's code fails."""
    content = _executed(reference)
    found = getattr(content, reference.name, None)
    if found is None:
        offered = ", ".join(offered_names(reference.file)[:5])
        raise ModelError(
            f"{reference.where}: the file must have a function {reference.name} without arguments that returns the "
            f"module, but has none of that name{f'; it has {offered}' if offered else ''}."
        )
    if isinstance(found, torch.nn.Module) or not callable(found):
        return found
    _check_arguments(found, reference)
    caught, module = ForeignCode(), None
    with caught:
        module = found()
    if caught.error is not None:
        raise _fault(caught.error, reference, f"{reference.name}()")
    return module


def _check_arguments(found: Any, reference: ModuleReference) -> None:
    """ModelError for a function that needs arguments."""
    try:
        given = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):  # Python does not know; the call will tell
        return
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [one.name for one in given if one.default is one.empty and one.kind not in kinds]
    if needed:
        raise ModelError(
            f"{reference.where}: must be callable without arguments, but needs {', '.join(needed)}; write a function "
            f"that gives them: def build(): return {reference.name}(...)."
        )


def _executed(reference: ModuleReference) -> Any:
    """The file as a module of Python, run like a script: its own folder is the first that it imports from."""
    name = reference.file.stem
    sys.path.insert(0, str(reference.file.resolve().parent))
    name = f"_{name}" if name in sys.modules else name
    spec = importlib.util.spec_from_file_location(name, reference.file)
    if spec is None or spec.loader is None:
        raise ModelError(f"{reference.where}: must be a file of Python that ends in .py.")
    content = importlib.util.module_from_spec(spec)
    sys.modules[name] = content
    caught = ForeignCode()
    with caught:
        spec.loader.exec_module(content)
    if caught.error is not None:
        raise _fault(caught.error, reference, "the file")
    return content


def _fault(error: BaseException, reference: ModuleReference, what: str) -> ModelError:
    place = place_of(error) or reference.where
    return ModelError(f"{place}: {what} must run, but raised {raised(error)}.")
