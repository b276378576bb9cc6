"""Samples at another rate, made while they are read, by the package soxr."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.errors import UsageError
from femtodriver.inputs.stored_array import StoredArray

# Samples of the source that are taken at a time.
_BLOCK = 1 << 15
_QUALITY = "VHQ"


def resampled(samples: StoredArray, bits: int, from_hz: float, to_hz: float, where: str) -> StoredArray:
    """The samples of a source at another rate, as many as last as long, rounded to the nearest.

    ``bits``: the width of integers, to whose limits they are clipped; floats keep their type. Reading goes on where it
    ended, or a little before; whoever goes further back starts again at the beginning. UsageError without soxr.
    """
    size = int(samples.size * to_hz / from_hz + 0.5)
    source = _Source(samples, bits, from_hz, to_hz)
    note = f"{where}: resampled from {from_hz:g} to {to_hz:g} Hz (soxr {source.version}, {_QUALITY})"
    return StoredArray((size,), samples.dtype, source.read, (*samples.notes, note))


class _Source:
    """The resampled samples from ``_start`` on, as far as they were made."""

    def __init__(self, samples: StoredArray, bits: int, from_hz: float, to_hz: float) -> None:
        try:
            import soxr
        except ImportError:
            raise UsageError(
                "resample: the package soxr must be installed; pip install 'open-femtodriver[audio]' brings it."
            ) from None
        self.version = str(soxr.__version__)
        self._new_stream: Callable[[], Any] = lambda: soxr.ResampleStream(
            from_hz, to_hz, 1, dtype="float64", quality=_QUALITY
        )
        self._samples, self._bits = samples, bits
        self._restart()

    def _restart(self) -> None:
        self._stream: Any = self._new_stream()
        self._taken = self._start = 0
        self._made: AnyArray = np.zeros(0, self._samples.dtype)

    def read(self, first: int, last: int) -> AnyArray:
        """Samples first to last - 1, 1-D."""
        if first < self._start:
            self._restart()
        self._forget(first)
        while self._start + len(self._made) < last and self._taken < self._samples.size:
            self._made = np.concatenate([self._made, self._more()])
            self._forget(first)
        return self._made[first - self._start : last - self._start]

    def _forget(self, first: int) -> None:
        """Samples before ``first`` are not kept."""
        gone = min(first - self._start, len(self._made))
        self._made, self._start = self._made[gone:], self._start + gone

    def _more(self) -> AnyArray:
        end = min(self._taken + _BLOCK, self._samples.size)
        taken = self._samples.read(self._taken, end).astype(np.float64)
        self._taken = end
        made: AnyArray = self._stream.resample_chunk(taken, last=end == self._samples.size)
        if self._samples.dtype.kind == "f":
            return made.astype(self._samples.dtype)
        high = 1 << (self._bits - 1)
        return np.clip(np.floor(made + 0.5), -high, high - 1).astype(self._samples.dtype)
