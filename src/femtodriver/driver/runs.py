"""The half of ``Femtodriver`` that begins when there is a program: inputs, runners, comparisons."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from femtodriver.arrays import Int64Array
from femtodriver.device.boards import DEFAULT_HARDWARE
from femtodriver.device.spu_runner import SPURunner
from femtodriver.driver import run_runners
from femtodriver.driver.arguments import AnyPath, RunArguments, check_period, listed
from femtodriver.driver.model_inputs import make_inputs
from femtodriver.driver.run_runners import SIMULATOR, Inputs, Ran, Result
from femtodriver.driver.runner_material import material, specs
from femtodriver.errors import UsageError
from femtodriver.fqir.graph import Network
from femtodriver.metrics import document_yaml
from femtodriver.model.build_model import Built
from femtodriver.model.model_encryption import Encryption
from femtodriver.output import model_folder
from femtodriver.output.comparison_files import Compared
from femtodriver.output.model_folder import Results
from femtodriver.program.compiled_data import CompiledData
from femtodriver.runners import Material, Runner, create
from femtodriver.runners.compare_runs import RunProgress
from femtodriver.runners.hardware_runner import HardwareRunner
from femtodriver.runners.runner_table import device_runner

if TYPE_CHECKING:
    from femtodriver.device.evk2.usb_boards import EvkBoard

InputSource = str | Path | npt.ArrayLike | Mapping[str, npt.ArrayLike] | None
Names = str | Sequence[str] | None
_log = logging.getLogger(__name__)


class Runs:
    """Running the compiled program.

    Arguments that several methods share: ``hardware`` (an option of ``device.BOARDS``), ``zynq_host`` or
    ``hardware_address`` (``HOST[:PORT]``, or a serial number) and ``timeout`` (seconds for every answer) are for the
    runner ``hw``; ``fake_output_file`` (.npy, 1-D) has the 32-bit words that a fake board answers;
    ``dummy_output_file`` is what the runner ``dummy`` replays; ``debug_vars`` and ``debug_vars_fname`` name values
    inside the network; ``noencrypt``: boards get the program in plain words even if it is written encrypted.
    """

    def __init__(self) -> None:
        self.compare_status: Result = {}
        self.compiled_data: CompiledData | None = None
        self.io_records_dir: str | None = None
        self.say: Callable[[str], None] = _log.info
        self.progress: RunProgress | None = None
        self._built: Built | None = None
        self._secrecy = Encryption()
        self._output_dir: AnyPath = "model_datas"
        self._written = False
        self._random: tuple[object, int] | None = None
        self._spu: SPURunner | None = None

    @property
    def spu_runner(self) -> SPURunner | None:
        """The last runner that was made for a board; before that, one for a fake board; None without a program."""
        if self._spu is None and self._built is not None:
            self._spu = self._board_runner(RunArguments())
        return self._spu

    @staticmethod
    def list_connected_devices(spu: str | None = None) -> list[EvkBoard]:
        """The EVK2 boards on USB, those with that part (any: None or "all"). DeviceError without the package hidapi."""
        from femtodriver.device.evk2.usb_boards import list_boards

        wanted = None if spu is None or spu.lower() in ("", "all") else spu.lower()
        return [board for board in list_boards() if wanted in (None, board.product.lower())]

    def generate_audio_inputs(
        self,
        input: InputSource = None,
        spu_runner: SPURunner | None = None,
        n_frames: int = 2,
        input_sample_indices: Sequence[int] | None = None,
        *,
        seed: int = 0,
        input_file_sample_indices: Sequence[int] | None = None,
    ) -> dict[str, Int64Array]:
        """Inputs for the compiled model by name: int64, (frames, length).

        ``input``: None (``n_frames`` random frames from ``seed``), a .wav, .npy or .npz file, an array, or a mapping
        from input name to array; see docs/inputs.md. ``input_sample_indices`` (lo, hi) keeps frames lo to hi - 1.
        ``spu_runner``: a runner of ``create_runner`` whose inputs they are to be; None: those of the model.
        """
        wanted = spu_runner.inputs if isinstance(spu_runner, HardwareRunner) else specs(self._compiled())[0]
        indices = input_sample_indices if input_sample_indices is not None else input_file_sample_indices
        inputs = make_inputs(input, wanted, n_frames, seed, indices)
        self._random = (inputs, seed) if input is None else None
        return inputs

    generate_inputs = generate_audio_inputs

    def simulate(self, model_inputs: Inputs, input_period: float | None = None) -> tuple[Result, str]:
        """Run the compiled program on the machine: (result of the runner ``fasmir``, metrics as YAML).

        ``input_period``: seconds between two frames, for power and deadline; None means 0.016.
        """
        check_period(input_period)
        result, runner = self.execute_runner(SIMULATOR, model_inputs)
        doc = run_runners.measured(runner, self._compiled(), input_period, self._seed(model_inputs))
        return result, document_yaml(doc)

    def create_runner(
        self,
        requested_runner: str,
        spu_runner: SPURunner | None = None,
        fqir: Network | None = None,
        sim_fasmir: None = None,
        sim_fmir: None = None,
        noencrypt: bool = False,
        hardware: str = DEFAULT_HARDWARE,
        dummy_output_file: AnyPath | None = None,
        debug_vars: Names = None,
        debug_vars_fname: AnyPath | None = None,
        zynq_host: str | None = None,
        *,
        hardware_address: str | None = None,
        timeout: float | None = None,
        fake_output_file: AnyPath | None = None,
    ) -> tuple[Runner, str]:
        """A fresh runner for the compiled model, and its name. ``runners.runner_table`` has the table of them.

        ``hw`` (its name is "hardware") and ``fakehw`` give an ``SPURunner``; nothing is connected before ``reset``.
        """
        how = RunArguments(
            noencrypt, hardware, dummy_output_file, debug_vars, debug_vars_fname, zynq_host, hardware_address,
            timeout, fake_output_file,
        )  # fmt: skip
        runner = create(requested_runner, self._material(how))
        if isinstance(runner, HardwareRunner):
            self._spu = runner
        return runner, runner.name

    def create_SPURunner(  # noqa: N802 (the reference's name)
        self,
        compiled_data: CompiledData | None = None,
        meta_dir: AnyPath | None = None,
        noencrypt: bool = False,
        hardware: str = DEFAULT_HARDWARE,
        debug_vars: Names = None,
        debug_vars_fname: AnyPath | None = None,
        dummy_output_file: AnyPath | None = None,
        zynq_host: str | None = None,
        *,
        hardware_address: str | None = None,
        timeout: float | None = None,
        fake_output_file: AnyPath | None = None,
    ) -> SPURunner:
        """A fresh ``SPURunner``, also in ``spu_runner``; nothing is connected before ``reset``.

        ``compiled_data``: the program, None for the compiled model's; debug variables are possible for that one only.
        ``meta_dir`` is accepted for compatibility and not looked at.
        """
        how = RunArguments(
            noencrypt, hardware, dummy_output_file, debug_vars, debug_vars_fname, zynq_host, hardware_address,
            timeout, fake_output_file,
        )  # fmt: skip
        self._spu = self._board_runner(how, compiled_data)
        return self._spu

    def execute_runner(
        self,
        requested_runner: str,
        model_inputs: Inputs,
        noencrypt: bool = False,
        hardware: str = DEFAULT_HARDWARE,
        dummy_output_file: AnyPath | None = None,
        debug_vars: Names = None,
        debug_vars_fname: AnyPath | None = None,
        zynq_host: str | None = None,
        *,
        hardware_address: str | None = None,
        timeout: float | None = None,
        fake_output_file: AnyPath | None = None,
    ) -> tuple[Result, Runner]:
        """Reset one runner, run all frames, finish it: (result, runner).

        The result has ``compare_str``, ``pass``, and ``outputs`` and ``internals``: {runner: {variable: int64 array
        (frames, elements)}}. The traffic with a board goes to ``io_records/all.yaml`` if the model's folder was
        written.
        """
        how = RunArguments(
            noencrypt, hardware, dummy_output_file, debug_vars, debug_vars_fname, zynq_host, hardware_address,
            timeout, fake_output_file,
        )  # fmt: skip
        ran, results = self._execute((requested_runner,), model_inputs, how, None)
        self._write(results)
        return ran.result, ran.runners[requested_runner]

    def compare(
        self,
        model_inputs: Inputs,
        runners_to_compare: Names,
        noencrypt: bool = False,
        hardware: str = DEFAULT_HARDWARE,
        dummy_output_file: AnyPath | None = None,
        debug_vars: Names = None,
        debug_vars_fname: AnyPath | None = None,
        zynq_host: str | None = None,
        *,
        error_tolerance: float | None = None,
        hardware_address: str | None = None,
        timeout: float | None = None,
        fake_output_file: AnyPath | None = None,
    ) -> Result:
        """Run at least two runners on the same inputs, and compare each with the first.

        Returns ``pass`` (bool), ``status_str`` (the verdict; names the first difference), ``outputs`` and
        ``internals``. Also kept as ``compare_status``. If the model's folder was written, the results go there, see
        docs/comparing.md.
        """
        how = RunArguments(
            noencrypt, hardware, dummy_output_file, debug_vars, debug_vars_fname, zynq_host, hardware_address,
            timeout, fake_output_file,
        )  # fmt: skip
        names = listed(runners_to_compare)
        if len(names) < 2:
            raise UsageError(f"compare: runners must be at least two, not {len(names)}; use execute_runner for one.")
        ran, results = self._execute(names, model_inputs, how, error_tolerance)
        self._write(results)
        return ran.result

    def print_comparison_results(self, compare_status: Mapping[str, Any]) -> None:
        """Print the verdict; in colour on a terminal."""
        text = str(compare_status.get("status_str", "nothing was compared"))
        if sys.stdout.isatty():
            text = f"\x1b[{32 if compare_status.get('pass') else 31}m{text}\x1b[0m"
        print(text)

    # --- inside ---

    def _compiled(self) -> Built:
        if self._built is None:
            raise UsageError("Femtodriver: a model must be compiled first; call compile.")
        return self._built

    def _material(self, how: RunArguments) -> Material:
        return material(self._compiled(), how, self._secrecy, self.io_records_dir)

    def _board_runner(self, how: RunArguments, program: CompiledData | None = None) -> SPURunner:
        made = self._material(how)
        if made.device is None or program is None or program is self.compiled_data:
            return device_runner(made)
        if made.debug_vars:
            raise UsageError("create_SPURunner: debug variables must be of the compiled model, not another program.")
        device = replace(made.device, program=program, key_index=None, salt=None)
        inputs = specs(Built(self._compiled().source, program))[0]
        return device_runner(replace(made, device=device, inputs=inputs))

    def _execute(
        self, names: Sequence[str], inputs: Inputs, how: RunArguments, tolerance: float | None
    ) -> tuple[Ran, Results]:
        """Run one runner, or compare several: what they did, and what of it belongs into the model's folder."""
        made = self._material(how)
        if len(names) == 1:
            ran = run_runners.execute(names[0], inputs, made, self.progress)
            found = Results(recordings=ran.recordings)
        else:
            ran = run_runners.compare(names, inputs, made, self.progress, tolerance)
            self.compare_status = {key: ran.result[key] for key in ("pass", "status_str")}
            settings = run_runners.settings(self._compiled(), made, ran, self._seed(inputs))
            found = Results(compared=Compared(ran.comparison, inputs, settings), recordings=ran.recordings)
        self._spu = ran.spu_runner or self._spu
        return ran, found

    def _write(self, results: Results) -> None:
        if self._written:
            model_folder.write_results(self._output_dir, self._compiled(), results)

    def _seed(self, inputs: object) -> int | None:
        """The seed of inputs that we made at random; None for others."""
        return self._random[1] if self._random is not None and self._random[0] is inputs else None
