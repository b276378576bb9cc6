"""The inputs of a run: made, or as they were given, with what is known about them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.files.file_access import AnyPath, open_file, reason_of
from femtodriver.files.pipe_access import read_some
from femtodriver.inputs import InputSpec, open_inputs, read_inputs
from femtodriver.inputs.feature_stream import FeatureStream
from femtodriver.inputs.frame_stream import FrameStream
from femtodriver.inputs.generated_frames import CYCLE, HALF_RANDOM, RANDOM, RANDOM_BITS, SAWTOOTH, STYLES, VARIED
from femtodriver.inputs.input_environment import SEED, STYLE, asked_seed, asked_style
from femtodriver.inputs.loaded_inputs import InputSource, asked_range, range_notes, range_within
from femtodriver.inputs.pcm_format import PCM_FORMATS, USUAL_FORMAT, USUAL_RATE_HZ
from femtodriver.inputs.pcm_stream import PcmStream
from femtodriver.inputs.reading import Reading
from femtodriver.inputs.real_values import REAL
from femtodriver.model.debug_program import wanted_names
from femtodriver.model.load_model import Source
from femtodriver.options.input_requests import FramesRequest, InputRequest
from femtodriver.options.main_requests import JobRequest
from femtodriver.output.streamed_output import is_pipe
from femtodriver.runners.execution import SIMULATOR, RunInputs
from femtodriver.stop_signals import Stop

MOST_BYTES = 1 << 40
USUAL_FRAMES = 2


def make_inputs(
    source: InputSource, specs: Sequence[InputSpec], request: FramesRequest, compared: bool = False
) -> tuple[dict[str, Int64Array], RunInputs]:
    """The inputs that a source and a request mean, int64, (frames, length); see ``inputs.read_inputs``.

    ``compared``: they are for a comparison, which says little if it stays away from the limits of the inputs.
    """
    style, seed, told = _generator(request, compared) if source is None else (RANDOM, 0, ())
    usual = len(CYCLE) if style == VARIED else USUAL_FRAMES
    found = read_inputs(
        source,
        specs,
        n_frames=usual if request.n_frames is None else request.n_frames,
        seed=seed,
        sample_indices=request.input_sample_indices,
        scale=request.scale,
        style=style,
        hop=request.hop,
        channel=request.channel,
        rate_hz=request.input_rate,
        resample_hz=request.resample,
        frontend=request.frontend,
    )
    arrays, notes = dict(found.arrays), found.notes
    if source is not None:
        return arrays, RunInputs(arrays, notes, found.period_s)
    if compared and style == RANDOM:
        most = min(RANDOM_BITS, max((spec.bits for spec in specs), default=RANDOM_BITS))
        notes = (f"random frames of {most} bits from seed {seed}: they seldom reach the limits", *notes)
    return arrays, RunInputs(arrays, (*notes, *told), found.period_s, None if style == SAWTOOTH else seed)


def _generator(request: FramesRequest, compared: bool) -> tuple[str, int, tuple[str, ...]]:
    """Style and seed of the frames that we make, and a note where the environment decides.

    There, "random" and a seed alone mean what they mean to the reference 2.x.
    """
    style, seed = request.input_style, request.seed
    told = {}
    if seed is None and (found := asked_seed()) is not None:
        seed, told[SEED] = found, f"seed {found}"
    if style is None and (named := asked_style(STYLES)) is not None:
        style = HALF_RANDOM if named == RANDOM else named
        told[STYLE] = f"style {style}"
    if style is None and SEED in told:
        style = HALF_RANDOM
    usual = VARIED if compared else RANDOM
    notes = tuple(f"generated frames: {what}, as {name} says" for name, what in told.items())
    return style or usual, seed or 0, notes


def job_inputs(
    source: Source, specs: Sequence[InputSpec], request: JobRequest, runners: Sequence[str], stop: Stop
) -> RunInputs:
    """The inputs of a whole job. What was named is looked at also where nothing runs, so that it is right at least.

    Where outputs are written frame by frame, frames are read as they are needed; ``stop``: whether to wait no longer
    for them. Close what is returned.
    """
    wanted_names(source, request)
    for path in (request.dummy_output_file, request.reply_file):
        _check_file(path)
    piped = is_pipe(request.input_file)
    if not runners and (piped or (request.input_file is None and request.input_sample_indices is None)):
        return RunInputs({})
    if runners and (piped or request.output_file is not None):
        made = _streamed(specs, request, len(runners) > 1, stop)
    else:
        made = (
            sample_inputs(source, specs, request)
            or make_inputs(request.input_file, specs, request, compared=len(runners) > 1)[1]
        )
    if made.seed is not None and specs and len(runners) == 1 and _generator(request, False)[0] == RANDOM:
        told = f"inputs: random frames from seed {made.seed}; --input-file takes others"
        made = replace(made, notes=(told, *made.notes))
    if request.input_rate is not None and len(specs) > 1:
        note = (
            f"input_rate: without effect, because the network has {len(specs)} inputs; --input-period says the period"
        )
        made = replace(made, notes=(*made.notes, note))
    if made.period_s is None or request.input_period is not None or SIMULATOR not in runners:
        return made
    hopped = request.hop is not None and request.input_file is not None  # generated frames have no hop
    step = "hop" if hopped else "width of the input"
    note = f"input period: {made.period_s:.6g} s, which follows from the sample rate and the {step}"
    return replace(made, notes=(*made.notes, note))


def sample_inputs(source: Source, specs: Sequence[InputSpec], request: InputRequest) -> RunInputs | None:
    """The first clip of the calibration of a PyTorch module, which says more of what it costs than frames of ours.

    None for any other model, and where something is said of the inputs.
    """
    said = (request.input_file, request.n_frames, request.input_style, request.scale)
    if not source.sample or request.seed or any(value is not None for value in said):
        return None
    arrays, made = make_inputs(source.sample, specs, replace(request, scale=REAL))
    frames = max(map(len, arrays.values()))
    told = f"inputs: {frames} frames from the start of the calibration; --input-file takes others"
    return replace(made, notes=(told, *(note for note in made.notes if "quanta" not in note)))


def _streamed(specs: Sequence[InputSpec], request: JobRequest, compared: bool, stop: Stop) -> RunInputs:
    """The same frames, to be read as they are needed."""
    if is_pipe(request.input_file):
        return _from_pipe(specs, request, stop)
    if request.input_file is None:
        arrays, made = make_inputs(None, specs, request, compared)
        reader = open_inputs(arrays, specs, rate_hz=request.input_rate)
        return replace(made, arrays={}, stream=FrameStream(reader, 0, reader.n_frames))
    asked = asked_range(request.input_sample_indices)
    reader = open_inputs(
        request.input_file,
        specs,
        request.scale,
        hop=request.hop,
        channel=request.channel,
        rate_hz=request.input_rate,
        resample_hz=request.resample,
        frontend=request.frontend,
    )
    low, high = range_within(asked, reader.n_frames)
    stream = FrameStream(reader, low, high, range_notes(asked, low, high, reader.n_frames))
    return RunInputs({}, stream.notes, stream.period_s, stream=stream)


def _from_pipe(specs: Sequence[InputSpec], request: JobRequest, stop: Stop) -> RunInputs:
    """Raw PCM from standard input."""
    if len(specs) != 1:
        raise InputError(f"standard input: can feed a network of one input, not of {len(specs)}. Give a .npz file.")
    if request.input_sample_indices is not None:
        raise UsageError("input_sample_indices: must be given for a file, not for standard input. Leave it out.")
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, ValueError, io.UnsupportedOperation):
        raise InputError("standard input: must be a pipe or a file, which it is not here.") from None
    if os.isatty(descriptor):
        raise InputError(
            "standard input: must be a pipe or a file, not a terminal: arecord -f S16_LE -r 16000 -t raw |"
        )
    form = PCM_FORMATS[request.input_format or USUAL_FORMAT]
    rate_hz = request.input_rate or USUAL_RATE_HZ
    how = Reading(request.scale, request.hop, request.channel, rate_hz, request.resample, request.frontend)
    source = PcmStream if how.frontend is None else FeatureStream
    stream = source(partial(_read_pipe, descriptor, stop), specs[0], form, how)
    told = f"standard input: raw PCM, mono, {form.name}, {rate_hz:g} Hz"
    assumed = "" if request.input_rate and request.input_format else " (--input-format and --input-rate say otherwise)"
    return RunInputs({}, (told + assumed, *stream.notes), stream.period_s, stream=stream)


def _read_pipe(descriptor: int, stop: Stop, most: int) -> bytes | None:
    try:
        return read_some(descriptor, most, lambda: stop.asked)
    except OSError as error:
        raise InputError(f"standard input: cannot be read: {reason_of(error)}.") from None


def _check_file(path: AnyPath | None) -> None:
    """InputError for a file that cannot be opened."""
    if path is not None:
        with open_file(Path(path), MOST_BYTES, InputError):
            pass
