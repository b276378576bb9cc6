"""Frames of all inputs of a network, read from where they are as far as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import InputError
from femtodriver.inputs.input_spec import MOST_ELEMENTS, InputSpec
from femtodriver.inputs.real_values import RealValues
from femtodriver.inputs.stored_array import StoredArray

# Elements that are converted at a time: few enough that what is made on the way takes little memory.
_BLOCK = 1 << 18

Convert = Callable[[AnyArray, int], Int64Array]
"""Frames (n, length) as they are stored, and the number of the first one, to integers of the input."""


@dataclass(frozen=True, eq=False)
class InputFrames:
    """The frames of one input: its elements as they are stored, row by row, and what makes integers of them.

    ``notes``: what users should know of them, one line each. ``hop``: elements from the start of a frame to the start
    of the next; 0 for the length of a frame, so that frames follow each other without overlap.
    """

    spec: InputSpec
    stored: StoredArray
    convert: Convert
    notes: tuple[str, ...] = ()
    hop: int = 0

    @property
    def n_frames(self) -> int:
        """The number of whole frames."""
        return frames_in(self.stored.size, self.spec.length, self.hop)

    def read(self, low: int, high: int) -> Int64Array:
        """Frames low to high - 1, a new array of shape (high - low, length)."""
        width, hop = self.spec.length, self.hop or self.spec.length
        frames = np.empty((high - low, width), np.int64)
        step = max(1, _BLOCK // width)
        for start in range(low, high, step):
            end = min(start + step, high)
            raw = self.stored.read(start * hop, (end - 1) * hop + width)
            frames[start - low : end - low] = self.convert(cut(raw, width, hop), start)
        return frames


def frames_in(samples: int, width: int, hop: int = 0) -> int:
    """How many whole frames of ``width`` samples there are, each ``hop`` after the one before (0: ``width``)."""
    return 0 if samples < width else (samples - width) // (hop or width) + 1


def cut(samples: AnyArray, width: int, hop: int) -> AnyArray:
    """Frames (n, width) of samples (1-D, at least one frame): frame i starts at sample i * hop. A view."""
    return np.lib.stride_tricks.sliding_window_view(samples, width)[::hop]


class FrameReader:
    """Frames of every input by number, from 0 to ``n_frames`` - 1. Made by ``open_inputs``; use it with ``with``.

    All ``inputs`` have equally many frames. ``files``: what is closed with the reader. ``period_s``: seconds between
    two frames where they are known, as for audio; else None. ``rate_hz``: samples per second, where they are known.
    """

    def __init__(
        self,
        inputs: Sequence[InputFrames],
        files: ExitStack[bool | None] | None = None,
        period_s: float | None = None,
        rate_hz: float | None = None,
    ) -> None:
        self._inputs = tuple(inputs)
        self._files = files if files is not None else ExitStack()
        self.n_frames = inputs[0].n_frames if inputs else 0
        self.period_s = period_s
        self.rate_hz = rate_hz

    @property
    def notes(self) -> tuple[str, ...]:
        """What users should know, one line each: what is not used, what values mean, what was clipped so far."""
        known = [note for one in self._inputs for note in (*one.stored.notes, *one.notes)]
        clipped = [note for one in self._inputs if isinstance(one.convert, RealValues) for note in one.convert.notes]
        return (*known, *clipped)

    def read(self, low: int, high: int) -> dict[str, Int64Array]:
        """Frames low to high - 1 of every input by name, new arrays of shape (high - low, length).

        Raises InputError for elements that do not fit the input, and for more than 2^28 elements at once.
        """
        asked = (high - low) * sum(one.spec.length for one in self._inputs)
        if asked > MOST_ELEMENTS:
            raise InputError(
                f"inputs: at most {MOST_ELEMENTS} elements can be read at once, not {asked}. "
                "Choose a range of frames: --input-sample-indices lo,hi."
            )
        return {one.spec.name: one.read(low, high) for one in self._inputs}

    def close(self) -> None:
        """Close the files. May be called twice."""
        self._files.close()

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)
