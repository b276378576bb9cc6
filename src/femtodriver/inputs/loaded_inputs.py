"""The inputs of one run: frames of integers by input name, with what users should know of them."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs.generated_frames import RANDOM, generated_inputs, generated_text
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.open_inputs import InputData, open_inputs
from femtodriver.inputs.reading import Reading
from femtodriver.inputs.real_values import Scale
from femtodriver.safe_text import shown

InputSource = InputData | None
"""None stands for frames that we make."""


@dataclass(frozen=True, eq=False)
class LoadedInputs:
    """``arrays``: int64, (frames, length), by input name in the order of the network.

    ``notes``: what users should know, one line each: what is not used, what values mean, what was clipped.
    ``period_s``: seconds between two frames where the source states them, as audio does; else None.
    """

    arrays: Mapping[str, Int64Array]
    notes: tuple[str, ...] = ()
    period_s: float | None = None


def read_inputs(
    source: InputSource,
    specs: Sequence[InputSpec],
    *,
    n_frames: int = 2,
    seed: int = 0,
    sample_indices: Sequence[int] | None = None,
    scale: Scale = None,
    style: str = RANDOM,
    hop: int | None = None,
    channel: int | None = None,
    rate_hz: float | None = None,
    resample_hz: float | None = None,
    frontend: str | None = None,
) -> LoadedInputs:
    """Checked inputs for a run. Of a file, only what is asked for is read.

    ``source``: as for ``open_inputs``; or None for ``n_frames`` frames made from ``seed``: of one of the ``STYLES`` of
    ``generated_frames``. ``sample_indices`` (lo, hi) keeps frames lo to hi - 1; a range that ends behind the last frame
    ends there. ``scale``, ``hop``, ``channel``, ``rate_hz``, ``resample_hz``, ``frontend``: as for ``open_inputs``.

    Raises UsageError for an unknown file type or a wrong argument, InputError for data that do not fit.
    """
    asked = asked_range(sample_indices)
    if source is None:
        how = Reading(scale, hop, channel, rate_hz, resample_hz, frontend)
        return _generated(specs, n_frames, seed, asked, how, style)
    with open_inputs(
        source, specs, scale, hop=hop, channel=channel, rate_hz=rate_hz, resample_hz=resample_hz, frontend=frontend
    ) as reader:
        low, high = range_within(asked, reader.n_frames)
        arrays = reader.read(low, high)
        return LoadedInputs(arrays, (*reader.notes, *range_notes(asked, low, high, reader.n_frames)), reader.period_s)


def load_inputs(
    source: InputSource,
    specs: Sequence[InputSpec],
    *,
    n_frames: int = 2,
    seed: int = 0,
    sample_indices: Sequence[int] | None = None,
) -> dict[str, Int64Array]:
    """The arrays of ``read_inputs`` alone."""
    return dict(read_inputs(source, specs, n_frames=n_frames, seed=seed, sample_indices=sample_indices).arrays)


def select_frames(inputs: Mapping[str, Int64Array], low: int, high: int) -> dict[str, Int64Array]:
    """Frames low to high - 1 of every input; a range that ends behind the last frame ends there.

    Raises InputError for a range that is empty or starts behind the last frame.
    """
    start, end = _within((low, high), min(map(len, inputs.values()), default=high))
    return {name: array[start:end] for name, array in inputs.items()}


def _generated(
    specs: Sequence[InputSpec], n_frames: int, seed: int, asked: tuple[int, int] | None, how: Reading, style: str
) -> LoadedInputs:
    arrays = generated_inputs(style, specs, n_frames, seed)
    notes = generated_text(style, n_frames, seed)
    if how.scale is not None:
        notes.append("scale: without effect, because generated frames are integers")
    given = {"hop": how.hop, "channel": how.channel, "resample": how.resample_hz, "frontend": how.frontend}
    notes += [f"{name}: without effect, because frames are generated" for name, value in given.items() if value]
    period_s = replace(how, hop=None).period_of(specs, how.rate_hz)
    low, high = range_within(asked, n_frames)
    kept = {name: array[low:high] for name, array in arrays.items()}
    return LoadedInputs(kept, (*notes, *range_notes(asked, low, high, n_frames)), period_s)


def asked_range(indices: Any) -> tuple[int, int] | None:
    """A range of frames, or None for all. UsageError or InputError for what is none."""
    if indices is None:
        return None
    try:
        low, high = (operator.index(index) for index in indices)
    except (TypeError, ValueError):
        raise UsageError(f"input_sample_indices: must be two frame numbers lo, hi, not {shown(indices)}.") from None
    if not 0 <= low < high:
        raise InputError(f"frame range: must be lo,hi with 0 <= lo < hi, not {shown(low)},{shown(high)}.")
    return low, high


def _within(asked: tuple[int, int], n_frames: int) -> tuple[int, int]:
    """The part of a range that is there. InputError where nothing is."""
    low, high = asked
    if not 0 <= low < high:
        raise InputError(f"frame range: must be lo,hi with 0 <= lo < hi, not {shown(low)},{shown(high)}.")
    if low >= n_frames:
        raise InputError(
            f"frame range {shown(low)},{shown(high)}: must start within the {n_frames} frames of the inputs, from 0."
        )
    return low, min(high, n_frames)


def range_within(asked: tuple[int, int] | None, n_frames: int) -> tuple[int, int]:
    """The first frame of a range, and the one after its last, of so many. InputError where none of it is there."""
    return (0, n_frames) if asked is None else _within(asked, n_frames)


def range_notes(asked: tuple[int, int] | None, low: int, high: int, n_frames: int) -> tuple[str, ...]:
    """What a range leaves out, or asks for in vain."""
    if asked is None or (asked == (low, high) and (low, high) == (0, n_frames)):
        return ()
    used = f"frame {low} of {n_frames} is" if high == low + 1 else f"frames {low} to {high - 1} of {n_frames} are"
    return (f"inputs: {used} used, as the range {shown(asked[0])},{shown(asked[1])} says",)
