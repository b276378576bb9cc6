"""Inputs that need no file: a sawtooth or random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from femtodriver.device.session.frame_messages import Values
from femtodriver.errors import UsageError
from femtodriver.inputs.input_environment import asked_seed, asked_style
from femtodriver.inputs.input_spec import MOST_ELEMENTS
from femtodriver.program.metadata import InputRecord

STYLES = ("sawtooth", "random")
_PERIOD = 32
_RANDOM = 2048


def fake_inputs(
    records: Sequence[InputRecord], frames: int, style: str, environment: Mapping[str, str] | None = None
) -> Values:
    """An int64 array (frames, logical length) per input.

    "sawtooth": the running index modulo 32; "random": -2048 to 2047, or what 8 bits hold. The environment variables
    FS_FD_INPUT_STYLE and FS_FD_INPUT_SEED override style and seed. UsageError for another style or seed.
    """
    seed = asked_seed(environment)
    style = asked_style(STYLES, environment) or ("random" if seed is not None else style)
    if style not in STYLES:
        raise UsageError(f"fake inputs: the style must be one of {', '.join(STYLES)}, not {style!r}.")
    whole = isinstance(frames, (int, np.integer)) and not isinstance(frames, bool)
    most = MOST_ELEMENTS // max([1, *(record.usable for record in records)])
    if not whole or not 1 <= frames <= most:
        raise UsageError(f"fake inputs: the number of frames must be a whole number in 1...{most}, not {frames!r:.60}.")
    numbers = np.random.default_rng(seed)
    inputs: Values = {}
    for record in records:
        shape = (frames, record.usable)
        half = min(_RANDOM, 1 << (record.bits - 1))
        if style == "sawtooth":
            inputs[record.name] = (np.arange(frames * record.usable, dtype=np.int64) % _PERIOD).reshape(shape)
        else:
            inputs[record.name] = numbers.integers(-half, half, shape, dtype=np.int64)
    return inputs
