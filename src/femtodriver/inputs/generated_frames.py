"""Frames for runs without input: random ones, ones that drive every input to its limits, and those of the reference."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import UsageError
from femtodriver.inputs.input_spec import MOST_ELEMENTS, InputSpec
from femtodriver.safe_text import describe, shown

# Random values have at most 12 bits, [-2048, 2047]: audio of modest loudness, as the reference tool makes it.
RANDOM_BITS = 12

RANDOM, VARIED, SAWTOOTH, HALF_RANDOM = STYLES = ("random", "varied", "sawtooth", "half-random")
SINE = "sine"
FAKE_STYLES = (SAWTOOTH, RANDOM, SINE)
# Of the reference 2.x: a sawtooth has so many steps, and random values have one bit less than the input.
_STEPS = 16

FULL, MODEST = "full-range", "12-bit"
# Of the elements at even and at odd places of a frame: whether they are the lowest value, not the highest.
_LOWEST = {"all-max": (False, False), "all-min": (True, True), "max-min": (False, True), "min-max": (True, False)}
CYCLE = (FULL, *_LOWEST, FULL, MODEST, MODEST)
"""The kinds of frames of ``default_frames``, one after the other, again and again."""


def generated_inputs(style: str, specs: Sequence[InputSpec], n_frames: int, seed: int) -> dict[str, Int64Array]:
    """Frames of one of the ``STYLES``, shape (n_frames, length) each; ``seed`` means nothing to a sawtooth.

    ============  ==============================================================================================
    random        ``random_inputs``
    varied        ``default_frames``
    sawtooth      element i, counted through all frames, is ((i mod 16) * 2 s) // 16 - s, with s = 2**(bits - 2)
    half-random   uniform random integers of [-s, s)
    ============  ==============================================================================================

    Raises UsageError for another style, a wrong count or seed.
    """
    if style not in STYLES:
        raise UsageError(f"style: must be one of {', '.join(STYLES)}, not {shown(style)}.")
    if style == VARIED:
        return default_frames(specs, n_frames, seed)
    if style == RANDOM:
        return random_inputs(specs, n_frames, seed)
    frames, start = whole_argument(n_frames, "n_frames", 1), whole_argument(seed, "seed", 0)
    if style == SAWTOOTH:
        return {spec.name: _sawtooth(spec, frames, _half(spec)) for spec in specs}
    return {spec.name: _random(spec, max(spec.bits - 1, 1), frames, start, place) for place, spec in enumerate(specs)}


def fake_frames(
    specs: Sequence[InputSpec], n_frames: int, style: str, scale: float | None, seed: int
) -> dict[str, Int64Array]:
    """Frames of one of the ``FAKE_STYLES`` of the reference 2.x, shape (n_frames, length) each.

    ``scale``: s, up to which values go; None: 2**(bits - 2). sawtooth: as ``generated_inputs`` has it; random: uniform
    random integers of [-s, s); sine: element i, counted through all frames, is s * sin(2 pi i / 16), rounded to the
    nearest.
    Raises UsageError for another style, a wrong count or seed, or a scale that an input cannot hold.
    """
    if style not in FAKE_STYLES:
        raise UsageError(f"style: must be one of {', '.join(FAKE_STYLES)}, not {shown(style)}.")
    frames, start = whole_argument(n_frames, "n_frames", 1), whole_argument(seed, "seed", 0)
    made = {}
    for place, spec in enumerate(specs):
        _check_size(spec, frames)
        top = _top(spec, scale)
        if style == SAWTOOTH:
            made[spec.name] = _sawtooth(spec, frames, top)
        elif style == SINE:
            steps = np.arange(frames * spec.length) % _STEPS
            values = np.rint(top * np.sin(2 * np.pi * steps / _STEPS))
            made[spec.name] = np.clip(values, *spec.limits).astype(np.int64).reshape(frames, spec.length)
        else:
            numbers = np.random.Generator(np.random.PCG64([start, place]))
            made[spec.name] = numbers.integers(-top, top, (frames, spec.length), dtype=np.int64)
    return made


def _half(spec: InputSpec) -> int:
    """2**(bits - 2), the half of what an input can hold, or 1 for an input of one bit."""
    return 1 << max(spec.bits - 2, 0)


def _top(spec: InputSpec, scale: float | None) -> int:
    """The largest value of fake frames."""
    if scale is None:
        return _half(spec)
    most = -spec.limits[0]
    if isinstance(scale, (int, float)) and not isinstance(scale, bool) and 1 <= scale <= most:
        return int(scale)
    raise UsageError(f"scale: must be a number from 1 to {most} for {spec.shown}, not {shown(scale)}.")


def generated_text(style: str, n_frames: int, seed: int) -> list[str]:
    """A note that such frames were made, for want of an input; none about plain random ones."""
    if style == RANDOM:
        return []
    counted = f"{n_frames} {style} frame{'' if n_frames == 1 else 's'}"
    if style == VARIED:
        counted = default_frames_text(n_frames, seed)
    elif style != SAWTOOTH:
        counted += f" from seed {seed}"
    return [f"inputs: {counted}; --input-file takes others"]


def random_inputs(specs: Sequence[InputSpec], n_frames: int, seed: int) -> dict[str, Int64Array]:
    """Uniform random integers of [-2048, 2047], or of the input's range where that is narrower (8 bits).

    The high bits of NumPy's PCG64, seeded with (``seed``, place of the input); NumPy promises this stream for all
    versions. More frames only append to fewer. Shape (n_frames, length) each.
    Raises UsageError for a wrong count or seed.
    """
    frames, start = whole_argument(n_frames, "n_frames", 1), whole_argument(seed, "seed", 0)
    return {
        spec.name: _random(spec, min(spec.bits, RANDOM_BITS), frames, start, place) for place, spec in enumerate(specs)
    }


def default_frames(specs: Sequence[InputSpec], n_frames: int, seed: int) -> dict[str, Int64Array]:
    """Frames of the kinds of ``CYCLE``, shape (n_frames, length) each; the same for the same seed, on every machine.

    ====================  ====================================================================================
    full-range            random integers of the whole range of the input
    all-max, all-min      every element the largest or the smallest value
    max-min, min-max      the two in turn, beginning with the largest or the smallest
    12-bit                the values that ``random_inputs`` gives for this frame
    ====================  ====================================================================================

    From the second cycle on, inputs behind the first one swap largest and smallest, so that inputs meet in all
    combinations: input number i does in cycle c if bit i - 1 of c is set. More frames only append to fewer.
    Raises UsageError for a wrong count or seed.
    """
    frames, start = whole_argument(n_frames, "n_frames", 1), whole_argument(seed, "seed", 0)
    made = {}
    for place, spec in enumerate(specs):
        rows = made[spec.name] = _random(spec, spec.bits, frames, start, place)
        for position, kind in enumerate(CYCLE):
            chosen = rows[position :: len(CYCLE)]
            if kind == MODEST:
                chosen >>= np.int64(max(0, spec.bits - RANDOM_BITS))
            elif kind != FULL:
                chosen[:] = _extremes(spec, kind, len(chosen), place)
    return made


def default_frames_text(n_frames: int, seed: int) -> str:
    """Which frames ``default_frames`` makes: "3 frames from seed 0 (1 full-range, 1 all-max, 1 all-min)"."""
    counts: Counter[str] = Counter()
    for position, kind in enumerate(CYCLE):
        counts[kind] += len(range(position, n_frames, len(CYCLE)))
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return f"{n_frames} frame{'' if n_frames == 1 else 's'} from seed {seed} ({kinds})"


def whole_argument(value: Any, what: str, least: int) -> int:
    """The argument as a whole number. Raises UsageError unless it is one of at least ``least``."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise UsageError(f"{what}: must be a whole number of at least {least}, not {describe(value)}.")
    return number


