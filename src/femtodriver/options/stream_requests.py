"""The options of streams: outputs that are written frame by frame, and samples through pipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from femtodriver.options.option import option
from femtodriver.options.option_groups import INPUT, RESULTS
from femtodriver.options.value_kinds import PATH, PCM
from femtodriver.options.without_effect import RUN

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamRequest:
    """Where outputs go frame by frame, and in what form samples come and go."""

    output_file: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=RESULTS,
        aliases=("output_wav",),
        acts=RUN,
        help="write the output frame by frame to a .wav or .npy, or as raw PCM to standard output (-); nothing is kept "
        "in memory then",
    )
    output_name: str | None = option(
        None,
        metavar="NAME",
        group=RESULTS,
        acts=RUN,
        help="which output goes to --output-file (default: the first)",
    )
    output_format: str | None = option(
        None,
        kind=PCM,
        metavar="FORMAT",
        group=RESULTS,
        acts=RUN,
        help="samples of --output-file: u8, s16le, s24le, s32le or f32le (default: integers of the output's bits)",
    )
    input_format: str | None = option(
        None,
        kind=PCM,
        metavar="FORMAT",
        group=INPUT,
        acts=RUN,
        help="samples of --input-file -: u8, s16le, s24le, s32le or f32le (default s16le)",
    )
