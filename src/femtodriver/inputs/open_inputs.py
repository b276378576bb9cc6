"""From a file or from arrays to frames that can be read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from femtodriver.array_names import escape_name
from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.files.file_access import AnyPath, open_file, shown_path
from femtodriver.inputs.array_inputs import as_array, check_equal_frames, check_names, check_shape, whole_numbers
from femtodriver.inputs.frame_list import FrameList
from femtodriver.inputs.frame_reader import Convert, FrameReader, InputFrames, frames_in
from femtodriver.inputs.input_names import by_own_names
from femtodriver.inputs.input_spec import InputSpec, listed
from femtodriver.inputs.latched_inputs import LatchedInputs
from femtodriver.inputs.micro_frontend import (
    FEATURE_RATE_HZ,
    HOP,
    MICRO,
    SAMPLE_BITS,
    MicroFrontend,
    check_rate,
    check_width,
    feature_array,
    feature_hop,
)
from femtodriver.inputs.npy_file import npy_array, npz_arrays
from femtodriver.inputs.reading import Reading
from femtodriver.inputs.real_values import REAL, RealValues, Scale, factor_of, real_values, rounds_to_nearest
from femtodriver.inputs.resampled_samples import resampled
from femtodriver.inputs.stored_array import StoredArray, in_memory
from femtodriver.inputs.wav_file import wav_samples
from femtodriver.inputs.wav_header import WavHeader

SUFFIXES = (".wav", ".npy", ".npz")
# Long recordings are read in part, so that a file may be larger than memory.
MOST_FILE_BYTES = 1 << 40
MOST_ARCHIVE_BYTES = 1 << 30

InputData = AnyPath | npt.ArrayLike | Mapping[str, npt.ArrayLike] | FrameList
"""A file, samples or frames for the only input, or these by input name; or a list of frames, each by input name."""


def open_inputs(
    source: InputData,
    specs: Sequence[InputSpec],
    scale: Scale = None,
    *,
    hop: int | None = None,
    channel: int | None = None,
    rate_hz: float | None = None,
    resample_hz: float | None = None,
    frontend: str | None = None,
) -> FrameReader:
    """The frames that a source holds for the inputs ``specs``.

    ``source``: a path to ``.wav``, ``.npy`` or ``.npz``, an array, a mapping from input name to array, or a list of
    frames, each a mapping from input name to the values of one frame. An array is
    1-D, samples that are cut into whole frames, or has the shape (frames, length) or (frames, axes of the network).
    1-D samples for several inputs are dealt out: of each frame the first input takes its length, then the second, ...
    ``scale``: None takes integers as they are, and audio at full scale; ``"real"`` or a number takes real numbers,
    which are multiplied by 2**-quanta or by the number, rounded down, and clipped. ``hop``, of samples in one row:
    frame i begins at sample i * hop, so that frames overlap where the hop is less than their width; None for the
    width. ``channel``: which channel of a WAV file, from 1. ``rate_hz``: samples per second, where the source does not
    state them. ``resample_hz``: the rate that the samples of a WAV file are brought to. ``frontend``: what makes real
    features of the samples of a WAV file, "micro"; ``hop`` then counts samples, and ``scale`` is "real" unless it is a
    number.

    Raises UsageError for an unknown file type or scale, InputError for data that do not fit. Elements are looked at
    when they are read.
    """
    how = Reading(scale, hop, channel, rate_hz, resample_hz, frontend)
    if isinstance(source, (str, os.PathLike)):
        return _from_file(Path(os.fsdecode(source)), specs, how)
    how.refuse_audio("arrays")
    return FrameReader(
        _inputs_of(LatchedInputs(specs).frames(source), specs, how), None, how.period_of(specs, rate_hz), rate_hz
    )


def _inputs_of(
    source: npt.ArrayLike | Mapping[str, npt.ArrayLike], specs: Sequence[InputSpec], how: Reading
) -> list[InputFrames]:
    if isinstance(source, Mapping):
        return _from_arrays(source, specs, how)
    array = as_array(source, "inputs")
    if array.ndim == 1 and len(specs) > 1:
        how.refuse_hop(f"an array that is dealt out to {len(specs)} inputs")
        return _dealt(array, specs, how)
    only = _only(specs, "an array without a name", "Give a mapping from input name to array")
    return _from_arrays({only.name: array}, specs, how)


def read_array(path: AnyPath) -> AnyArray | dict[str, AnyArray]:
    """The array of a ``.npy`` file, or the arrays of a ``.npz`` file by name, in memory. Objects are never loaded.

    Raises InputError for a file that cannot be read, is damaged, holds objects, or has more than 1 GiB.
    """
    with open_file(path, MOST_ARCHIVE_BYTES, InputError) as file:
        if Path(path).suffix.lower() == ".npz":
            return {name: array.whole() for name, array in npz_arrays(file, _size(file), shown_path(path)).items()}
        return npy_array(file, _size(file), shown_path(path)).whole()


def _from_file(path: Path, specs: Sequence[InputSpec], how: Reading) -> FrameReader:
    where, suffix = shown_path(path), path.suffix.lower()
    if where == "-":
        raise UsageError(
            "-: standard input is read frame by frame, by a whole job (Femtodriver.run) only. Give a file."
        )
    if suffix not in SUFFIXES:
        raise UsageError(f"{where}: an input file must end in {', '.join(SUFFIXES)}, not {suffix or 'nothing'!r}.")
    with ExitStack() as files:
        most = MOST_ARCHIVE_BYTES if suffix == ".npz" else MOST_FILE_BYTES
        file = files.enter_context(open_file(path, most, InputError))
        rate_hz = how.rate_hz
        if suffix != ".wav":
            how.refuse_audio(where)
        if suffix == ".npz":
            found = _by_input(npz_arrays(file, _size(file), where), specs)
            check_names(found, specs)
            inputs = _of_arrays(found, specs, how)
        else:
            only = _only(specs, f"{where}: a {suffix} file", "Use a .npz file with one array per input name")
            if suffix == ".npy":
                inputs = _of_arrays({only.name: npy_array(file, _size(file), where)}, specs, how)
            else:
                samples, header = wav_samples(file, _size(file), where, how.channel)
                rate_hz = how.rate_of(header.rate, where)
                if how.resample_hz is not None:
                    samples, rate_hz = _resampled(samples, header, rate_hz, how.resample_hz, where)
                if how.frontend is not None:
                    samples, how = _heard(only, samples, header, rate_hz, how, where)
                    rate_hz = FEATURE_RATE_HZ
                    inputs = [_frames(only, samples, how)]
                else:
                    inputs = [_audio(only, samples, header, how, where)]
        check_equal_frames({one.spec.name: one.n_frames for one in inputs})
        kept = files.pop_all()
    return FrameReader(inputs, kept, how.period_of(specs, rate_hz), rate_hz)


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)


def _by_input(found: Mapping[str, StoredArray], specs: Sequence[InputSpec]) -> dict[str, StoredArray]:
    """Arrays of an archive by input name: names may be escaped, as we write them, or are there as they are."""
    found = by_own_names(found, specs)
    names = {spec.name for spec in specs}
    escaped = {escape_name(name): name for name in names}
    if set(found) == set(escaped):
        return {escaped[key]: array for key, array in found.items()}
    wanted = {key: key if key in names else escaped.get(key, key) for key in found}
    return {key if name in found else name: found[key] for key, name in wanted.items()}


def _from_arrays(arrays: Mapping[str, npt.ArrayLike], specs: Sequence[InputSpec], how: Reading) -> list[InputFrames]:
    check_names(arrays, specs)
    inputs = _of_arrays({spec.name: in_memory(as_array(arrays[spec.name], spec.shown)) for spec in specs}, specs, how)
    check_equal_frames({one.spec.name: one.n_frames for one in inputs})
    return inputs


def _of_arrays(arrays: Mapping[str, StoredArray], specs: Sequence[InputSpec], how: Reading) -> list[InputFrames]:
    """Frames of the array of each input. UsageError for a hop where all of them are cut into frames already."""
    if specs and all(len(arrays[spec.name].shape) > 1 for spec in specs):
        how.refuse_hop("arrays that are frames already")
    return [_frames(spec, arrays[spec.name], how) for spec in specs]


def _dealt(samples: AnyArray, specs: Sequence[InputSpec], how: Reading) -> list[InputFrames]:
    """Of each frame the first input takes its length, then the second, and so on."""
    width = sum(spec.length for spec in specs)
    frames, left = divmod(len(samples), width)
    if not frames:
        raise InputError(
            f"inputs: must have at least {width} samples, which make one frame of all inputs, not {len(samples)}."
        )
    notes = [f"one array for {len(specs)} inputs: every frame takes {width} samples, dealt out in order"]
    if left:
        notes.append(f"inputs: the last {left} of {len(samples)} samples are not used; a frame takes {width}")
    rows = samples[: frames * width].reshape(frames, width)
    ends = np.cumsum([spec.length for spec in specs])
    parts = [in_memory(rows[:, end - spec.length : end]) for spec, end in zip(specs, ends, strict=True)]
    made = [_frames(spec, part, how) for spec, part in zip(specs, parts, strict=True)]
    return [InputFrames(made[0].spec, made[0].stored, made[0].convert, (*notes, *made[0].notes)), *made[1:]]


def _frames(spec: InputSpec, stored: StoredArray, how: Reading) -> InputFrames:
    """Frames of an array: integers as they are, or real numbers by the scale."""
    hop, left = _check_form(spec, stored, how)
    if how.scale is None:
        return InputFrames(spec, stored, partial(_integers, spec), left, hop)
    convert = real_values(spec, how.scale)
    return InputFrames(spec, stored, convert, (*left, _scaled_text(spec, how.scale)), hop)


def _check_form(spec: InputSpec, stored: StoredArray, how: Reading) -> tuple[int, tuple[str, ...]]:
    """The hop, and a note if samples at the end make no whole frame. Refuses arrays that are no frames of the input."""
    if len(stored.shape) != 1:
        check_shape(stored.shape, spec)
        return spec.length, ()
    if stored.size < spec.length:
        raise InputError(
            f"{spec.shown}: must have at least {spec.length} samples, which make one frame, not {stored.size}."
        )
    hop = how.hop_of(spec)
    left = stored.size - spec.length - hop * (frames_in(stored.size, spec.length, hop) - 1)
    takes = f"a frame takes {spec.length}" + (f", {hop} after the one before" if hop != spec.length else "")
    return hop, (f"{spec.shown}: the last {left} of {stored.size} samples are not used; {takes}",) if left else ()


def _resampled(
    samples: StoredArray, header: WavHeader, from_hz: float | None, to_hz: float, where: str
) -> tuple[StoredArray, float]:
    """The samples at another rate, and that rate."""
    if from_hz is None:
        raise UsageError(
            f"resample: the rate of {where} must be known, and the file does not state it; give --input-rate."
        )
    if from_hz == to_hz:
        return samples, to_hz
    return resampled(samples, 8 * header.block, from_hz, to_hz, where), to_hz


def _heard(
    spec: InputSpec, samples: StoredArray, header: WavHeader, rate_hz: float | None, how: Reading, where: str
) -> tuple[StoredArray, Reading]:
    """The features of the samples, and how to read these."""
    check_rate(rate_hz, where)
    check_width(spec)
    MicroFrontend(how.frontend or MICRO)
    heard = InputSpec("audio", HOP, SAMPLE_BITS)
    convert, notes = audio_levels(heard, header.block, header.is_float, None, where)

    def sixteen_bits(first: int, last: int) -> AnyArray:
        return convert(samples.read(first, last).reshape(1, -1), 0).reshape(-1)

    scale = REAL if how.scale is None else how.scale
    features = feature_array(sixteen_bits, samples.size, (*samples.notes, *notes), where)
    return features, replace(how, scale=scale, hop=feature_hop(how.hop))


def _audio(spec: InputSpec, samples: StoredArray, header: WavHeader, how: Reading, where: str) -> InputFrames:
    """Frames of the samples of a WAV file."""
    hop, left = _check_form(spec, samples, how)
    convert, notes = audio_levels(spec, header.block, header.is_float, how.scale, where)
    return InputFrames(spec, samples, convert, (*left, *notes), hop)


def audio_levels(
    spec: InputSpec, block: int, is_float: bool, scale: Scale, where: str
) -> tuple[Convert, tuple[str, ...]]:
    """What makes integers of samples of ``block`` bytes whose full scale stands for 1.0, with notes about it."""
    bits = 8 * block
    if scale is not None:
        convert = real_values(spec, scale, 1.0 if is_float else 2.0 ** (1 - bits))
        return convert, (f"{where}: full scale is 1.0; {_scaled_text(spec, scale)}",)
    notes = _level_text(spec, where)
    if is_float:
        return RealValues(spec, -float(spec.limits[0]), half_up=True), tuple(notes)
    if bits > spec.bits:
        lost = bits - spec.bits
        notes.append(f"{where}: the lowest {lost} of {bits} bits are not used; {spec.shown} has {spec.bits}")
    return partial(_shifted, bits, spec.bits), tuple(notes)


def _level_text(spec: InputSpec, where: str) -> list[str]:
    """What full scale becomes, where the network does not read it as the 1.0 that it stands for."""
    if spec.step is None or (spec.quanta == 1 - spec.bits and not spec.zero_point):
        return []
    full = (-spec.limits[0] - (spec.zero_point or 0)) * spec.step
    return [
        f"{where}: full scale (1.0) becomes {spec.limits[1]}, which {spec.shown} reads as {full:g} "
        f"({spec.meaning}); --scale {REAL} keeps 1.0 at 1.0"
    ]


def _scaled_text(spec: InputSpec, scale: Scale) -> str:
    if rounds_to_nearest(spec, scale):
        return f"{spec.shown}: real numbers to the nearest integer of the network ({spec.meaning})"
    why = f" ({spec.meaning})" if scale == REAL else ""
    return f"{spec.shown}: real numbers times {factor_of(scale, spec):g}{why}, rounded down"


def _integers(spec: InputSpec, frames: AnyArray, first: int) -> Int64Array:
    return whole_numbers(frames, spec, first)


def _shifted(from_bits: int, to_bits: int, frames: AnyArray, _: int) -> Int64Array:
    """Samples of one width as samples of another: arithmetic shift, so that full scale stays full scale."""
    wide = frames.astype(np.int64) << np.int64(max(0, to_bits - from_bits))
    result: Int64Array = wide >> np.int64(max(0, from_bits - to_bits))
    return result


def _only(specs: Sequence[InputSpec], what: str, remedy: str) -> InputSpec:
    if len(specs) != 1:
        raise InputError(f"{what} can feed a network of one input, not of {len(specs)}: {listed(specs)}. {remedy}.")
    return specs[0]
