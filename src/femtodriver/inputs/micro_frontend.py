"""The front end of streaming wake-word models, by the package pymicro-features: audio in, features out.

It hears 16 kHz. Every 10 ms it gives 40 features, the energies of as many bands, once its window of 30 ms is filled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray, Float64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.stored_array import StoredArray

MICRO = "micro"
"""Its name among the front ends; there is no other."""

RATE_HZ = 16000.0
BANDS = 40
HOP, WINDOW = 160, 480
"""Samples from one group of features to the next, and samples that a group is made of."""

FEATURE_RATE_HZ = RATE_HZ / HOP * BANDS
SAMPLE_BITS = 16
_HOPS_AT_ONCE = 512

Samples = Callable[[int, int], AnyArray]
"""Samples first to last - 1, int16 values."""


class MicroFrontend:
    """The front end from its start on. UsageError where its package is missing, or for the name of another one."""

    def __init__(self, name: str = MICRO) -> None:
        if name != MICRO:
            raise UsageError(f"frontend: must be {MICRO}, not {name!r:.60}.")
        try:
            import pymicro_features
        except ImportError:
            raise UsageError(
                "frontend: the package pymicro-features must be installed; pip install 'open-femtodriver[wakeword]' "
                "brings it."
            ) from None
        self._frontend: Any = pymicro_features.MicroFrontend()

    def features(self, samples: AnyArray) -> Float64Array:
        """What the next samples give, 1-D: whole groups of 40. Samples come in whole hops of 160."""
        content = samples.astype("<i2").tobytes()
        step = HOP * SAMPLE_BITS // 8
        found = [
            self._frontend.process_samples(content[first : first + step]).features
            for first in range(0, len(content), step)
        ]
        return np.array([one for group in found for one in group], np.float64)


def check_width(spec: InputSpec) -> None:
    """InputError for an input that whole groups of features do not fill."""
    if spec.length % BANDS:
        raise InputError(
            f"frontend: {MICRO} gives {BANDS} features at a time, so {spec.shown} must have a multiple of {BANDS} "
            f"elements, not {spec.length}."
        )


def check_rate(rate_hz: float | None, where: str) -> None:
    """UsageError for audio of another rate."""
    if rate_hz not in (None, RATE_HZ):
        raise UsageError(
            f"frontend: {MICRO} hears {RATE_HZ:g} Hz, but {where} has {rate_hz:g} Hz. Add --resample {RATE_HZ:g}."
        )


def feature_hop(hop: int | None) -> int | None:
    """A hop in samples as one in features. UsageError for one that is not a number of groups."""
    if hop is None:
        return None
    if hop % HOP:
        raise UsageError(f"hop: must be a multiple of {HOP} samples with --frontend {MICRO}, not {hop}.")
    return hop // HOP * BANDS


def feature_array(samples: Samples, size: int, notes: tuple[str, ...], where: str) -> StoredArray:
    """The features of ``size`` samples, 1-D, made while they are read. InputError for too few of them."""
    if size < WINDOW:
        raise InputError(f"{where}: must have at least {WINDOW} samples, which make the first features, not {size}.")
    groups = (size - WINDOW) // HOP + 1
    source = _Features(samples)
    text = f"{where}: {groups} groups of {BANDS} features, one every {1000 * HOP / RATE_HZ:g} ms (frontend {MICRO})"
    return StoredArray((groups * BANDS,), np.dtype(np.float64), source.read, (*notes, text))


class _Features:
    """The features from ``_start`` on, as far as they were made; whoever goes back starts again at the beginning."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._restart()

    def _restart(self) -> None:
        self._frontend = MicroFrontend()
        self._hops = self._start = 0
        self._made: Float64Array = np.zeros(0)

    def read(self, first: int, last: int) -> AnyArray:
        if first < self._start:
            self._restart()
        self._forget(first)
        while self._start + len(self._made) < last:
            missing = -(-(last - self._start - len(self._made)) // BANDS)
            end = self._hops + min(max(missing, 1), _HOPS_AT_ONCE)
            self._made = np.concatenate([self._made, self._frontend.features(self._taken(self._hops, end))])
            self._hops = end
            self._forget(first)
        return self._made[first - self._start : last - self._start]

    def _taken(self, first: int, end: int) -> AnyArray:
        return self._samples(first * HOP, end * HOP)

    def _forget(self, first: int) -> None:
        gone = min(first - self._start, len(self._made))
        self._made, self._start = self._made[gone:], self._start + gone
