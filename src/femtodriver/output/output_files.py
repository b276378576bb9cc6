"""What runners gave, as arrays: the folder ``outputs`` of a model's folder.

::

    outputs/
    ├── internals.npz     of one runner alone: one array per debug variable, called "runner/variable"
    ├── inputs.npz        one array (frames, elements) per input; may be given to --input-file again
    └── <runner>.npz      one array (frames, elements) per output, int64, and "quanta/<output>" where they are known,
                          with "zero_point/<output>" where the network has one

An integer v of an output stands for the real number (v - zero point) * 2**quanta. Names are escaped as ``array_names``
says. The file of a runner may be given to --dummy-output-file.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femtodriver.array_names import escape_name
from femtodriver.files.file_access import make_directory, write_file
from femtodriver.inputs import InputSpec
from femtodriver.runners.dummy_runner import QUANTA, ZERO_POINT
from femtodriver.runners.execution import Execution

FOLDER = "outputs"
INPUTS = "inputs.npz"
INTERNALS = "internals.npz"
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Long runs should not wait for the packing of what few will look at.
_QUICK = 1
# Who has interrupted a run does not want to wait at all.
_AT_ONCE = 0
Arrays = Mapping[str, npt.ArrayLike]


def write_outputs(folder: Path, execution: Execution) -> None:
    """Writes the files of a run into the folder, which is made. ProgramError when that is not possible."""
    make_directory(folder)
    inputs: Arrays = execution.inputs.arrays
    level = _QUICK
    if execution.partial is not None:
        inputs = {name: np.asarray(rows)[: execution.frames] for name, rows in inputs.items()}
        level = _AT_ONCE
    write_file(folder / INPUTS, npz(escaped(inputs), level))
    if execution.lone_internals:
        write_file(folder / INTERNALS, npz(by_runner(execution.comparison.internals), level))
    meanings = _meanings(execution.model.outputs)
    for name, rows in execution.comparison.outputs.items():
        known = {key: value for key, value in meanings.items() if key.partition("/")[2] in escaped(rows)}
        write_file(folder / f"{name}.npz", npz({**escaped(rows), **known}, level))


def by_runner(values: Mapping[str, Arrays]) -> Arrays:
    """The arrays of several runners under the names "runner/variable"."""
    return {f"{runner}/{name}": rows for runner, found in values.items() for name, rows in escaped(found).items()}


def escaped(arrays: Arrays) -> Arrays:
    """The arrays by names that an archive can hold."""
    return {escape_name(name): values for name, values in arrays.items()}


def npz(arrays: Arrays, level: int | None = None) -> bytes:
    """The arrays as an ``.npz``, packed at that level of deflate; the same arrays give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, npy(values), compresslevel=level)
    return stream.getvalue()


def npy(values: npt.ArrayLike) -> bytes:
    """The array as an ``.npy``."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(values, order="C"), allow_pickle=False)
    return stream.getvalue()


def _meanings(outputs: tuple[InputSpec, ...]) -> Arrays:
    told = {f"{QUANTA}{escape_name(spec.name)}": spec.quanta for spec in outputs}
    told |= {f"{ZERO_POINT}{escape_name(spec.name)}": spec.zero_point for spec in outputs}
    return {key: value for key, value in told.items() if value is not None}
