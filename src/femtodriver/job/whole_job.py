"""A whole job, as ``femtodrive MODEL`` does it: compile, run, measure, write everything in one step, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from femtodriver.inputs import REAL
from femtodriver.job.compiled_model import CompiledModel, DriverSettings, compile_model
from femtodriver.job.model_inputs import job_inputs
from femtodriver.metrics import summary_of
from femtodriver.model.build_model import Built
from femtodriver.model.described_program import network_inputs
from femtodriver.model.load_model import Source, converted_name, load_source
from femtodriver.model.specified_io import specified, specified_inputs
from femtodriver.options.main_requests import JobRequest
from femtodriver.options.value_kinds import TREE_13, listed
from femtodriver.options.without_effect import without_effect
from femtodriver.output import model_folder, summary
from femtodriver.output.atomic_folder import check_writable
from femtodriver.output.distinct_files import check_distinct_files
from femtodriver.output.streamed_output import StreamedOutput, check_output, open_output, standard_output
from femtodriver.output.terminal import print_verdict
from femtodriver.output.told_files import check_told_files, write_told_files
from femtodriver.output.told_places import Repeated, check_profile, check_quantization_file
from femtodriver.profile.profile_rows import Profile
from femtodriver.quantization.quantization_rows import QuantizationReport
from femtodriver.runners.compare_runs import RunProgress
from femtodriver.runners.execution import SIMULATOR, Execution, Result, RunInputs
from femtodriver.runners.fasmir_runner import check_machine, machine_notes
from femtodriver.runners.femtocrux_runner import NAME as VENDOR_SIMULATOR
from femtodriver.runners.hardware_runner import check_board
from femtodriver.runners.observed_values import REFERENCE
from femtodriver.runners.runner_table import check_names
from femtodriver.stop_signals import RunStopped, Stop


@dataclass(frozen=True, eq=False)
class JobDone:
    """The model, what it ran on, and what came of it: None where nothing ran, or nothing was simulated."""

    model: CompiledModel
    inputs: RunInputs
    execution: Execution | None
    profile: Profile | None
    quantization: QuantizationReport | None

    @property
    def result(self) -> Result:
        """The result of what ran, {} if nothing did. RunStopped if a signal has ended it."""
        if self.execution is None:
            return {}
        partial = self.execution.partial
        if partial is not None:
            raise RunStopped(partial.text, partial.number)
        return self.execution.result


def run_job(
    model: object,
    request: JobRequest,
    settings: DriverSettings,
    say: Callable[[str], None],
    progress: RunProgress | None,
) -> JobDone:
    """Do the job; ``say(text)`` gets what is told. If anything fails, the model's folder is as before.

    What can be checked without compiling is checked first, because compiling a large network takes a while. A run that
    a signal stops between two frames is written as far as it came, and says so.
    """
    names = _checked_runners(request)
    stop = Stop()
    with ExitStack() as opened:
        descriptor = opened.enter_context(standard_output(request.output_file if names else None))
        early = converted_name(model, request.model_name)
        if early is not None:  # the conversion of a PyTorch module takes a while
            _check_places(model, request, model_folder.model_folder(request.output_dir, early), names)
        source = load_source(model, request.model_name, request.requantize, request, say)
        source = specified(source, request.iospec_file)
        _check_places(model, request, model_folder.model_folder(request.output_dir, source.name), names)
        compiled, inputs = _prepared(source, request, settings, names, stop, opened)
        _check_places(model, request, compiled.folder, names)  # --tree 2.6 names it after the program
        output = _opened_output(request, compiled.built, inputs, descriptor, stop) if names else None
        if output is not None:
            opened.callback(output.drop)
        say("\n".join([summary.model_text(compiled.built), *_notes(request, names, compiled.built, inputs, output)]))
        done = None
        if names:
            done = compiled.execute(names, inputs, request, progress, stop, output.give if output else None)
        doc = _measured(source, request, settings, done) if done else None
        profile = done.profile(doc) if done and doc else None
        quantization = done.quantization if done else None
        written = _written(request, compiled.built, done, doc, output)
        if done and done.compared:
            print_verdict(done.comparison.lines, done.comparison.passed)
        real = request.scale == REAL or request.frontend is not None
        told = summary.run_texts(request.output_dir, compiled.built, done, doc, real)
        for text in (*_noted(inputs.late_notes), *told, *written):
            say(text)
        if not names and not request.norun:
            for text in summary.next_step_texts(compiled.built):
                say(text)
        _tell_tables(profile, quantization, request, say)
        for text in write_told_files(request, done, request, doc, Repeated(request)) if done else ():
            say(text)
        if done and not done.comparison.passed:
            print_verdict(done.comparison.lines, False)  # again, so that it is also at the end of the output
    return JobDone(compiled, inputs, done, profile, quantization)


def _tell_tables(
    profile: Profile | None, quantization: QuantizationReport | None, request: JobRequest, say: Callable[[str], None]
) -> None:
    """Show and write the tables that were asked for."""
    if profile is not None and request.asks_for_profile:
        from femtodriver.output.profile_output import tell_profile

        tell_profile(profile, request, say)
    if quantization is not None and request.asks_for_quantization:
        from femtodriver.output.quantization_output import tell_quantization

        tell_quantization(quantization, request, say)


def _checked_runners(request: JobRequest) -> tuple[str, ...]:
    """The names of the runners. UsageError for options that cannot be, or not together."""
    asked = check_names(listed(request.runners) or _needed_runners(request))
    if request.norun:
        asked = ()
    names = tuple(dict.fromkeys(map(_by_vendor, asked))) if request.force_femtocrux_sim else asked
    check_board(request, names)
    check_machine(request, names)
    check_told_files(request, names)
    check_profile(request)
    check_quantization_file(request.quantization_file)
    check_output(request, request.input_file, bool(names))
    return names


def _check_places(model: object, request: JobRequest, folder: Path, names: Sequence[str]) -> None:
    """ProgramError where the model's folder cannot be written, UsageError for files that would overwrite others."""
    check_writable(folder)
    if names:
        check_distinct_files(model, request, folder, request.tree == TREE_13)


