"""The files that options of a job name: none of them may be written over another, or over what the job reads."""

from __future__ import annotations

import os
from pathlib import Path

from femtodriver.errors import UsageError
from femtodriver.files.file_access import shown_path
from femtodriver.options.option import AnyRequest
from femtodriver.output.reference_tree import is_beside
from femtodriver.output.streamed_output import is_pipe
from femtodriver.pytorch.module_reference import module_reference, names_python

WRITTEN = ("output_file", "trace", "report", "profile_file", "quantization_file")
READ = (
    "input_file",
    "calibration",
    "float_values",
    "dummy_output_file",
    "reply_file",
    "debug_vars_fname",
    "hw_config",
    "model_options_file",
    "iospec_file",
    "keyring",
)


def check_distinct_files(model: object, request: AnyRequest, folder: Path, beside: bool = False) -> None:
    """UsageError for a file that is to be written and is also another one of the job, or that would be lost.

    ``folder``: the model's folder, whose own folders the job replaces. ``beside``: whether outputs are also written
    beside it, into the current folder, as the reference does.
    """
    taken = {"the model": _path(_file_of(model)), **{name: _path(getattr(request, name, None)) for name in READ}}
    for name, path in taken.items():
        if beside and path is not None and is_beside(path):
            raise UsageError(
                f"{name}: must not be {shown_path(path)} with the tree of 1.3, which writes such files into the "
                "current folder. Rename it."
            )
    for name in WRITTEN:
        path = _path(getattr(request, name, None))
        if path is None:
            continue
        for other, place in taken.items():
            if place is not None and _same(path, place):
                raise UsageError(f"{name}: must be another file than {other}, not {shown_path(path)}.")
        if Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parent.parents:
            raise UsageError(
                f"{name}: must not be in a folder inside {shown_path(folder)}, which is written anew, as "
                f"{shown_path(path)} is. Choose another place."
            )
        taken[name] = path


def _file_of(model: object) -> object:
    """The file of Python that builds a PyTorch module; any other model as it is."""
    return module_reference(model).file if names_python(model) else model


def _path(value: object) -> Path | None:
    return Path(value) if isinstance(value, (str, os.PathLike)) and not is_pipe(value) else None


def _same(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return one.samefile(other)  # hard links
    except (OSError, ValueError):  # one of them is not there
        return False
