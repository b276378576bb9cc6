"""From a file, an array or nothing to the inputs of a network: frames of integers by input name."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs.array_inputs import as_array, check_inputs, read_array
from femtodriver.inputs.input_spec import InputSpec, listed
from femtodriver.inputs.wav_file import read_wav, rescale

# Random values have at most 12 bits, [-2048, 2047]: audio of modest loudness, as the reference tool makes it.
RANDOM_BITS = 12
SUFFIXES = (".wav", ".npy", ".npz")

Source = str | Path | npt.ArrayLike | Mapping[str, npt.ArrayLike] | None


def load_inputs(
    source: Source,
    specs: Sequence[InputSpec],
    *,
    n_frames: int = 2,
    seed: int = 0,
    sample_indices: Sequence[int] | None = None,
) -> dict[str, Int64Array]:
    """Checked inputs by name, int64, each of shape (frames, length).

    ``source`` is None (random, ``n_frames`` frames from ``seed``), a path to ``.wav``, ``.npy`` or ``.npz``, an array
    (1-D samples or 2-D frames x length) or a mapping from input name to array. Samples are cut into whole frames; what
    is left over is dropped. ``sample_indices`` (lo, hi) keeps frames lo to hi - 1, of random inputs too.

    Raises UsageError for an unknown file type or a wrong argument, InputError for data that do not fit.
    """
    if source is None:
        inputs: Mapping[str, npt.ArrayLike] = random_inputs(specs, n_frames, seed)
    elif isinstance(source, Mapping):
        inputs = {name: _framed(values, specs, name) for name, values in source.items()}
    elif isinstance(source, (str, Path)):
        inputs = _from_file(Path(source), specs)
    else:
        only = _only(specs, "an array without a name", "Give a mapping from input name to array")
        inputs = {only.name: _framed(source, specs, only.name)}
    checked = check_inputs(inputs, specs)
    if sample_indices is None:
        return checked
    low, high = _range(sample_indices)
    return select_frames(checked, low, high)


def random_inputs(specs: Sequence[InputSpec], n_frames: int, seed: int) -> dict[str, Int64Array]:
    """Uniform random integers of [-2048, 2047], or of the input's range where that is narrower (8 bits).

    The high bits of NumPy's PCG64, seeded with (``seed``, place of the input); NumPy promises this stream for all
    versions. More frames only append to fewer. Shape (n_frames, length) each.
    Raises UsageError for a wrong count or seed.
    """
    frames = _whole(n_frames, "n_frames", 1)
    start = _whole(seed, "seed", 0)
    inputs = {}
    for place, spec in enumerate(specs):
        bits = min(spec.bits, RANDOM_BITS)
        try:
            raw = np.random.PCG64([start, place]).random_raw(frames * spec.length)
        except (MemoryError, ValueError, OverflowError):
            raise UsageError(f"n_frames: must be a number of frames that fits in memory, not {frames}.") from None
        values = (raw >> np.uint64(64 - bits)).astype(np.int64) - np.int64(1 << (bits - 1))
        inputs[spec.name] = values.reshape(frames, spec.length)
    return inputs


def frames_from_samples(samples: AnyArray, spec: InputSpec) -> AnyArray:
    """1-D samples as whole frames, shape (frames, length), same dtype; the rest is dropped.

    Raises InputError where the samples are not 1-D or do not fill one frame.
    """
    if samples.ndim != 1:
        raise InputError(f"input {spec.name!r}: samples must be 1-D, not of shape {samples.shape}.")
    frames = len(samples) // spec.length
    if not frames:
        raise InputError(
            f"input {spec.name!r}: must have at least {spec.length} samples, which make one frame, not {len(samples)}."
        )
    return samples[: frames * spec.length].reshape(frames, spec.length)


def select_frames(inputs: Mapping[str, Int64Array], low: int, high: int) -> dict[str, Int64Array]:
    """Frames low to high - 1 of every input; a range that ends behind the last frame ends there.

    Raises InputError for a range that is empty or starts behind the last frame.
    """
    if not 0 <= low < high:
        raise InputError(f"frame range: must be lo,hi with 0 <= lo < hi, not {low},{high}.")
    for name, array in inputs.items():
        if low >= len(array):
            raise InputError(
                f"frame range {low},{high}: must start within the {len(array)} frames of input {name!r}, from 0."
            )
    return {name: array[low:high] for name, array in inputs.items()}


def _from_file(path: Path, specs: Sequence[InputSpec]) -> dict[str, npt.ArrayLike]:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{path}: an input file must end in {', '.join(SUFFIXES)}, not {suffix or 'nothing'!r}.")
    if suffix == ".wav":
        only = _only(specs, f"{path}: a .wav file", "Use a .npz file with one array per input name")
        samples, bits, _ = read_wav(path)
        return {only.name: frames_from_samples(rescale(samples, bits, only.bits), only)}
    content = read_array(path)
    if isinstance(content, dict):
        return {name: _framed(values, specs, name) for name, values in content.items()}
    only = _only(specs, f"{path}: a .npy file", "Use a .npz file with one array per input name")
    return {only.name: _framed(content, specs, only.name)}


def _framed(values: npt.ArrayLike, specs: Sequence[InputSpec], name: str) -> npt.ArrayLike:
    """1-D values as frames; anything else as it is, for ``check_inputs`` to judge."""
    array = as_array(values, f"input {name!r}")
    for spec in specs:
        if spec.name == name and array.ndim == 1:
            return frames_from_samples(array, spec)
    return array


def _only(specs: Sequence[InputSpec], what: str, remedy: str) -> InputSpec:
    if len(specs) != 1:
        raise InputError(f"{what} can feed a network of one input, not of {len(specs)}: {listed(specs)}. {remedy}.")
    return specs[0]


def _range(indices: Any) -> tuple[int, int]:
    try:
        low, high = (operator.index(index) for index in indices)
    except (TypeError, ValueError):
        raise UsageError(f"input_sample_indices: must be two frame numbers lo, hi, not {indices!r}.") from None
    return low, high


def _whole(value: Any, what: str, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise UsageError(f"{what}: must be a whole number of at least {least}, not {value!r}.")
    return number