def _by_vendor(name: str) -> str:
    """The runner that takes the place of our simulator."""
    return VENDOR_SIMULATOR if name == SIMULATOR else name


def _needed_runners(request: JobRequest) -> tuple[str, ...]:
    """Those that run for a report if none is named."""
    simulated = request.asks_for_profile or request.asks_for_record
    needed = {REFERENCE: request.asks_for_quantization, SIMULATOR: simulated}
    return tuple(name for name, asked in needed.items() if asked)


def _prepared(
    source: Source, request: JobRequest, settings: DriverSettings, names: Sequence[str], stop: Stop, opened: ExitStack
) -> tuple[CompiledModel, RunInputs]:
    """The compiled model and its inputs, which are closed with ``opened``."""
    early = None
    if source.network:
        early = job_inputs(
            source, specified_inputs(network_inputs(source.network), source.iospec), request, names, stop
        )
        opened.callback(early.close)
    period_s = request.input_period if request.input_period is not None or early is None else early.period_s
    compiled = compile_model(source, request, settings, period_s, request.clock)
    inputs = early
    if inputs is None:
        inputs = job_inputs(source, compiled.built.inputs, request, names, stop)
        opened.callback(inputs.close)
    return compiled, inputs


def _opened_output(
    request: JobRequest, built: Built, inputs: RunInputs, descriptor: int, stop: Stop
) -> StreamedOutput | None:
    """Where an output goes frame by frame."""
    period_s = inputs.period_s or request.input_period
    return open_output(request, built.outputs, request.scale, period_s, inputs.n_frames, descriptor, stop)


def _notes(
    request: JobRequest, names: Sequence[str], built: Built, inputs: RunInputs, output: StreamedOutput | None
) -> list[str]:
    """What users should know before the run."""
    objective = built.options.objective.value if built.source.network else ""
    unused = without_effect(request, names, request.input_file is None, objective)
    streamed = _lost_in_a_stream(request, names) if inputs.stream else ()
    slower = machine_notes(request.machine, names)
    return _noted((*slower, *unused, *inputs.notes, *(output.first_notes if output else ()), *streamed))


def _lost_in_a_stream(request: JobRequest, names: Sequence[str]) -> Iterator[str]:
    """What a run whose frames are not kept does not give, although it was asked for."""
    if request.output_file is None:
        yield "outputs: not written, because no place is given for those of a stream; name one with --output-file"
    if request.no_outputs:
        yield "no_outputs: without effect, because a stream keeps no arrays"
    if request.wanted_objective and SIMULATOR in names:
        yield "objective: what the other choice would cost is not measured in a stream"
    if (request.debug_vars or request.debug_vars_fname) and len(names) == 1:
        yield "debug variables: not written, because a stream keeps no arrays"


def _written(
    request: JobRequest,
    built: Built,
    done: Execution | None,
    doc: Mapping[str, object] | None,
    output: StreamedOutput | None,
) -> tuple[str, ...]:
    """Put the model's folder and the streamed output into their places, or neither; lines that say what was streamed.

    What may fail for want of room comes before both. The folder is first, because it says whether a run is partial.
    """
    if output is not None:
        output.finish()
    model_folder.write_all(request.output_dir, built, done, doc)
    return output.keep() if output is not None else ()


def _noted(notes: Iterable[str]) -> list[str]:
    return [f"note: {note}" for note in notes]


def _measured(
    source: Source, request: JobRequest, settings: DriverSettings, done: Execution
) -> Mapping[str, object] | None:
    """The metrics document; None where the simulator ran no frame."""
    if not done.simulated:
        return None
    other = None
    if request.wanted_objective and not done.streamed and done.partial is None:
        period_s = request.input_period if request.input_period is not None else done.inputs.period_s
        other = _other_choice(source, request, settings, done.inputs, period_s)
    return done.metrics(request, other)


def _other_choice(
    source: Source, request: JobRequest, settings: DriverSettings, inputs: RunInputs, period_s: float | None
) -> dict[str, object] | None:
    """What the network would cost if it were compiled for cycles instead of energy, or for energy instead of the rest.

    None for a program, which cannot be compiled again.
    """
    if source.network is None:
        return None
    objective = "cycles" if request.wanted_objective == "energy" else "energy"
    other = replace(
        request, objective=objective, opt_profile=None, dump_ir=None, debug_vars=None, debug_vars_fname=None
    )
    other = replace(other, trace=None, trace_frames=None, report=None)
    compiled = compile_model(source, other, settings, period_s, request.clock)
    doc = compiled.execute((SIMULATOR,), inputs, other, None).metrics(other)
    return {"objective": objective, **summary_of(doc)}
