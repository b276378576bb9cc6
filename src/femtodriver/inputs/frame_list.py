"""Inputs as a list of frames, one mapping from input name to values each, as the reference's 2.x takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError
from femtodriver.inputs.array_inputs import as_array
from femtodriver.safe_text import quote

FrameList = Sequence[Mapping[str, npt.ArrayLike]]


def stacked_frames(inputs: Any, held: Mapping[str, AnyArray] | None = None) -> Any:
    """A list of frames as a mapping from input name to rows, shape (frames, elements); anything else as it is.

    ``held``: inputs that frames may leave out, with their values before the first frame; later ones stay as they were.

    Raises InputError for frames whose inputs have other names or shapes than those of the first frame.
    """
    if not isinstance(inputs, (list, tuple)) or not inputs or not all(isinstance(one, Mapping) for one in inputs):
        return inputs
    last: dict[str, npt.ArrayLike] = dict(held or {})
    frames: FrameList = inputs
    names = list({**last, **frames[0]})
    rows: dict[str, list[AnyArray]] = {name: [] for name in names}
    for place, given in enumerate(frames):
        frame = {**last, **given}
        last = {name: frame[name] for name in last}
        if set(frame) != set(names):
            told = " and ".join(", ".join(map(quote, chosen)) or "none" for chosen in (names, list(frame)))
            raise InputError(f"frame {place}: must have the inputs of frame 0, but they have {told}.")
        for name in names:
            values = as_array(frame[name], f"frame {place}: input {quote(name)}")
            first = rows[name][0] if rows[name] else values
            if values.shape != first.shape:
                raise InputError(
                    f"frame {place}: input {quote(name)} must have the shape {first.shape}, as in frame 0, not "
                    f"{values.shape}."
                )
            rows[name].append(values)
    return {name: np.stack(values) for name, values in rows.items()}
