"""A sweep from the request to its rows: what to compile, where it runs, and how the rows come together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from femtodriver.job.compiled_model import DriverSettings
from femtodriver.job.model_inputs import make_inputs, sample_inputs
from femtodriver.metrics import ROOM_TEMPERATURE_C
from femtodriver.metrics.run_totals import DEFAULT_PERIOD_S
from femtodriver.model.build_model import build
from femtodriver.model.described_program import network_inputs
from femtodriver.model.load_model import Source, load_source
from femtodriver.model.model_options import ModelOptions, compiler_options
from femtodriver.options.bind_request import bind
from femtodriver.options.sweep_requests import SweepRequest
from femtodriver.part import Part, load_part
from femtodriver.runners.execution import SIMULATOR, RunInputs
from femtodriver.runners.fasmir_runner import machine_notes
from femtodriver.sweep.measured_program import Job, Measured, measure
from femtodriver.sweep.sweep_result import SETTINGS, SweepResult, SweepRow, check_sort, marked
from femtodriver.sweep.variants import Conditions, ProgramChoice, Variant, variants
from femtodriver.sweep.worker_processes import measure_all

_log = logging.getLogger(__name__)


def run_sweep(model: object, **options: Any) -> SweepResult:
    """Compile, run and measure a model in many variants: ``run_sweep(model, clock=[10e6, 50e6])``.

    What ``Femtodriver.sweep`` does, with a driver of no settings: the same options, results and errors.
    """
    return sweep(model, bind(SweepRequest, options, "run_sweep"), DriverSettings(None, None, None, None), _log.info)


def sweep(model: object, request: SweepRequest, settings: DriverSettings, say: Callable[[str], None]) -> SweepResult:
    """The same, of a request; ``say(text)`` is told how a PyTorch module is converted."""
    source = load_source(model, request.model_name, request.requantize, request, say)
    network = source.network is not None
    specs = network_inputs(source.network) if source.network is not None else build(source).inputs
    inputs = sample_inputs(source, specs, request) or make_inputs(request.input_file, specs, request)[1]
    chosen = variants(request, network, inputs.period_s)
    parts = _checked(chosen)
    check_sort(request.sort, (*SETTINGS, *(name for name, _ in chosen[0].program.compiler_options)))
    settings = replace(settings, service=None)  # no container for other processes
    measured = _measured(source, settings, inputs, chosen, request.workers or 1)
    rows = [_row(one, found, parts, inputs.period_s) for one, found in zip(chosen, measured, strict=True)]
    frames = inputs.n_frames or 0
    notes = (*machine_notes(None, (SIMULATOR,)), *inputs.notes)
    result = SweepResult(source.name, source.sha256, frames, inputs.seed, notes, marked(rows))
    return result.sorted(request.sort) if request.sort else result


def _checked(chosen: Sequence[Variant]) -> dict[str, Part]:
    """The parts, by what they are called. UsageError for a part or an option of the compiler that does not exist."""
    programs = dict.fromkeys(one.program for one in chosen)
    for program in programs:
        compiler_options(ModelOptions(), dict(program.compiler_options))
    return {name: load_part(name) for name in {program.part: None for program in programs} if name}


def _measured(
    source: Source, settings: DriverSettings, inputs: RunInputs, chosen: Sequence[Variant], workers: int
) -> list[Measured]:
    """What each variant measures: every program is compiled and run once."""
    conditions: dict[ProgramChoice, list[Conditions]] = {}
    for one in chosen:
        conditions.setdefault(one.program, []).append(one.conditions)
    source = replace(source, graph=None)  # the vendor's compiler takes no part, and other processes may not know it
    jobs = [Job(source, settings, inputs, program, tuple(asked)) for program, asked in conditions.items()]
    found: dict[Variant, Measured] = {}
    workers = min(workers, len(jobs))
    _log.debug("sweep: %d programs in %d processes", len(jobs), workers)
    answers = list(map(measure, jobs)) if workers == 1 else measure_all(jobs, workers)
    for job, results in zip(jobs, answers, strict=True):
        found.update(
            (Variant(job.program, asked), result) for asked, result in zip(job.conditions, results, strict=True)
        )
    return [found[one] for one in chosen]


def _row(variant: Variant, found: Measured, parts: dict[str, Part], period_s: float | None) -> SweepRow:
    program, part = variant.program, parts.get(variant.program.part)
    asked, told = variant.conditions, found.conditions
    if told is None:  # nothing ran: what it would have been
        told = Conditions(
            asked.clock_hz or (part.clock_hz if part else None),
            asked.voltage_v or (part.voltage_v if part else None),
            asked.period_s or period_s or DEFAULT_PERIOD_S,
            ROOM_TEMPERATURE_C if asked.temperature_c is None else asked.temperature_c,
        )
    return SweepRow(
        part=program.part or found.part,
        objective=program.objective,
        compiler_options=dict(program.compiler_options),
        clock_hz=told.clock_hz,
        voltage_v=told.voltage_v,
        input_period_s=told.period_s,
        temperature_c=told.temperature_c,
        figures=found.figures,
        deadline_met=found.deadline_met,
        reason=found.reason,
    )
