"""The methods of ``Femtodriver`` that make inputs and runners, run the compiled model, compare and measure."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from femtodriver.arrays import Int64Array
from femtodriver.device.spu_runner import SPURunner
from femtodriver.driver.compiling_and_writing import CompilingAndWriting
from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath
from femtodriver.fqir.graph import Network
from femtodriver.inputs import InputSource, InputSpec, LatchedInputs
from femtodriver.job.model_inputs import make_inputs
from femtodriver.metrics import shown_yaml
from femtodriver.options import method_table as methods
from femtodriver.options.bind_request import check_value, refuse_options_of
from femtodriver.options.input_requests import FramesRequest, InputRequest
from femtodriver.options.runner_requests import ExecuteRequest, MeasureRequest
from femtodriver.options.value_kinds import NAMES, PATH, TREE_13, Names, listed
from femtodriver.output import model_folder, terminal
from femtodriver.output.distinct_files import check_distinct_files
from femtodriver.output.told_files import check_told_files, write_told_files
from femtodriver.output.told_places import Repeated
from femtodriver.program.compiled_data import CompiledData
from femtodriver.runners.execution import SIMULATOR, Execution, Given, Inputs, Result, RunInputs
from femtodriver.runners.femtocrux_runner import NAME as VENDOR_SIMULATOR
from femtodriver.runners.hardware_runner import HardwareRunner
from femtodriver.runners.runner import Runner

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from femtodriver.options import method_keywords as keywords

_log = logging.getLogger(__name__)


class RunningAndComparing(CompilingAndWriting):
    """What is done with the compiled model."""

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

    def _make_inputs(
        self, source: InputSource, specs: Sequence[InputSpec], request: FramesRequest, compared: bool = False
    ) -> dict[str, Int64Array]:
        arrays, self._made = make_inputs(source, specs, request, compared)
        for note in self._made.notes:
            _log.warning("%s", note)
        return arrays

    def _stacked(self, given: Given) -> Inputs:
        """Frames as rows; those of latched inputs that were left out are filled in."""
        stacked: Inputs = LatchedInputs(self._compiled().built.inputs).frames(given)
        return stacked

    def _execute(
        self, names: Sequence[str], given: Given, request: ExecuteRequest, measured: MeasureRequest | None = None
    ) -> Execution:
        model, inputs = self._compiled(), self._stacked(given)
        check_told_files(request, names)
        check_distinct_files(model.built.source.where, request, model.folder, model.built.tree == TREE_13)
        made = self._made if inputs is self._made.arrays else RunInputs(inputs)
        done = self._kept(model.execute(names, made, request, self.progress))
        if self._written:
            model_folder.write_results(model.output_dir, done)
        arrays = not (isinstance(measured, InputRequest) and inputs is self._made.arrays)
        how = Repeated(measured or request, apart=True, arrays=arrays)
        for text in write_told_files(request, done, measured or MeasureRequest(), None, how):
            self.say(text)
        return done
