"""The options of inputs: which frames, from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from femtodriver.options.option import option
from femtodriver.options.option_groups import INPUT
from femtodriver.options.value_kinds import ANYTHING, FRAME_RANGE, FRONTEND, HERTZ, SCALE, STYLE, whole
from femtodriver.options.without_effect import GENERATED, RUN

if TYPE_CHECKING:
    from femtodriver.inputs.loaded_inputs import InputSource


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadingRequest:
    """How arrays and files become frames."""

    scale: str | float | None = option(
        None,
        kind=SCALE,
        metavar="real|FACTOR",
        group=INPUT,
        acts=RUN,
        help="take the input as real numbers, scaled as the network says or by this factor (default: as integers)",
    )
    hop: int | None = option(
        None,
        kind=whole(1),
        metavar="N",
        group=INPUT,
        acts=RUN,
        help="samples from one frame to the next, for an input whose frames overlap (default: the width of the input)",
    )
    channel: int | None = option(
        None,
        kind=whole(1),
        metavar="N",
        group=INPUT,
        acts=RUN,
        help="which channel of a WAV file, from 1 (default: it must be mono)",
    )
    input_rate: float | None = option(
        None,
        kind=HERTZ,
        metavar="HZ",
        group=INPUT,
        acts=RUN,
        help="samples per second of an input that does not state them",
    )
    resample: float | None = option(
        None,
        kind=HERTZ,
        metavar="HZ",
        group=INPUT,
        acts=RUN,
        help="bring the samples of a WAV file to this rate (needs the package soxr)",
    )
    frontend: str | None = option(
        None,
        kind=FRONTEND,
        metavar="micro",
        group=INPUT,
        acts=RUN,
        help="make features of audio at 16 kHz, as wake-word models take them (needs the package pymicro-features)",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class FramesRequest(ReadingRequest):
    """Which frames of the input, or how many at random."""

    n_frames: int | None = option(
        None,
        kind=whole(1),
        metavar="N",
        group=INPUT,
        aliases=("n_inputs",),
        acts=GENERATED,
        help="number of frames to generate if no input is given (default 2, or 8 varied ones)",
    )
    input_style: str | None = option(
        None,
        kind=STYLE,
        metavar="STYLE",
        group=INPUT,
        acts=GENERATED,
        help="generated frames: random (of 12 bits; default), varied (they reach the limits; default in a comparison), "
        "or, as the reference 2.x makes them, sawtooth or half-random (of half the range); FS_FD_INPUT_STYLE sets the "
        "default",
    )
    seed: int | None = option(
        None,
        kind=whole(0),
        metavar="N",
        group=INPUT,
        acts=GENERATED,
        help="seed of the generated frames (default: FS_FD_INPUT_SEED, which also makes them half-random, else 0)",
    )
    input_sample_indices: Sequence[int] | None = option(
        None,
        kind=FRAME_RANGE,
        metavar="LO,HI",
        group=INPUT,
        aliases=("input_file_sample_indices",),
        acts=RUN,
        help="use only frames LO to HI - 1 of the input",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class InputRequest(FramesRequest):
    """Where inputs come from."""

    input_file: InputSource = option(
        None,
        kind=ANYTHING,
        metavar="FILE",
        group=INPUT,
        acts=RUN,
        help=".wav, .npy or .npz (one array per input name), or - for raw PCM from standard input; default: generated "
        "frames",
    )
