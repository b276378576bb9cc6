"""``Femtodriver``: load, compile, write, run, compare, measure. Every method is a few lines over the rooms below."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from femtodriver.arrays import Int64Array
from femtodriver.device.spu_runner import SPURunner
from femtodriver.driver.boards_and_containers import BoardsAndContainers
from femtodriver.driver.compiled_model import CompiledModel, DriverSettings, compile_model
from femtodriver.driver.evaluate_model import evaluate_model
from femtodriver.driver.model_inputs import make_inputs
from femtodriver.driver.whole_job import run_job
from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath
from femtodriver.fqir.graph import Network
from femtodriver.inputs import InputSource, InputSpec, stacked_frames
from femtodriver.metrics import shown_yaml
from femtodriver.model.load_model import DEFAULT_NAME, Source, load_source
from femtodriver.options import method_table as methods
from femtodriver.options.bind_request import bind, check_value, refuse_options_of
from femtodriver.options.input_requests import FramesRequest, InputRequest
from femtodriver.options.main_requests import JobRequest, MainRequest
from femtodriver.options.runner_requests import ExecuteRequest, MeasureRequest
from femtodriver.options.value_kinds import NAMES, PATH, TEXT, Names, listed
from femtodriver.output import model_folder, summary, terminal
from femtodriver.output.distinct_files import check_distinct_files
from femtodriver.output.report_file import Repeated
from femtodriver.output.told_files import check_told_files, write_told_files
from femtodriver.profile.profile_rows import Profile
from femtodriver.program.compiled_data import CompiledData
from femtodriver.quantization.quantization_rows import QuantizationReport
from femtodriver.runners.compare_runs import RunProgress
from femtodriver.runners.execution import SIMULATOR, Execution, Given, Result, RunInputs
from femtodriver.runners.femtocrux_runner import NAME as VENDOR_SIMULATOR
from femtodriver.runners.hardware_runner import HardwareRunner
from femtodriver.runners.runner import Runner

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from femtodriver.options import method_keywords as keywords

_log = logging.getLogger(__name__)


class Femtodriver(BoardsAndContainers):
    """One model at a time; ``compile`` may be called again for the next. A context manager.

    docs/options.md has the options of all methods, which are given by name; those of the reference may be given by
    position too, in its order. Every error that a user can cause is a FemtoError (``femtodriver.errors``); an
    unknown argument is a UsageError that is also a TypeError.

    Attributes after use: ``modelname``, ``fqir`` (Network), ``compiled_data`` (CompiledData), ``model_dir``,
    ``meta_dir``, ``io_records_dir``, ``compiler_kwargs``, ``compare_status``, ``spu_runner`` (SPURunner),
    ``profile`` and ``quantization`` (of the last ``simulate`` or ``run``, or None), ``femtocrux_client``. ``close``, or
    the end of a with-block, ends the container of the vendor's compiler.
    ``say(text)`` gets what is reported (default: the log), ``progress(runner, done, frames)`` is called meanwhile.
    """

    @methods.DRIVER.signed
    def __init__(self, *positional: Any, **options: Unpack[keywords.DriverKeywords]) -> None:
        super().__init__()
        request = methods.DRIVER.bind(positional, options)
        self.model_source_dir = request.model_source_dir
        self.keyring, self.key_index, self.salt = request.keyring, request.key_index, request.salt
        self.debug = request.debug
        self.progress: RunProgress | None = None
        self._force_compile, self._force_sim = request.force_femtocrux_compile, request.force_femtocrux_sim
        self.modelname: str | None = None
        self.fqir: Network | None = None
        self.compiled_data: CompiledData | None = None
        self.model_dir: str | None = None
        self.meta_dir: str | None = None
        self.io_records_dir: str | None = None
        self.compiler_kwargs: dict[str, Any] = {}
        self.compare_status: Result = {}
        self.profile: Profile | None = None
        self.quantization: QuantizationReport | None = None
        self._source: Source | None = None
        self._model: CompiledModel | None = None
        self._written = False
        self._made = RunInputs({})
        self._board_runner: SPURunner | None = None
        if request.debug:
            logging.getLogger("femtodriver").setLevel(logging.DEBUG)

    def __enter__(self) -> Femtodriver:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            _log.debug("left by %s", type(error).__name__)
        self.close()

    def close(self) -> None:
        """Finish the last board's runner, and end the container of the vendor's compiler; may be called twice."""
        try:
            if self._board_runner is not None:
                self._board_runner.finish()
        finally:
            self._service.close()

    # --- loading, compiling, writing ---

    @methods.COMPILE.signed
    def compile(
        self, model: object, *positional: Any, **options: Unpack[keywords.ModelKeywords]
    ) -> tuple[str, str, int]:
        """Load and compile a model and write ``<output_dir>/<name>/`` in one step.

        ``model``: the path of a network, of a program (.zip, .femto) or of a compiled model's folder, "LOOPBACK", or a
        GraphProto.

        Returns (folder of metadata and images, path of the ``.femto``, its size in bytes). If it fails, the folder and
        this object are as they were before.
        """
        request = methods.COMPILE.bind(positional, options)
        compiled = compile_model(load_source(model, request.model_name), request, self._settings())
        model_folder.write_all(request.output_dir, compiled.built)
        self._adopt(compiled, written=True)
        femto = model_folder.femto_path(request.output_dir, compiled.built.source.name)
        return str(compiled.meta_dir), str(femto), femto.stat().st_size

    def load_model(self, model: object, name: str = DEFAULT_NAME) -> tuple[str, Network | None, None, None]:
        """Load a model without compiling it: (name, network or None for a program, None, None).

        ``name`` is for graphs in memory; models from files are called as their file unless it is given.
        """
        check_value(TEXT, name, "name")
        self._source = load_source(model, None if name == DEFAULT_NAME else name)
        self.modelname, self.fqir = self._source.name, self._source.network
        self._model, self.compiled_data, self._board_runner = None, None, None
        return self._source.name, self._source.network, None, None

    @methods.COMPILE_METADATA.signed
    def compile_metadata(self, *positional: Any, **options: Unpack[keywords.CompileKeywords]) -> CompiledData:
        """Compile the loaded model in memory; nothing is written (but ``dump_ir``)."""
        request = methods.COMPILE_METADATA.bind(positional, options)
        if self._source is None:
            raise UsageError("compile_metadata: a model must be loaded first; call load_model.")
        return self._adopt(compile_model(self._source, request, self._settings()), written=False).built.data

    def generate_program_files(self) -> None:
        """Write ``io_records/``: recordings, ``0PROG_A``, ``0PROG_D`` and the ``.femto``, in one step."""
        model = self._compiled()
        model_folder.write_records(model.output_dir, model.built)

    def write_metadata_to_disk(self, output_dir: AnyPath) -> None:
        """Write metadata and images to ``<output_dir>/<name>/meta_from_.../``, in one step."""
        check_value(PATH, output_dir, "output_dir")
        model_folder.write_metadata(output_dir, self._compiled().built)

    def write_metrics_to_disk(self, metrics: str | Mapping[str, Any], output_dir: AnyPath) -> str:
        """Write ``metrics.yaml`` and ``metrics.txt`` to ``<output_dir>/<name>/``; returns the path of the first.

        ``metrics``: what ``simulate`` returned, or the document as a mapping.
        """
        check_value(PATH, output_dir, "output_dir")
        folder = model_folder.model_folder(output_dir, self._compiled().built.source.name)
        return str(model_folder.write_metrics(folder, model_folder.metrics_document(metrics)))

    # --- inputs, runners, comparisons ---

    @property
    def spu_runner(self) -> SPURunner | None:
        """The last runner that was made for a board; before that, one for a fake board; None without a program."""
        if self._board_runner is None and self._model is not None:
            self._board_runner = self._model.fake_board()
        return self._board_runner

    @methods.GENERATE_AUDIO_INPUTS.signed
    def generate_audio_inputs(
        self,
        input: InputSource = None,
        spu_runner: SPURunner | None = None,
        *positional: Any,
        **options: Unpack[keywords.FramesKeywords],
    ) -> dict[str, Int64Array]:
        """Inputs for the compiled model by name: int64, (frames, length).

        ``input``: None (random frames), a .wav, .npy or .npz file, an array, or a mapping from input name to array; see
        docs/inputs.md. ``spu_runner``: a runner of ``create_runner`` whose inputs they are to be; None: those of the
        model.
        """
        request = methods.GENERATE_AUDIO_INPUTS.bind(positional, options)
        wanted = spu_runner.inputs if isinstance(spu_runner, HardwareRunner) else self._compiled().built.inputs
        return self._make_inputs(input, wanted, request)

    generate_inputs = generate_audio_inputs

    @methods.SIMULATE.signed
    def simulate(
        self, model_inputs: Given, *positional: Any, **options: Unpack[keywords.SimulateKeywords]
    ) -> tuple[Result, str]:
        """Run the compiled program on the machine: (result of the runner ``fasmir``, metrics as YAML).

        With ``force_femtocrux_sim``, the vendor's: (result of the runner ``femtocrux``, its report as it came).
        """
        request = methods.SIMULATE.bind(positional, options)
        if self._force_sim:
            done = self._execute((VENDOR_SIMULATOR,), model_inputs, request.execution, request)
            return done.result, done.vendor_report
        done = self._execute((SIMULATOR,), model_inputs, request.execution, request)
        doc = done.metrics(request)
        self.profile = done.profile(doc)
        return done.result, shown_yaml(doc)

    @methods.CREATE_RUNNER.signed
    def create_runner(
        self,
        requested_runner: str,
        spu_runner: SPURunner | None = None,
        fqir: Network | None = None,
        sim_fasmir: None = None,
        sim_fmir: None = None,
        *positional: Any,
        **options: Unpack[keywords.RunnerKeywords],
    ) -> tuple[Runner, str]:
        """A fresh runner for the compiled model, and its name. ``runners.runner_table`` has the table of them.

        ``hw`` (its name is "hardware") and ``fakehw`` give an ``SPURunner``; nothing is connected before ``reset``.
        ``spu_runner``, ``fqir``, ``sim_fasmir`` and ``sim_fmir`` are made here: None, or the object's own.
        """
        request = methods.CREATE_RUNNER.bind(positional, options)
        for given, own in ((spu_runner, self._board_runner), (fqir, self.fqir), (sim_fasmir, None), (sim_fmir, None)):
            if given is not None and given is not own:
                raise UsageError(f"create_runner: runners must be made of this model, not of {given!r:.60}.")
        runner = self._compiled().runner(requested_runner, request)
        if isinstance(runner, HardwareRunner):
            self._board_runner = runner
        return runner, runner.name

    @methods.CREATE_SPU_RUNNER.signed
    def create_SPURunner(  # noqa: N802 (the reference's name)
        self,
        compiled_data: CompiledData | None = None,
        meta_dir: AnyPath | None = None,
        *positional: Any,
        **options: Unpack[keywords.RunnerKeywords],
    ) -> SPURunner:
        """A fresh ``SPURunner``, also in ``spu_runner``; nothing is connected before ``reset``.

        ``compiled_data``: the program; None: that in the folder ``meta_dir``, or the compiled model's if there is none
        either. Debug variables are possible for the compiled model's only.
        """
        request = methods.CREATE_SPU_RUNNER.bind(positional, options)
        if meta_dir is not None:
            check_value(PATH, meta_dir, "meta_dir")
        self._board_runner = self._compiled().board_runner(request, compiled_data, meta_dir)
        return self._board_runner

    @methods.EXECUTE_RUNNER.signed
    def execute_runner(
        self, requested_runner: str, model_inputs: Given, *positional: Any, **options: Unpack[keywords.ExecuteKeywords]
    ) -> tuple[Result, Runner]:
        """Reset one runner, run all frames, finish it: (result, runner).

        The result has ``compare_str``, ``pass``, and ``outputs`` and ``internals``: {runner: {variable: int64 array
        (frames, elements)}}. The traffic with a board goes to ``io_records/all.yaml`` if the model's folder was
        written.
        """
        request = methods.EXECUTE_RUNNER.bind(positional, options)
        done = self._execute((requested_runner,), model_inputs, request)
        return done.result, done.runners[requested_runner]

    @methods.COMPARE.signed
    def compare(
        self,
        model_inputs: Given | None = None,
        runners_to_compare: Names = None,
        *positional: Any,
        **options: Unpack[keywords.ComparisonKeywords],
    ) -> Result:
        """Run at least two runners on the same inputs, and compare each with the first.

        ``model_inputs`` None: those of ``input_file``, or frames that we make. Returns ``pass`` (bool), ``status_str``
        (the verdict; names all outputs that differ), ``outputs`` and ``internals``; also kept as ``compare_status``. If
        the model's folder was written, the results go there (docs/comparing.md); with ``fasmir`` and an option that
        asks for metrics (``input_period``, ``temperature`` ...) metrics too.
        """
        request = methods.COMPARE.bind(positional, options)
        check_value(NAMES, runners_to_compare, "runners_to_compare")
        names = listed(runners_to_compare)
        if len(names) < 2:
            raise UsageError(f"compare: runners must be at least two, not {len(names)}; use execute_runner for one.")
        if model_inputs is None:
            model_inputs = self._make_inputs(request.input_file, self._compiled().built.inputs, request, compared=True)
        else:
            refuse_options_of(InputRequest, request, "model_inputs")
        done = self._execute(names, model_inputs, request, request)
        if request.asks_for_metrics and SIMULATOR in names and self._written:
            self.write_metrics_to_disk(done.metrics(request), self._compiled().output_dir)
        return done.result

    def print_comparison_results(self, compare_status: Mapping[str, Any]) -> None:
        """Print the verdict; in colour on a terminal."""
        text = str(compare_status.get("status_str", "nothing was compared"))
        terminal.print_verdict([text], bool(compare_status.get("pass")))

    @methods.RUN.signed
    def run(self, model: object, *positional: Any, **options: Unpack[keywords.JobKeywords]) -> Result:
        """The whole job: compile, run what ``runners`` names, write everything in one step, report.

        No runners: files only, and the result is {}. One runner: its result. Several: the comparison with the first.
        With ``fasmir`` among them, metrics are written too. If anything fails, the model's folder is as before.

        With ``output_file``, or ``input_file="-"``, frames are read, run and written one after the other, and the
        result has neither outputs nor internal values. Ctrl-C between two frames writes what was done so far as such,
        and raises ``RunStopped``, a KeyboardInterrupt.
        """
        return self._run(model, methods.RUN.bind(positional, options))

    @methods.EVALUATE.signed
    def evaluate(self, model: object, *positional: Any, **options: Unpack[keywords.EvaluateKeywords]) -> Result:
        """Run a model on every clip of a data set: the summary, with the ``folder`` of results; docs/evaluation.md."""
        request = methods.EVALUATE.bind(positional, options)
        return evaluate_model(model, request, self._settings(), self.say, self.progress)

    def main(self, parsed_args: Any) -> Result:
        """``run`` with the attributes of a parsed command line. UsageError for an unknown one."""
        request = bind(MainRequest, vars(parsed_args), "main")
        if request.list_connected_devices is not None:
            boards = self.list_connected_devices(request.list_connected_devices)
            self.say(summary.devices_text(boards, request.list_connected_devices))
            return {}
        for name in ("keyring", "key_index", "salt", "model_source_dir"):
            if getattr(request, name) is not None:
                setattr(self, name, getattr(request, name))
        return self._run(request.model, request)

    # --- inside ---

    def _run(self, model: object, request: JobRequest) -> Result:
        if request.debug:
            logging.getLogger("femtodriver").setLevel(logging.DEBUG)
        if request.cleanup_docker:
            self.cleanup_docker_containers(request.cleanup_docker)
            if model is None:
                return {}
        request = replace(request, force_femtocrux_sim=request.force_femtocrux_sim or self._force_sim)
        done = run_job(model, request, self._settings(), self.say, self.progress)
        self._adopt(done.model, written=True)
        self._made, self.profile, self.quantization = done.inputs, done.profile, done.quantization
        if done.execution is not None:
            self._kept(done.execution)
        return done.result

    def _settings(self) -> DriverSettings:
        return DriverSettings(
            self.keyring, self.key_index, self.salt, self.model_source_dir, self._service, self._force_compile
        )

    def _adopt(self, model: CompiledModel, written: bool) -> CompiledModel:
        source = model.built.source
        self._source, self._model, self._written = source, model, written
        self.modelname, self.fqir, self.compiled_data = source.name, source.network, model.built.data
        self.model_dir, self.meta_dir = str(model.folder), str(model.meta_dir)
        self.io_records_dir = str(model.records_dir)
        self.compiler_kwargs, self.compare_status = dict(model.compiler_kwargs), {}
        self._made, self._board_runner, self.profile, self.quantization = RunInputs({}), None, None, None
        return model

    def _compiled(self) -> CompiledModel:
        if self._model is None:
            raise UsageError("Femtodriver: a model must be compiled first; call compile.")
        return self._model

    def _make_inputs(
        self, source: InputSource, specs: Sequence[InputSpec], request: FramesRequest, compared: bool = False
    ) -> dict[str, Int64Array]:
        arrays, self._made = make_inputs(source, specs, request, compared)
        for note in self._made.notes:
            _log.warning("%s", note)
        return arrays

    def _execute(
        self, names: Sequence[str], given: Given, request: ExecuteRequest, measured: MeasureRequest | None = None
    ) -> Execution:
        model, inputs = self._compiled(), stacked_frames(given)
        check_told_files(request, names)
        check_distinct_files(model.built.source.where, request, model.folder, model.built.reference_files)
        made = self._made if inputs is self._made.arrays else RunInputs(inputs)
        done = self._kept(model.execute(names, made, request, self.progress))
        if self._written:
            model_folder.write_results(model.output_dir, done)
        arrays = not (isinstance(measured, InputRequest) and inputs is self._made.arrays)
        how = Repeated(measured or request, apart=True, arrays=arrays)
        for text in write_told_files(request, done, measured or MeasureRequest(), None, how):
            self.say(text)
        return done

    def _kept(self, done: Execution) -> Execution:
        if done.compared:
            self.compare_status = {key: done.result[key] for key in ("pass", "status_str")}
        self._board_runner = done.board_runner or self._board_runner
        return done
