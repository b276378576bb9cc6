"""A model that was compiled, with what its programs, runners and files need to know."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from femtodriver.compiler.compiler_options import Objective
from femtodriver.errors import UsageError
from femtodriver.femtocrux.client_calls import VendorOptions
from femtodriver.femtocrux.compiler_service import CompilerService
from femtodriver.femtocrux.vendor_model import VendorModel
from femtodriver.files.file_access import AnyPath
from femtodriver.model.build_model import Built, ModelLabel, build, build_by_vendor
from femtodriver.model.debug_program import for_board, for_runners
from femtodriver.model.load_model import FEMTOCRUX_META, OWN_META, Source
from femtodriver.model.model_encryption import AnyKeyring, Encryption, encryption
from femtodriver.model.model_options import ModelOptions, compiler_options, model_options
from femtodriver.options.compile_requests import BackendRequest, CompileRequest, ModelRequest
from femtodriver.options.runner_requests import CompareRequest, ExecuteRequest, RunnerRequest
from femtodriver.options.value_kinds import FEMTOCRUX, OBJECTIVE_OF_PROFILE, OWN, TREE_13, TREE_26
from femtodriver.output import model_folder
from femtodriver.output.stage_texts import dump_into
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femto_records import PART_NAMES, PART_SPU001
from femtodriver.runners.compare_runs import RunProgress
from femtodriver.runners.execution import Execution, RunInputs, execute
from femtodriver.runners.hardware_runner import HARDWARE, HardwareRunner, check_board
from femtodriver.runners.runner import Runner
from femtodriver.runners.runner_table import create
from femtodriver.runners.stream_runs import Give
from femtodriver.stop_signals import Stop

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class DriverSettings:
    """What a ``Femtodriver`` was told when it was made, for all of its models.

    ``service``: the vendor's compiler and simulator, None where they are not to be had; ``force_vendor``: whether
    networks are compiled by it unless a request says otherwise.
    """

    keyring: AnyKeyring
    key_index: int | None
    salt: int | None
    model_source_dir: AnyPath | None
    service: CompilerService | None = None
    force_vendor: bool = False

    def by_vendor(self, request: CompileRequest) -> bool:
        """Whether the vendor's compiler compiles. UsageError for a request that says both."""
        forced = isinstance(request, BackendRequest) and request.force_femtocrux_compile
        if forced and request.compiler == OWN:
            raise UsageError(
                "compiler: must be femtocrux with force_femtocrux_compile, not own; leave one of them out."
            )
        return request.compiler == FEMTOCRUX or (request.compiler is None and (forced or self.force_vendor))


@dataclass(frozen=True, eq=False)
class CompiledModel:
    """``built``: the program and where it came from; ``encryption``: how programs of this model are enciphered;
    ``output_dir``: where the model's folder is, or would be; ``compiler_kwargs``: those of the file of model options.
    """

    built: Built
    encryption: Encryption
    output_dir: AnyPath
    compiler_kwargs: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<CompiledModel: {self.built!r}>"

    def _repr_html_(self) -> str:
        return self.built._repr_html_()

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return model_folder.model_folder(self.output_dir, self.built.folder)

    @property
    def meta_dir(self) -> Path:
        """The folder of metadata and images."""
        return self.folder / self.built.source.meta_name

    @property
    def records_dir(self) -> Path:
        """The folder of recordings and the ``.femto``."""
        return self.folder / model_folder.IO_RECORDS

    def runner(self, name: str, request: RunnerRequest) -> Runner:
        """A fresh runner of that name. UsageError for a name, a board or a request that does not fit this model."""
        check_board(request, [name])
        return create(name, for_runners(self.built, request, self.encryption), request, self.records_dir)

    def board_runner(
        self, request: RunnerRequest, data: CompiledData | None, meta_dir: AnyPath | None
    ) -> HardwareRunner:
        """A fresh runner for a board and a program: ``data``, else that in ``meta_dir``, else this model's.

        UsageError for a board or a request that does not fit, ProgramError for a damaged program.
        """
        check_board(request, ["hw"])
        if data is None and meta_dir is not None:
            data = CompiledData.read_from_files(meta_dir)
        built = for_board(self.built, data, request, self.encryption)
        return HardwareRunner(HARDWARE, built, request, self.records_dir)

    def fake_board(self) -> HardwareRunner:
        """A runner for a fake board."""
        return HardwareRunner(HARDWARE, self.built, RunnerRequest(), self.records_dir)

    def execute(
        self,
        names: Sequence[str],
        inputs: RunInputs,
        request: ExecuteRequest,
        progress: RunProgress | None,
        stop: Stop | None = None,
        give: Give | None = None,
    ) -> Execution:
        """Run these runners on the inputs, and compare them if there are several; writes recordings only.

        ``stop``, ``give``: see ``runners.execution.execute``.
        """
        check_board(request, names)
        return execute(
            names,
            inputs,
            for_runners(self.built, request, self.encryption),
            request,
            tolerance=request.tolerance if isinstance(request, CompareRequest) else None,
            records_dir=self.records_dir,
            progress=progress,
            stop=stop,
            give=give,
        )


