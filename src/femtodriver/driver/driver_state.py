"""What a ``Femtodriver`` knows from one call to the next."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from femtodriver.device.spu_runner import SPURunner
from femtodriver.errors import UsageError
from femtodriver.femtocrux.compiler_service import CompilerService
from femtodriver.fqir.graph import Network
from femtodriver.job.compiled_model import CompiledModel, DriverSettings
from femtodriver.model.load_model import Source
from femtodriver.options.main_requests import DriverRequest
from femtodriver.profile.profile_rows import Profile
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import ConversionOrigin
from femtodriver.quantization.quantization_rows import QuantizationReport
from femtodriver.runners.compare_runs import RunProgress
from femtodriver.runners.execution import Execution, Result, RunInputs

_log = logging.getLogger(__name__)


class DriverState:
    """What the groups of methods of ``Femtodriver`` share: its attributes, and the model that was compiled last."""

    def __init__(self, request: DriverRequest) -> None:
        self.say: Callable[[str], None] = _log.info
        self._service = CompilerService()
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

    @property
    def conversion(self) -> ConversionOrigin | None:
        """How the model was made of a PyTorch module, with its accuracy and signal-to-noise ratio (``quality``); None
        for any other model.
        """
        return self._source.conversion if self._source is not None else None

    @property
    def spu_runner(self) -> SPURunner | None:
        """The last runner that was made for a board; before that, one for a fake board; None without a program."""
        if self._board_runner is None and self._model is not None:
            self._board_runner = self._model.fake_board()
        return self._board_runner

    def close(self) -> None:
        """Finish the last board's runner, and end the container of the vendor's compiler; may be called twice."""
        try:
            if self._board_runner is not None:
                self._board_runner.finish()
        finally:
            self._service.close()

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

    def _kept(self, done: Execution) -> Execution:
        if done.compared:
            self.compare_status = {key: done.result[key] for key in ("pass", "status_str")}
        self._board_runner = done.board_runner or self._board_runner
        return done
