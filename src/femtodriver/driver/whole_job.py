"""A whole job, as ``femtodrive MODEL`` does it: compile, run, measure, write everything in one step, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from femtodriver.driver.compiled_model import CompiledModel, DriverSettings, compile_model
from femtodriver.driver.model_inputs import job_inputs
from femtodriver.metrics import summary_of
from femtodriver.model.described_program import network_inputs
from femtodriver.model.load_model import Source, load_source
from femtodriver.options.main_requests import JobRequest
from femtodriver.options.value_kinds import listed
from femtodriver.options.without_effect import without_effect
from femtodriver.output import model_folder, summary
from femtodriver.output.atomic_folder import check_writable
from femtodriver.output.terminal import print_verdict
from femtodriver.output.trace_file import check_place, write_trace
from femtodriver.runners.compare_runs import RunProgress
from femtodriver.runners.execution import SIMULATOR, Execution, RunInputs
from femtodriver.runners.fasmir_runner import check_machine
from femtodriver.runners.frame_tracer import check_trace
from femtodriver.runners.hardware_runner import check_board
from femtodriver.runners.runner_table import check_names


@dataclass(frozen=True, eq=False)
class JobDone:
    """The model, what it ran on, and what came of it (None where nothing ran)."""

    model: CompiledModel
    inputs: RunInputs
    execution: Execution | None


def run_job(
    model: object,
    request: JobRequest,
    settings: DriverSettings,
    say: Callable[[str], None],
    progress: RunProgress | None,
) -> JobDone:
    """Do the job; ``say(text)`` gets what is told. If anything fails, the model's folder is as before.

    What can be checked without compiling is checked first, because compiling a large network takes a while.
    """
    names = check_names(listed(request.runners))
    check_board(request, names)
    check_machine(request, names)
    check_trace(request)
    check_place(request.trace, "trace")
    source = load_source(model, request.model_name)
    check_writable(model_folder.model_folder(request.output_dir, source.name))
    early = job_inputs(source, network_inputs(source.network), request, names) if source.network else None
    period_s = request.input_period if request.input_period is not None or early is None else early.period_s
    compiled = compile_model(source, request, settings, period_s, request.clock)
    built = compiled.built
    inputs = job_inputs(source, built.inputs, request, names) if early is None else early
    objective = built.options.objective.value if source.network else ""
    notes = (*without_effect(request, names, request.input_file is None, objective), *inputs.notes)
    say("\n".join([summary.model_text(built), *(f"note: {note}" for note in notes)]))
    done = compiled.execute(names, inputs, request, progress) if names else None
    doc = None
    if done and SIMULATOR in names:
        other = _other_choice(source, request, settings, inputs, period_s) if request.objective else None
        doc = done.metrics(request, other)
    model_folder.write_all(request.output_dir, built, done, doc)
    if done and done.compared:
        print_verdict(done.comparison.lines, done.comparison.passed)
    for text in summary.run_texts(request.output_dir, built, done, doc):
        say(text)
    if done and request.trace is not None and SIMULATOR in names:
        say(write_trace(request.trace, done, request))
    if done and not done.comparison.passed:
        print_verdict(done.comparison.lines, False)  # again, so that it is also at the end of the output
    return JobDone(compiled, inputs, done)


def _other_choice(
    source: Source, request: JobRequest, settings: DriverSettings, inputs: RunInputs, period_s: float | None
) -> dict[str, object] | None:
    """What the network would cost if it were compiled for cycles instead of energy, or for energy instead of the rest.

    None for a program, which cannot be compiled again.
    """
    if source.network is None:
        return None
    objective = "cycles" if request.objective == "energy" else "energy"
    other = replace(request, objective=objective, dump_ir=None, debug_vars=None, debug_vars_fname=None)
    compiled = compile_model(source, other, settings, period_s, request.clock)
    doc = compiled.execute((SIMULATOR,), inputs, other, None).metrics(other)
    return {"objective": objective, **summary_of(doc)}
