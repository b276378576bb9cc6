"""Calibration: typical inputs of a module, and what its outputs should be, if that is known.

An archive (.npz) has an array for each argument of ``forward``, under its name (any name, if there is one argument),
and may have ``labels`` or ``targets``. A .npy file has the array of the only argument. Axes are (clips, frames,
features), (clips, features, frames), or (samples, features) for a module that knows no time.

Real numbers are what the module gets. Integers are what the processor gets: full scale, as in 16-bit sound, is 1.0.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError, UsageError
from femtodriver.files.file_access import shown_path
from femtodriver.files.file_digest import file_digest
from femtodriver.inputs.array_inputs import as_array
from femtodriver.inputs.open_inputs import read_array
from femtodriver.safe_text import quote

LABELS, TARGETS = "labels", "targets"
IN_MEMORY = "the calibration"
_ONLY = "inputs"
_MOST_BYTES = 1 << 32
_FILES = (".npz", ".npy")


@dataclass(frozen=True, eq=False)
class Calibration:
    """``where`` names it in messages. ``inputs``: by name, in their order; see ``check_counts``.

    ``labels``: whole numbers, (clips,) or (clips, frames), below 0 where there is none. ``targets``: real numbers in
    the shape of the first output. ``sha256``: of the file, or of the arrays.
    """

    where: str
    inputs: Mapping[str, AnyArray]
    labels: AnyArray | None
    targets: AnyArray | None
    sha256: str

    @property
    def clips(self) -> int:
        """How many clips, or samples, there are."""
        return len(next(iter(self.inputs.values())))


def read_calibration(given: object) -> Calibration:
    """The calibration in a file, an array, a tensor, or a mapping of them.

    UsageError where there is none, or a file of another kind; InputError for arrays that make none.
    """
    if given is None:
        raise UsageError(
            "calibration: must be given for a PyTorch module, whose numbers are quantized to the range of typical "
            "inputs; give --calibrate FILE.npz, or calibration=... in Python (docs/pytorch.md says what is in it)."
        )
    if isinstance(given, (str, os.PathLike)):
        return _from_file(Path(given))
    named = given if isinstance(given, Mapping) else {_ONLY: given}
    arrays = {str(name): as_array(_on_the_host(value), f"{IN_MEMORY}: {name}") for name, value in named.items()}
    return _checked(IN_MEMORY, arrays, _digest(arrays))


def _from_file(path: Path) -> Calibration:
    where = shown_path(path)
    if path.suffix.lower() not in _FILES:
        raise UsageError(
            f"{where}: the calibration must be a .npz or .npy file, not another one; for sound, cut each clip into "
            "frames and stack them: numpy.savez(FILE, sound=clips), of shape (clips, frames, samples of a frame)."
        )
    found = read_array(path)
    _, digest = file_digest(path, _MOST_BYTES, InputError)
    return _checked(where, found if isinstance(found, dict) else {_ONLY: found}, digest)


def _on_the_host(value: Any) -> Any:
    """A tensor of torch as an array of NumPy; anything else as it is."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _digest(arrays: Mapping[str, AnyArray]) -> str:
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _checked(where: str, arrays: dict[str, AnyArray], sha256: str) -> Calibration:
    labels, targets = arrays.pop(LABELS, None), arrays.pop(TARGETS, None)
    if not arrays:
        raise InputError(f"{where}: must have an array of inputs besides {LABELS} and {TARGETS}, but has none.")
    for name, array in arrays.items():
        _check_input(f"{where}: {quote(name)}", array)
    if labels is not None and (labels.dtype.kind not in "iu" or labels.ndim > 2):
        raise InputError(
            f"{where}: {LABELS}: must be whole numbers, (clips,) or (clips, frames), the numbers of the right elements "
            f"of the output, not {labels.dtype} of shape {labels.shape}."
        )
    if targets is not None:
        _check_finite(f"{where}: {TARGETS}", targets)
    return Calibration(where, arrays, labels, targets, sha256)


def check_counts(calibration: Calibration) -> None:
    """InputError unless there are equally many clips of everything."""
    judged = {LABELS: calibration.labels, TARGETS: calibration.targets}
    arrays = {**calibration.inputs, **{name: array for name, array in judged.items() if array is not None}}
    for name, array in arrays.items():
        count = len(array) if array.ndim else 0
        if count != calibration.clips:
            raise InputError(
                f"{calibration.where}: {quote(name)}: must have {calibration.clips} clips like the first array, not "
                f"{count}."
            )


def _check_input(where: str, array: AnyArray) -> None:
    if array.ndim not in (2, 3) or not array.size:
        raise InputError(
            f"{where}: must have the axes (clips, frames, features), or (samples, features) without time, and not be "
            f"empty, but has the shape {array.shape}."
        )
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        if low < -(1 << 15) or high >= 1 << 15:
            raise InputError(
                f"{where}: integers must have at most 16 bits, as the processor gets them, not go from {low} to "
                f"{high}. Give real numbers as floats."
            )
        return
    _check_finite(where, array)


def _check_finite(where: str, array: AnyArray) -> None:
    if array.dtype.kind not in "fiu":
        raise InputError(f"{where}: must hold numbers, not {array.dtype}.")
    if not np.isfinite(array).all():
        raise InputError(f"{where}: must hold finite numbers only, but has a NaN or an infinity.")
