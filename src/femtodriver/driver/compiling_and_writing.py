"""The methods of ``Femtodriver`` that load and compile a model, and write its files."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from femtodriver.driver.driver_state import DriverState
from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath
from femtodriver.fqir.graph import Network
from femtodriver.iospec import IOSpec
from femtodriver.job.compiled_model import compile_model
from femtodriver.model.load_model import DEFAULT_NAME, load_source
from femtodriver.model.specified_io import specified
from femtodriver.options import method_table as methods
from femtodriver.options.bind_request import bind, check_value
from femtodriver.options.conversion_requests import ConversionRequest
from femtodriver.options.value_kinds import PATH, TEXT, TREE_26
from femtodriver.output import model_folder
from femtodriver.output.reference_tree_2x import newer_program_names
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.program_totals import program_totals

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from femtodriver.options import method_keywords as keywords


class CompilingAndWriting(DriverState):
    """From a model to a program and its files."""

    @overload
    def compile(
        self, model: object, *positional: Any, iospec: None = None, **options: Unpack[keywords.ModelKeywords]
    ) -> tuple[str, str, int]: ...

    @overload
    def compile(
        self, model: object, *positional: Any, iospec: IOSpec | AnyPath, **options: Unpack[keywords.ModelKeywords]
    ) -> tuple[str, str, int, IOSpec]: ...

    @methods.COMPILE.signed
    def compile(
        self,
        model: object,
        *positional: Any,
        iospec: IOSpec | AnyPath | None = None,
        **options: Unpack[keywords.ModelKeywords],
    ) -> tuple[str, str, int] | tuple[str, str, int, IOSpec]:
        """Load and compile a model and write ``<output_dir>/<name>/`` in one step.

        ``model``: the path of a network, of a program (.zip, .femto) or of a compiled model's folder, "LOOPBACK", a
        GraphProto, a ``Network``, or a module of PyTorch with ``calibration``: in memory, or FILE.py:NAME
        (docs/pytorch.md).
        ``iospec``: the I/O specification that the model is to have, an ``IOSpec`` or the path of its YAML.

        Returns (folder of metadata and images, path of the ``.femto``, its size in bytes); with ``iospec``, as 2.x of
        the reference does, also the specification with what the compiler adds to it, and with ``tree="2.6"`` the
        model's folder first. If it fails, the folder and this object are as they were before.
        """
        request = methods.COMPILE.bind(positional, options)
        if iospec is not None and request.iospec_file is not None:
            raise UsageError("compile: iospec and iospec_file must not both be given, because they mean the same.")
        loaded = load_source(model, request.model_name, request.requantize, request, self.say)
        source = specified(loaded, request.iospec_file if iospec is None else iospec)
        compiled = compile_model(source, request, self._settings())
        model_folder.write_all(request.output_dir, compiled.built)
        self._adopt(compiled, written=True)
        folder, femto = compiled.meta_dir, model_folder.femto_path(request.output_dir, compiled.built)
        if request.tree == TREE_26:
            folder = compiled.folder
            femto = folder / newer_program_names(compiled.built)["femto"]
        written = str(folder), str(femto), femto.stat().st_size
        return written if iospec is None else (*written, compiled.built.iospec)

    def load_model(
        self, model: object, name: str = DEFAULT_NAME, *, calibration: Any = None, precision: str | None = None
    ) -> tuple[str, Network | None, None, None]:
        """Load a model without compiling it: (name, network or None for a program, None, None).

        ``name`` is for graphs in memory; models from files are called as their file unless it is given.
        ``calibration``, ``precision``: of a module of PyTorch, as for ``compile``.
        """
        check_value(TEXT, name, "name")
        request = bind(ConversionRequest, {"calibration": calibration, "precision": precision}, "load_model")
        self._source = load_source(model, None if name == DEFAULT_NAME else name, None, request, self.say)
        self.modelname, self.fqir = self._source.name, self._source.network
        self._model, self.compiled_data, self._board_runner = None, None, None
        return self._source.name, self._source.network, None, None

    @methods.COMPILE_METADATA.signed
    def compile_metadata(self, *positional: Any, **options: Unpack[keywords.CompileKeywords]) -> CompiledData:
        """Compile the loaded model in memory; nothing is written (but ``dump_ir``)."""
        request = methods.COMPILE_METADATA.bind(positional, options)
        if self._source is None:
            raise UsageError("compile_metadata: a model must be loaded first; call load_model.")
        source = specified(self._source, request.iospec_file)
        return self._adopt(compile_model(source, request, self._settings()), written=False).built.data

    def get_compiler_metadata(self) -> dict[str, Any]:
        """A copy of the compiled program's metadata, with its size: see ``program_totals``."""
        data = self._compiled().built.data
        return {**copy.deepcopy(data.metadata), **program_totals(data.info())}

    def generate_program_files(self) -> None:
        """Write ``io_records/``: recordings, ``0PROG_A``, ``0PROG_D`` and the ``.femto``, in one step."""
        model = self._compiled()
        model_folder.write_records(model.output_dir, model.built)

    def write_metadata_to_disk(self, output_dir: AnyPath) -> None:
        """Write metadata and images to ``<output_dir>/<name>/meta_from_.../``, in one step."""
        check_value(PATH, output_dir, "output_dir")
        model_folder.write_metadata(output_dir, self._compiled().built)

    def write_metrics_to_disk(
        self,
        metrics: str | Mapping[str, Any],
        output_dir: AnyPath | None = None,
        *,
        output_path: AnyPath | None = None,
    ) -> str:
        """Write ``metrics.yaml`` and ``metrics.txt`` to ``<output_dir>/<name>/``; returns the path of the first.

        ``metrics``: what ``simulate`` returned, or the document as a mapping. ``output_path`` instead of
        ``output_dir``: the YAML alone goes into this file; then they may be any mapping of plain values. UsageError for
        both or neither.
        """
        if (output_dir is None) == (output_path is None):
            raise UsageError("write_metrics_to_disk: one of output_dir and output_path must be given.")
        if output_path is not None:
            check_value(PATH, output_path, "output_path")
            return str(model_folder.write_metrics_file(Path(os.fspath(output_path)), metrics))
        check_value(PATH, output_dir, "output_dir")
        folder = model_folder.model_folder(str(output_dir), self._compiled().built.folder)
        return str(model_folder.write_metrics(folder, model_folder.metrics_document(metrics)))
