"""``Femtodriver``: load, compile, write, run, compare, measure. Every method is a few lines over the rooms below."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from femtodriver.device.boards import DEFAULT_HARDWARE
from femtodriver.driver import run_runners, unavailable
from femtodriver.driver.arguments import (
    CompileArguments,
    RunArguments,
    check_period,
    dump_into,
    listed,
    metrics_document,
)
from femtodriver.driver.run_runners import SIMULATOR, Result
from femtodriver.driver.runs import InputSource, Names, Runs
from femtodriver.errors import UsageError
from femtodriver.fqir.graph import Network
from femtodriver.model.build_model import Built, build
from femtodriver.model.load_model import DEFAULT_NAME, Source, load_source
from femtodriver.model.model_encryption import AnyKeyring, encryption
from femtodriver.model.model_options import ModelOptions, compiler_options, model_options
from femtodriver.output import model_folder
from femtodriver.output.atomic_folder import check_writable
from femtodriver.output.model_folder import AnyPath, Results
from femtodriver.output.summary import metrics_text, model_text, written_text
from femtodriver.program.compiled_data import CompiledData
from femtodriver.runners import check_names
from femtodriver.runners.compare_runs import check_tolerance

CompilerOptions = Mapping[str, Any] | Sequence[str] | None
_log = logging.getLogger(__name__)


class Femtodriver(Runs, unavailable.NotYet):
    """One model at a time; ``compile`` may be called again for the next. A context manager.

    ``keyring`` (a file or a Keyring; default: the file that FS_KEYRING names): programs are written encrypted, with the
    key ``encryption_key_index`` and ``encryption_salt`` if given, see docs/encryption.md.
    ``model_source_dir`` has an ``options.yaml`` (see ``options.model_options``). ``debug`` sets our loggers to DEBUG.
    Attributes after use: ``modelname``, ``fqir`` (Network), ``compiled_data`` (CompiledData), ``model_dir``,
    ``meta_dir``, ``io_records_dir``, ``compiler_kwargs``, ``compare_status``, ``spu_runner`` (SPURunner);
    ``femtocrux_client`` is None in this version. ``say(text)`` gets what ``run`` tells (default: the log),
    ``progress(runner, done, frames)`` is called while runners run.

    Every error that a user can cause is a FemtoError (``femtodriver.errors``).
    """

    def __init__(
        self,
        model_source_dir: AnyPath | None = None,
        debug: bool = False,
        force_femtocrux_compile: bool = False,
        force_femtocrux_sim: bool = False,
        *,
        keyring: AnyKeyring = None,
        encryption_key_index: int | None = None,
        encryption_salt: int | None = None,
    ) -> None:
        super().__init__()
        unavailable.refuse_femtocrux(force_femtocrux_compile, force_femtocrux_sim)
        self.model_source_dir = model_source_dir
        self.debug = debug
        self.keyring, self.encryption_key_index = keyring, encryption_key_index
        self.encryption_salt = encryption_salt
        self.femtocrux_client: None = None
        self.modelname: str | None = None
        self.fqir: Network | None = None
        self.model_dir: str | None = None
        self.meta_dir: str | None = None
        self.compiler_kwargs: dict[str, Any] = {}
        self._source: Source | None = None
        self._options = ModelOptions()
        if debug:
            logging.getLogger("femtodriver").setLevel(logging.DEBUG)

    def __enter__(self) -> Femtodriver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spu is not None:
            self._spu.finish()
        if error is not None:
            _log.debug("left by %s", type(error).__name__)

    # --- loading, compiling, writing ---

    def compile(
        self,
        model: object,
        model_name: str | None = None,
        model_options_file: AnyPath | None = None,
        output_dir: AnyPath = "model_datas",
        noencrypt: bool = False,
        *,
        hw_config: str | Path | None = None,
        dump_ir: AnyPath | None = None,
        compiler_options: CompilerOptions = None,
    ) -> tuple[str, str, int]:
        """Load and compile a model and write ``<output_dir>/<name>/`` in one step.

        ``model``: a path (.pt, .pth, .zip, .femto, or a compiled model's folder), "LOOPBACK", or a GraphProto. The name
        is ``model_name``, else the stem of the path, else "fqir". ``hw_config``: a part's name or .toml file; default
        spu001, or what a program names. ``dump_ir``: a folder for the text of every stage. ``compiler_options``: a
        mapping or texts "name=value", see docs/compiler.md. ``noencrypt``: in plain
        words even if there is a keyring.

        Returns (folder of metadata and images, path of the ``.femto``, its size in bytes). If it fails, the folder and
        this object are as they were before.
        """
        source = load_source(model, model_name)
        how = CompileArguments(output_dir, model_options_file, hw_config, dump_ir, compiler_options, noencrypt)
        self._compile(source, how, write=True)
        femto = model_folder.femto_path(output_dir, source.name)
        return str(self.meta_dir), str(femto), femto.stat().st_size

    def load_model(self, model: object, name: str = DEFAULT_NAME) -> tuple[str, Network | None, None, None]:
        """Load a model without compiling it: (name, network or None for a program, None, None).

        ``name`` is for graphs in memory; models from files are called as their file unless it is given.
        """
        self._source = load_source(model, None if name == DEFAULT_NAME else name)
        self.modelname, self.fqir = self._source.name, self._source.network
        self._built, self.compiled_data, self._spu = None, None, None
        return self._source.name, self._source.network, None, None

    def compile_metadata(
        self,
        output_dir: AnyPath = "model_datas",
        model_options_file: AnyPath | None = None,
        noencrypt: bool = False,
        *,
        hw_config: str | Path | None = None,
        dump_ir: AnyPath | None = None,
        compiler_options: CompilerOptions = None,
    ) -> CompiledData:
        """Compile the loaded model in memory; nothing is written (but ``dump_ir``)."""
        if self._source is None:
            raise UsageError("compile_metadata: a model must be loaded first; call load_model.")
        how = CompileArguments(output_dir, model_options_file, hw_config, dump_ir, compiler_options, noencrypt)
        return self._compile(self._source, how, write=False).data

    def generate_program_files(self) -> None:
        """Write ``io_records/``: recordings, ``0PROG_A``, ``0PROG_D`` and the ``.femto``, in one step."""
        model_folder.write_records(self._output_dir, self._compiled(), self._options.model_type)

    def write_metadata_to_disk(self, output_dir: AnyPath) -> None:
        """Write metadata and images to ``<output_dir>/<name>/meta_from_.../``, in one step."""
        model_folder.write_metadata(output_dir, self._compiled())

    def write_metrics_to_disk(self, metrics: str | Mapping[str, Any], output_dir: AnyPath) -> str:
        """Write ``metrics.yaml`` and ``metrics.txt`` to ``<output_dir>/<name>/``; returns the path of the first.

        ``metrics``: what ``simulate`` returned, or the document as a mapping.
        """
        folder = model_folder.model_folder(output_dir, self._compiled().source.name)
        return str(model_folder.write_metrics(folder, metrics_document(metrics)))

    # --- the whole job ---

    def run(
        self,
        model: object,
        model_options_file: AnyPath | None = None,
        output_dir: AnyPath = "model_datas",
        n_frames: int = 2,
        input_file: InputSource = None,
        input_sample_indices: Sequence[int] | None = None,
        force_femtocrux_compile: bool = False,
        force_femtocrux_sim: bool = False,
        hardware: str = DEFAULT_HARDWARE,
        runners: Names = "",
        debug_vars: Names = None,
        debug_vars_fname: AnyPath | None = None,
        debug: bool = False,
        noencrypt: bool = False,
        input_period: float | None = None,
        dummy_output_file: AnyPath | None = None,
        cleanup_docker: bool = False,
        zynq_host: str | None = None,
        *,
        seed: int = 0,
        hw_config: str | Path | None = None,
        dump_ir: AnyPath | None = None,
        model_name: str | None = None,
        compiler_options: CompilerOptions = None,
        tolerance: float | None = None,
        hardware_address: str | None = None,
        timeout: float | None = None,
        fake_output_file: AnyPath | None = None,
    ) -> Result:
        """The whole job: compile, run what ``runners`` names, write everything in one step, tell.

        No runners: files only, and the result is {}. One runner: its result. Several: the comparison with the first,
        in which values may differ by ``tolerance``. With ``fasmir`` among them, metrics are written too. If anything
        fails, the model's folder is as before. For the arguments about boards see ``Runs``.
        """
        unavailable.refuse_femtocrux(force_femtocrux_compile, force_femtocrux_sim)
        if cleanup_docker:
            raise unavailable.no_docker("cleanup_docker")
        check_period(input_period)
        check_tolerance(tolerance)
        names = check_names(listed(runners))
        running_with = RunArguments(
            noencrypt, hardware, dummy_output_file, debug_vars, debug_vars_fname, zynq_host, hardware_address,
            timeout, fake_output_file,
        ).checked()  # fmt: skip
        source = load_source(model, model_name)
        check_writable(model_folder.model_folder(output_dir, source.name))
        how = CompileArguments(output_dir, model_options_file, hw_config, dump_ir, compiler_options, noencrypt)
        built = self._compile(source, how, write=False)
        self.say(model_text(built))
        result: Result = {}
        results = Results()
        if names:
            inputs = self.generate_audio_inputs(
                input_file, n_frames=n_frames, input_sample_indices=input_sample_indices, seed=seed
            )
            ran, results = self._execute(names, inputs, running_with, tolerance)
            result = ran.result
            if SIMULATOR in names:
                doc = run_runners.measured(ran.runners[SIMULATOR], built, input_period, self._seed(inputs))
                results = replace(results, doc=doc)
        model_folder.write_all(output_dir, built, self._options.model_type, results)
        self._written = True
        self._tell(result, results)
        return result

    def main(self, parsed_args: Any) -> Result:
        """``run`` with the attributes of a parsed command line; those that it does not know are ignored."""
        known = inspect.signature(self.run).parameters
        self.keyring = getattr(parsed_args, "keyring", None) or self.keyring
        if getattr(parsed_args, "encryption_key_index", None) is not None:
            self.encryption_key_index = parsed_args.encryption_key_index
        return self.run(**{name: value for name, value in vars(parsed_args).items() if name in known})

    # --- inside ---

    def _compile(self, source: Source, how: CompileArguments, write: bool) -> Built:
        secrecy = encryption(self.keyring, self.encryption_key_index, self.encryption_salt, how.noencrypt)
        options = model_options(how.model_options_file, self.model_source_dir, source.name)
        flags = compiler_options(options, how.compiler_options)
        built = secrecy.applied(build(source, how.hw_config, dump_into(how.dump_ir), flags))
        if write:
            model_folder.write_all(how.output_dir, built, options.model_type)
        folder = model_folder.model_folder(how.output_dir, source.name)
        self._source, self._built, self._options, self._output_dir = source, built, options, how.output_dir
        self.modelname, self.fqir, self.compiled_data = source.name, source.network, built.data
        self.model_dir, self.meta_dir = str(folder), str(folder / source.meta_name)
        self.io_records_dir = str(folder / model_folder.IO_RECORDS)
        self.compiler_kwargs = dict(options.compiler_kwargs)
        self.compare_status = {}
        self._secrecy, self._written = secrecy, write
        self._random, self._spu = None, None
        return built

    def _tell(self, result: Mapping[str, Any], results: Results) -> None:
        if "status_str" in result:
            self.print_comparison_results(result)
        elif result:
            self.say("; ".join(f"{name} ran, {run_runners.frames_run(result)} frames" for name in result["outputs"]))
        if results.doc is not None:
            self.say(metrics_text(results.doc))
            if any(result["internals"].values()):
                self.say("           (of the program that keeps the debug variables, which costs time and energy)")
        self.say(written_text(self._output_dir, self._compiled(), results))
