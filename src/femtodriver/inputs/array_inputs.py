"""Arrays as inputs: what makes one, and whether it is what the network declares."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, BoolArray, Int64Array, is_masked
from femtodriver.errors import InputError
from femtodriver.inputs.input_names import by_own_names
from femtodriver.inputs.input_spec import InputSpec, listed
from femtodriver.safe_text import quote

# Elements that are looked at at a time: what is made of them on the way takes little memory.
_BLOCK = 1 << 18


def as_array(values: npt.ArrayLike, where: str) -> AnyArray:
    """The values as an array, not copied if they are one.

    Raises InputError where they make none, and for masked arrays: what is hidden by a mask would be taken for data.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of masked values in lists, which are refused below
            array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise InputError(f"{where}: must be an array of numbers with rows of equal length: {reason}.") from None
    _check_mask(values, where, 2)
    return array


def check_inputs(inputs: Mapping[str, npt.ArrayLike], specs: Sequence[InputSpec]) -> dict[str, Int64Array]:
    """The inputs as new int64 arrays of shape (frames, length), in the order of ``specs``.

    Every input of the network must be there and no other; all must have the shape (frames, length) or that of the
    network with the frames in front, and equally many frames (at least one); elements must be integers, or floats that
    are whole, within the declared bits.
    Raises InputError naming input, frame, element, value and allowed range. Nothing of the caller's is changed.
    """
    return {name: values.astype(np.int64) for name, values in checked_frames(inputs, specs).items()}


def checked_frames(inputs: Mapping[str, npt.ArrayLike], specs: Sequence[InputSpec]) -> dict[str, AnyArray]:
    """As ``check_inputs``, but the caller's own arrays where they are arrays, of whatever type: nothing is copied.

    For those who convert them frame by frame, or some frames at a time, and then need no second copy of them all.
    """
    inputs = by_own_names(inputs, specs)
    check_names(inputs, specs)
    checked = {}
    for spec in specs:
        array = as_array(inputs[spec.name], spec.shown)
        check_shape(array.shape, spec)
        frames = array.reshape(len(array), spec.length)
        step = max(1, _BLOCK // max(1, spec.length))
        for first in range(0, len(frames), step):
            _check_numbers(frames[first : first + step], spec, first)
        checked[spec.name] = frames
    check_equal_frames({name: len(array) for name, array in checked.items()})
    return checked


def check_frame(inputs: Mapping[str, npt.ArrayLike], specs: Sequence[InputSpec]) -> dict[str, Int64Array]:
    """One frame of every input as a new int64 array of shape (length,), in the order of ``specs``.

    A frame must have the shape (length,), or that of the network; else as ``check_inputs``.
    """
    inputs = by_own_names(inputs, specs)
    check_names(inputs, specs)
    checked = {}
    for spec in specs:
        array = as_array(inputs[spec.name], spec.shown)
        if array.shape not in spec.shapes:
            wanted = " or ".join(map(str, spec.shapes))
            raise InputError(f"{spec.shown}: a frame must have the shape {wanted}, not {array.shape}.")
        checked[spec.name] = whole_numbers(array.reshape(1, spec.length), spec)[0]
    return checked


def check_names(inputs: Mapping[str, Any], specs: Sequence[InputSpec]) -> None:
    """Raises InputError unless the names are those of the inputs."""
    if not isinstance(inputs, Mapping):
        raise InputError(f"inputs: must be a mapping from input name to array, not {type(inputs).__name__}.")
    names = {spec.name for spec in specs}
    for spec in specs:
        if spec.name not in inputs:
            raise InputError(
                f"inputs: must have an array for {quote(spec.name)}, which is missing. Inputs: {listed(specs)}."
            )
    for name in inputs:
        if name not in names:
            shown = quote(name) if isinstance(name, str) else f"a {type(name).__name__}"
            raise InputError(f"inputs: must be inputs of the network, not {shown}. Inputs: {listed(specs)}.")


def check_shape(shape: tuple[int, ...], spec: InputSpec) -> None:
    """Raises InputError unless it is the shape of one frame or more."""
    if shape[1:] not in spec.shapes or not shape:
        wanted = " or ".join(f"(frames, {', '.join(map(str, axes))})" for axes in spec.shapes)
        raise InputError(f"{spec.shown}: must have the shape {wanted}, not {shape}.")
    if not shape[0]:
        raise InputError(f"{spec.shown}: must have at least one frame, not 0.")


def check_equal_frames(frames: Mapping[str, int]) -> None:
    """Raises InputError unless all inputs have equally many frames."""
    for name, count in frames.items():
        first, wanted = next(iter(frames.items()))
        if count != wanted:
            raise InputError(f"input {quote(name)}: must have as many frames as {quote(first)}, {wanted}, not {count}.")


def whole_numbers(values: AnyArray, spec: InputSpec, first: int = 0) -> Int64Array:
    """Frames of shape (n, length) as a new int64 array; ``first`` is the number of the first of them in messages.

    Raises InputError for elements that are not whole numbers within the declared bits.
    """
    _check_numbers(values, spec, first)
    return values.astype(np.int64)


def _check_numbers(values: AnyArray, spec: InputSpec, first: int) -> None:
    if values.dtype.kind not in "iuf":
        wanted = "integers of at most 64 bits" if values.dtype.kind == "O" else "integers"
        raise InputError(f"{spec.shown}: must hold {wanted}, not {values.dtype}.")
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            values = values.astype(np.promote_types(values.dtype, np.float32))  # float16 cannot hold the limits
            fractions = ~np.isfinite(values) | (values != np.floor(values))
        _refuse(
            values, fractions, spec, first, "be a whole number", "Scale and round the input, or let --scale real do it"
        )
    low, high = spec.limits
    if values.size and (values.min() < low or values.max() > high):  # masks of all elements take memory
        wanted = f"be between {low} and {high} ({spec.bits} bits)"
        _refuse(values, (values < low) | (values > high), spec, first, wanted, "Scale or clip the input")


def _refuse(values: AnyArray, wrong: BoolArray, spec: InputSpec, first: int, wanted: str, remedy: str) -> None:
    if not wrong.any():
        return
    frame, element = (int(index[0]) for index in np.nonzero(wrong))
    value = values[frame, element].item()
    raise InputError(f"{spec.shown}: frame {first + frame}, element {element}: must {wanted}, not {value}. {remedy}.")


def _check_mask(values: Any, where: str, depth: int) -> None:
    """Refuses masked arrays in which something is masked, also as rows of a list."""
    if is_masked(values):
        masked = np.argwhere(np.ma.getmaskarray(values))
        first = f", the first at {masked[0].tolist()}" if values.ndim else ""
        raise InputError(
            f"{where}: must be a plain array, not a masked one (masked values: {len(masked)}{first}). "
            "Put numbers there, for example with array.filled(0)."
        )
    if depth and isinstance(values, (list, tuple)):
        for row in values:
            _check_mask(row, where, depth - 1)
