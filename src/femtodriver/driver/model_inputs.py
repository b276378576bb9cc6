"""The inputs of a run: made, or as they were given, with what is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError
from femtodriver.files.file_access import AnyPath, open_file
from femtodriver.inputs import InputSpec, read_inputs
from femtodriver.inputs.generated_frames import CYCLE, RANDOM_BITS
from femtodriver.inputs.loaded_inputs import InputSource
from femtodriver.model.debug_program import wanted_names
from femtodriver.model.load_model import Source
from femtodriver.options.input_requests import FramesRequest
from femtodriver.options.main_requests import JobRequest
from femtodriver.options.value_kinds import VARIED
from femtodriver.runners.execution import SIMULATOR, RunInputs

MOST_BYTES = 1 << 40
USUAL_FRAMES = 2


def make_inputs(
    source: InputSource, specs: Sequence[InputSpec], request: FramesRequest, compared: bool = False
) -> tuple[dict[str, Int64Array], RunInputs]:
    """The inputs that a source and a request mean, int64, (frames, length); see ``inputs.read_inputs``.

    ``compared``: they are for a comparison, which says little if it stays away from the limits of the inputs.
    """
    varied = compared if request.input_style is None else request.input_style == VARIED
    usual = len(CYCLE) if varied else USUAL_FRAMES
    found = read_inputs(
        source,
        specs,
        n_frames=usual if request.n_frames is None else request.n_frames,
        seed=request.seed,
        sample_indices=request.input_sample_indices,
        scale=request.scale,
        varied=varied,
        hop=request.hop,
        channel=request.channel,
        rate_hz=request.input_rate,
    )
    arrays, notes = dict(found.arrays), found.notes
    if compared and source is None and not varied:
        most = min(RANDOM_BITS, max((spec.bits for spec in specs), default=RANDOM_BITS))
        notes = (f"random frames of {most} bits from seed {request.seed}: they seldom reach the limits", *notes)
    return arrays, RunInputs(arrays, notes, found.period_s, request.seed if source is None else None)


def job_inputs(source: Source, specs: Sequence[InputSpec], request: JobRequest, runners: Sequence[str]) -> RunInputs:
    """The inputs of a whole job. What was named is looked at also where nothing runs, so that it is right at least."""
    wanted_names(source, request)
    for path in (request.dummy_output_file, request.reply_file):
        _check_file(path)
    if not runners and request.input_file is None and request.input_sample_indices is None:
        return RunInputs({})
    made = make_inputs(request.input_file, specs, request, compared=len(runners) > 1)[1]
    if made.period_s is None or request.input_period is not None or SIMULATOR not in runners:
        return made
    step = "width of the input" if request.hop is None else "hop"
    note = f"input period: {made.period_s:.6g} s, which follows from the sample rate and the {step}"
    return replace(made, notes=(*made.notes, note))


def _check_file(path: AnyPath | None) -> None:
    """InputError for a file that cannot be opened."""
    if path is not None:
        with open_file(Path(path), MOST_BYTES, InputError):
            pass
