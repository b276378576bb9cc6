"""What a module is called with: the calibration as tensors, in the order of ``forward``, and which axis is time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError, UsageError
from femtodriver.pytorch.calibration import Calibration, check_counts
from femtodriver.pytorch.foreign_code import ForeignCode

MOST_AT_ONCE = 1024
ELEMENTS_AT_ONCE = 1 << 21
INPUT_BITS = {"double": 16, "standard": 8, "eights": 8}
Run = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class ModuleInputs:
    """``arrays``: float32, one for each argument of ``forward``, in order. ``quanta``: by its place, for inputs whose
    integers are what the processor gets. ``time_axis``: None for a module that knows no time.
    """

    names: tuple[str, ...]
    arrays: tuple[AnyArray, ...]
    quanta: dict[int, int]
    time_axis: int | None

    def batches(self) -> Iterator[tuple[AnyArray, ...]]:
        """Some clips at a time."""
        largest = max(array[0].size for array in self.arrays)
        step = min(MOST_AT_ONCE, max(1, ELEMENTS_AT_ONCE // largest))
        for first in range(0, len(self.arrays[0]), step):
            yield tuple(array[first : first + step] for array in self.arrays)

    @property
    def shown(self) -> str:
        """What they are, for people."""
        clips = len(self.arrays[0])
        if self.time_axis is None:
            return f"{clips:,} samples"
        frames = self.arrays[0].shape[self.time_axis]
        return f"{clips:,} clips of {frames:,} frames (time is axis {self.time_axis})"


def module_inputs(module: Any, calibration: Calibration, precision: str, asked: int | None, run: Run) -> ModuleInputs:
    """The inputs of a module. ``asked``: the axis of time that the user has named; ``run(arrays)`` calls the module.

    InputError where the calibration has other arrays than ``forward`` has arguments, UsageError for an axis of time
    that is not there.
    """
    check_counts(calibration)
    names = argument_names(module)
    found = _by_argument(names, calibration)
    bits = INPUT_BITS[precision]
    quanta = {place: 1 - bits for place, array in enumerate(found) if array.dtype.kind in "iu"}
    arrays = tuple(as_real(array) for array in found)
    return ModuleInputs(names, arrays, quanta, _time_axis(arrays, calibration.where, asked, run))


def argument_names(module: Any) -> tuple[str, ...]:
    """The arguments of ``forward`` that must be given."""
    given = inspect.signature(module.forward).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(one.name for one in given if one.default is one.empty and one.kind in kinds)


def _by_argument(names: Sequence[str], calibration: Calibration) -> list[AnyArray]:
    arrays = calibration.inputs
    if len(names) == 1 and len(arrays) == 1:
        return list(arrays.values())
    if set(names) != set(arrays):
        raise InputError(
            f"{calibration.where}: must have an array for each argument of forward ({', '.join(names) or 'it has none'}"
            f"), not for {', '.join(arrays)}; "
            "name them in numpy.savez. Beside them may be arrays named labels or targets."
        )
    return [arrays[name] for name in names]


def as_real(array: AnyArray) -> AnyArray:
    """Integers as shares of full scale: that of 8 bits for arrays of 8, else that of 16."""
    if array.dtype.kind in "iu":
        return (array / float(1 << (7 if array.dtype.itemsize == 1 else 15))).astype(np.float32)
    return array.astype(np.float32)


def _time_axis(arrays: Sequence[AnyArray], where: str, asked: int | None, run: Run) -> int | None:
    """The axis that a module works without a part of. One that works without a part of either gets axis 1."""
    if arrays[0].ndim == 2:
        if asked is not None:
            raise UsageError(
                f"time_axis: must be left out for a calibration of samples without time, as {where} has it "
                f"({arrays[0].shape})."
            )
        return None
    fits = [axis for axis in (1, 2) if _runs_without_a_part(arrays, axis, run)]
    if asked is not None and asked not in fits and fits:
        raise UsageError(
            f"time_axis: must be {fits[0]} for {where}, not {asked}: without the last part of axis {asked} the module "
            "does not run, as it must with fewer frames."
        )
    return asked or (fits[0] if fits else 1)


def _runs_without_a_part(arrays: Sequence[AnyArray], axis: int, run: Run) -> bool:
    if arrays[0].shape[axis] < 2:
        return False
    caught = ForeignCode()
    with caught:
        run([np.take(array[:1], range(array.shape[axis] - 1), axis) for array in arrays])
    return caught.error is None
