"""Inputs for a compiled model: everything that ``inputs`` knows, and bare samples for several inputs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import InputError
from femtodriver.inputs import InputSpec, load_inputs
from femtodriver.inputs.loaded_inputs import InputSource
from femtodriver.options.request_types import FramesRequest

_log = logging.getLogger(__name__)


def make_inputs(source: InputSource, specs: Sequence[InputSpec], request: FramesRequest) -> dict[str, Int64Array]:
    """Inputs by name, int64, (frames, length); see ``inputs.load_inputs``.

    A bare 1-D array for a model of several inputs is dealt out: of each frame the first input takes as many samples as
    it is wide, then the second, and so on.
    """
    given: Any = source
    if isinstance(source, np.ndarray) and source.ndim == 1 and len(specs) > 1:
        given = _dealt(source, specs)
    return load_inputs(
        given, specs, n_frames=request.n_frames, seed=request.seed, sample_indices=request.input_sample_indices
    )


def _dealt(samples: AnyArray, specs: Sequence[InputSpec]) -> dict[str, AnyArray]:
    width = sum(spec.length for spec in specs)
    frames = len(samples) // width
    if not frames:
        raise InputError(
            f"inputs: must have at least {width} samples, which make one frame of all inputs, not {len(samples)}."
        )
    _log.warning("one array for %d inputs: every frame takes %d samples, dealt out in order", len(specs), width)
    rows = samples[: frames * width].reshape(frames, width)
    ends = np.cumsum([spec.length for spec in specs])
    return {spec.name: rows[:, end - spec.length : end] for spec, end in zip(specs, ends, strict=True)}