def compile_model(
    source: Source,
    request: CompileRequest,
    settings: DriverSettings,
    period_s: float | None = None,
    clock_hz: float | None = None,
) -> CompiledModel:
    """Compile a model in memory, and encipher the program if there is a keyring; writes nothing but ``dump_ir``.

    ``period_s``: seconds from one frame to the next, if known; the objective "energy" takes the fewest cores that do.
    ``clock_hz``: the clock, if it is not the part's.
    UsageError for an option or a key that does not fit; ModelError, UnsupportedError and CapacityError for a network
    that cannot be compiled; ProgramError for a program that cannot be used.
    """
    if request.tree == TREE_13 and source.meta_name == OWN_META:
        source = replace(source, meta_name=FEMTOCRUX_META)
    secrecy = encryption(settings.keyring, settings.key_index, settings.salt, request.noencrypt)
    by_vendor = settings.by_vendor(request) and source.network is not None
    options = model_options(request.model_options_file, settings.model_source_dir, source.name, by_vendor)
    vendor = _vendor_model(source, request, settings, options)
    stated = _stated(source, request, options)
    if not by_vendor:
        _check_own_request(request)
    if by_vendor and vendor is not None:
        _check_vendor_request(request)
        built = build_by_vendor(source, vendor, stated)
        built = _in_tree(secrecy.applied(built), request)
        return CompiledModel(built, secrecy, request.output_dir, options.compiler_kwargs)
    flags = compiler_options(options, request.compiler_options)
    for name in ("compiler_options", "objective", "opt_profile", "dump_ir"):
        if source.network is None and getattr(request, name):
            _log.warning("%s: without effect, because a compiled program is not compiled again", name)
    wanted = request.wanted_objective or (OBJECTIVE_OF_PROFILE[options.opt_profile] if options.opt_profile else None)
    if wanted is not None:
        flags = replace(flags, objective=Objective(wanted))
    dump = dump_into(request.dump_ir)
    built = build(source, request.hw_config, dump, flags, stated, period_s, clock_hz)
    built = _in_tree(replace(secrecy.applied(built), vendor=vendor), request)
    return CompiledModel(built, secrecy, request.output_dir, options.compiler_kwargs)


def _in_tree(built: Built, request: CompileRequest) -> Built:
    """With the folder and the files that the request wants."""
    if request.tree != TREE_26:
        return replace(built, tree=request.tree)
    info = built.data.info()
    part = built.part.name if built.part else PART_NAMES.get(info.part or PART_SPU001, "").lower().replace("_", "")
    secrecy = "_noenc" if request.noencrypt else ""
    if info.encrypted and built.description is not None:
        secrecy = f"_key{info.key_index}"
    return replace(built, tree=request.tree, folder_name=f"{built.source.name}_{part}{secrecy}")


def _stated(source: Source, request: CompileRequest, options: ModelOptions) -> ModelLabel:
    """Type and version that the ``.femto`` states; a ``.femto`` that is the model stays as it is."""
    if not isinstance(request, ModelRequest):
        return ModelLabel(options.model_type)
    for name in ("model_type", "model_version"):
        if source.container is not None and getattr(request, name):
            _log.warning("%s: without effect, because a .femto is kept as it is", name)
    return ModelLabel(request.model_type or options.model_type, request.model_version)


def _vendor_model(
    source: Source, request: CompileRequest, settings: DriverSettings, options: ModelOptions
) -> VendorModel | None:
    """The network for the vendor's compiler and simulator; nothing is started. None for a program."""
    if settings.service is None or source.network is None:
        return None
    specification = source.iospec.serialize_to_string() if source.iospec is not None else ""
    flags, reservations = dict(options.compiler_kwargs), None
    if isinstance(request, ModelRequest):
        flags.update(request.user_configuration or {})
        reservations = request.memory_reservations
    told = VendorOptions(flags, request.opt_profile or options.opt_profile, specification, reservations)
    return VendorModel(settings.service, source.where, source.graph, source.path, told)


def _check_own_request(request: CompileRequest) -> None:
    """UsageError for options of the vendor's compiler."""
    for name in ("user_configuration", "memory_reservations"):
        if isinstance(request, ModelRequest) and getattr(request, name) is not None:
            raise UsageError(
                f"{name}: must be left out with our own compiler, because it belongs to the vendor's; compiler_options "
                "has what ours takes."
            )


def _check_vendor_request(request: CompileRequest) -> None:
    """UsageError for options of our own compiler."""
    for name in ("compiler_options", "objective", "dump_ir", "hw_config"):
        if getattr(request, name):
            raise UsageError(
                f"{name}: must be left out with the vendor's compiler, because it belongs to ours; flags of the "
                "vendor's go under compiler_kwargs in the file of model options."
            )
