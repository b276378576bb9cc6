"""Real numbers as integers of an input: scaled, rounded, and clipped where they do not fit."""

from __future__ import annotations

import math

import numpy as np

from femtodriver.arrays import AnyArray, Float64Array, Int64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.safe_text import describe

REAL = "real"
"""The scale by which an input reads as the same real numbers that were given."""

Scale = str | float | None


def factor_of(scale: Scale, spec: InputSpec) -> float:
    """By how much real numbers are multiplied to become integers of the input: ``REAL``, or a positive number.

    Raises UsageError for anything else, and for ``REAL`` where nobody knows the quanta of the input.
    """
    if scale == REAL:
        if spec.step is None:
            raise UsageError(
                f"{spec.shown}: the program does not state the quanta of this input, so scale must be a number, "
                f"not {REAL!r}."
            )
        return 1 / spec.step
    try:
        factor = math.nan if isinstance(scale, bool) or scale is None else float(scale)
    except (TypeError, ValueError, OverflowError):
        factor = math.nan
    if not 0 < factor < math.inf:
        raise UsageError(f"scale: must be {REAL!r} or a positive number, not {describe(scale)}.")
    return factor


class RealValues:
    """Turns real numbers into integers of an input, and counts what had to be clipped.

    A value v becomes ``floor(v * unit * factor)``, or ``floor(v * unit * factor + 0.5)`` with ``half_up``. ``unit``:
    what 1 stands for, as in audio, whose full scale is 1.0. ``nearest``: it becomes the integer nearest to
    v * unit / step, halves away from zero, plus the zero point, in the float32 arithmetic of TFLite's QUANTIZE.
    """

    def __init__(
        self, spec: InputSpec, factor: float, unit: float = 1.0, *, half_up: bool = False, nearest: bool = False
    ) -> None:
        self._spec = spec
        self._factor = factor
        self._unit = unit
        self._nearest = nearest
        self._shift = 0.5 if half_up else 0.0
        self._seen = 0
        self._clipped = 0
        self._farthest = 0.0

    def __call__(self, values: AnyArray, first: int) -> Int64Array:
        """Frames of integers for frames (n, length) of real numbers, of which the first has the number ``first``.

        Raises InputError for numbers that are not finite or not real.
        """
        if values.dtype.kind not in "iuf":
            raise InputError(f"{self._spec.shown}: must hold real numbers, not {values.dtype}.")
        with np.errstate(invalid="ignore", over="ignore"):
            real = values.astype(np.float64) * self._unit
            steps = self._nearest_steps(real) if self._nearest else np.floor(real * self._factor + self._shift)
        if not np.isfinite(real).all():
            frame, element = (int(index[0]) for index in np.nonzero(~np.isfinite(real)))
            raise InputError(
                f"{self._spec.shown}: frame {first + frame}, element {element}: must be a finite number, "
                f"not {real[frame, element]}. Correct the input."
            )
        low, high = self._spec.limits
        self._seen += real.size
        outside = real[(steps < low) | (steps > high)]
        if outside.size:
            self._clipped += int(outside.size)
            self._farthest = max(self._farthest, *outside[[outside.argmin(), outside.argmax()]], key=abs)
        return np.clip(steps, low, high).astype(np.int64)

    def _nearest_steps(self, real: Float64Array) -> Float64Array:
        quotients = (real.astype(np.float32) / np.float32(self._spec.step or 1.0)).astype(np.float64)
        return np.asarray(np.copysign(np.floor(np.abs(quotients) + 0.5), quotients) + (self._spec.zero_point or 0))

    @property
    def notes(self) -> tuple[str, ...]:
        """How many of the values so far were clipped, if any."""
        if not self._clipped:
            return ()
        low, high = self._spec.limits
        return (
            f"{self._spec.shown}: {self._clipped} of {self._seen} values clipped to {low}..{high}; "
            f"the farthest was {self._farthest:g} (times {self._factor:g})",
        )


def real_values(spec: InputSpec, scale: Scale, unit: float = 1.0) -> RealValues:
    """What turns real numbers into integers by this scale, see ``factor_of``. ``unit``: what 1 stands for."""
    return RealValues(spec, factor_of(scale, spec), unit, nearest=rounds_to_nearest(spec, scale))


def rounds_to_nearest(spec: InputSpec, scale: Scale) -> bool:
    """Whether the network's own quantization is used, and takes the nearest integer."""
    return scale == REAL and spec.zero_point is not None