def _extremes(spec: InputSpec, kind: str, cycles: int, place: int) -> Int64Array:
    """Frames of largest and smallest values, one for each cycle, shape (cycles, length)."""
    low, high = spec.limits
    lowest = np.resize(np.array(_LOWEST[kind]), spec.length)
    swapped = np.arange(cycles) >> min(place - 1, 62) & 1 if place else np.zeros(cycles, np.int64)
    return np.where(lowest ^ swapped.astype(np.bool_)[:, np.newaxis], low, high).astype(np.int64)


def _sawtooth(spec: InputSpec, frames: int, top: int) -> Int64Array:
    _check_size(spec, frames)
    steps = np.arange(frames * spec.length, dtype=np.int64) % _STEPS
    return (steps * 2 * top // _STEPS - top).reshape(frames, spec.length)


def _check_size(spec: InputSpec, frames: int) -> None:
    if frames * spec.length > MOST_ELEMENTS:
        raise UsageError(
            f"n_frames: must be at most {MOST_ELEMENTS // spec.length} for {spec.shown}, not {shown(frames)}."
        )


def _random(spec: InputSpec, bits: int, frames: int, seed: int, place: int) -> Int64Array:
    _check_size(spec, frames)
    raw = np.random.PCG64([seed, place]).random_raw(frames * spec.length)
    values: Int64Array = (raw >> np.uint64(64 - bits)).astype(np.int64) - np.int64(1 << (bits - 1))
    return values.reshape(frames, spec.length)
