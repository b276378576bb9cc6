"""Conversion in a process of its own, because it runs the user's file: started, waited for, and ended whatever happens.

What comes back is not trusted: a graph goes through the loader of network files, everything else is plain JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver.errors import FemtoError, InputError, ModelError, UnsupportedError, UsageError
from femtodriver.files.file_access import read_file, write_file
from femtodriver.files.plain_json import load_json
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.program.plain_records import PlainValue
from femtodriver.pytorch.calibration import LABELS, TARGETS, Calibration
from femtodriver.pytorch.module_reference import ModuleReference
from femtodriver.safe_text import short_line

JOB, RESULT, GRAPH, ARRAYS, STAGE, TOOLS = "job.json", "result.json", "graph.pt", "arrays.npz", "stage.txt", "tools.txt"
PRINTED = "printed.txt"
_ERRORS: dict[str, type[FemtoError]] = {
    error.__name__: error for error in (InputError, ModelError, UnsupportedError, UsageError)
}
_START = (
    "import sys; sys.path[:] = [place for place in sys.path if place]; "
    "from femtodriver.pytorch.conversion_child import main; main()"
)
_SAID = {"lines": list, "quality": dict, "versions": dict}
_LOOK_S = 0.05
_MOST_PRINTED = 1 << 24
_MOST_RESULT = 1 << 20
_MOST_LINE = 200


@dataclass(frozen=True, eq=False)
class ChildResult:
    """``graph``: of fmot, as ``torch.save`` wrote it; ``lines``: what is told; ``quality``: figures of
    ``quality_of``; ``versions``: of torch and fmot; ``printed``: lines that the user's code printed.
    """

    network: Network
    graph: bytes
    lines: tuple[str, ...]
    quality: dict[str, PlainValue]
    versions: dict[str, str]
    time_axis: int | None
    printed: tuple[str, ...]


def convert_in_child(
    reference: ModuleReference,
    name: str,
    calibration: Calibration,
    precision: str,
    time_axis: int | None,
    timeout_s: float,
) -> ChildResult:
    """Build and convert the module. ``name``: of the network.

    ModelError where the file or the process fails or takes longer than ``timeout_s`` seconds; what ``convert_module``
    raises.
    """
    with tempfile.TemporaryDirectory(prefix="femtodrive-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        job = {
            "file": str(reference.file),
            "name": reference.name,
            "calibration": calibration.where,
            "precision": precision,
            "time_axis": time_axis,
        }
        write_file(folder / JOB, json.dumps(job).encode())
        write_file(folder / ARRAYS, _archive(calibration))
        status = _run(folder, reference, timeout_s)
        if not (folder / RESULT).exists():
            raise ModelError(_death(folder, reference, status))
        said = load_json(read_file(folder / RESULT, _MOST_RESULT, ModelError), reference.where, ModelError)
        return _checked(said, folder, reference, name)


def _checked(said: Any, folder: Path, reference: ModuleReference, name: str) -> ChildResult:
    """What the process has said, as long as it has the form that ours gives it."""
    found = said if isinstance(said, dict) else {}
    if isinstance(found.get("text"), str):
        raise _ERRORS.get(str(found.get("error")), ModelError)(found["text"])
    time_axis = found.get("time_axis")
    if not all(isinstance(found.get(name), kind) for name, kind in _SAID.items()) or time_axis not in (None, 1, 2):
        raise ModelError(f"{reference.where}: the process that converts must say what came of it, but wrote nonsense.")
    graph = read_file(folder / GRAPH, MAX_FILE_BYTES, ModelError)
    network = load_network(graph, name)
    told = tuple(short_line(str(line), _MOST_LINE) for line in found["lines"])
    quality = {str(key): _plain(value) for key, value in found["quality"].items()}
    packages = {str(key): short_line(str(value), _MOST_LINE) for key, value in found["versions"].items()}
    return ChildResult(network, graph, told, quality, packages, time_axis, tuple(_lines(folder / PRINTED)))


def _plain(value: Any) -> PlainValue:
    return value if isinstance(value, (int, float)) else short_line(str(value), _MOST_LINE)


def _archive(calibration: Calibration) -> bytes:
    held = {LABELS: calibration.labels, TARGETS: calibration.targets}
    arrays: dict[str, Any] = {**calibration.inputs, **{key: value for key, value in held.items() if value is not None}}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _run(folder: Path, reference: ModuleReference, timeout_s: float) -> int:
    """Its exit status. ModelError if it takes too long or prints without end."""
    words = [sys.executable, "-c", _START, str(folder)]
    with (
        (folder / PRINTED).open("wb") as printed,
        subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True
        ) as child,
        _ended(child),
    ):
        end = time.monotonic() + timeout_s
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.wait(_LOOK_S)
            if time.monotonic() > end:
                raise ModelError(
                    f"{reference.where}: the conversion must take at most {timeout_s:g} s, but was still "
                    f"{_stage(folder)}; give it more with --conversion-timeout."
                )
            if os.fstat(printed.fileno()).st_size > _MOST_PRINTED:
                raise ModelError(f"{reference.where}: must print at most {_MOST_PRINTED >> 20} MiB; print less.")


@contextlib.contextmanager
def _ended(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """At the end, however it comes, the process and those that it has started are gone."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
        child.wait()


def _death(folder: Path, reference: ModuleReference, status: int) -> str:
    how = f"ended with the status {status}"
    if status < 0:
        how = f"was ended by {signal.Signals(-status).name}"
        how += " (the system does so where memory is short)" if -status == getattr(signal, "SIGKILL", 0) else ""
    lines = [*_lines(folder / PRINTED), *_lines(folder / TOOLS)]
    last = f"; the last that it printed: {lines[-1]}" if lines else ""
    return f"{reference.where}: the process that converts must come to its end, but {how} while {_stage(folder)}{last}."


def _stage(folder: Path) -> str:
    return " ".join(_lines(folder / STAGE)) or "starting"


def _lines(path: Path) -> list[str]:
    """The lines of a text that somebody else wrote, as they can be shown."""
    if not path.exists():
        return []
    text = read_file(path, 2 * _MOST_PRINTED, ModelError).decode("utf-8", "replace")
    return [short_line(line.strip(), _MOST_LINE) for line in text.splitlines() if line.strip()]
