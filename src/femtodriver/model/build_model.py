"""From a source to a program that can be written and, if it is ours, run."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from femtodriver import __version__
from femtodriver.compiler.compiler_options import DEFAULT_OPTIONS, MOST_CYCLES, Objective, Options
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.pipeline import Dump, compile_network
from femtodriver.errors import FemtoError, ProgramError, UsageError
from femtodriver.femtocrux.vendor_model import VendorModel
from femtodriver.files.file_access import AnyPath
from femtodriver.inputs import InputSpec, program_specs
from femtodriver.iospec import IOSpec
from femtodriver.model.described_program import check_part, completed, network_inputs, network_outputs
from femtodriver.model.load_model import FEMTOCRUX_META, Source
from femtodriver.model.specified_io import (
    check_records,
    check_variables,
    check_widths,
    latched_names,
    placed_spec,
    specified_inputs,
    specified_network,
    specified_outputs,
)
from femtodriver.part import Part, load_part, part_names
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import CompilerOrigin, Description, KeptPlace, ModelOrigin, read_description
from femtodriver.program.memory_map import DM_BANK_WORDS, TM_BANK_WORDS
from femtodriver.program.program_iospec import program_iospec
from femtodriver.safe_text import plain_name

DEFAULT_PART = "spu001"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelLabel:
    """What a ``.femto`` states of the model: free text for its type, and its version; None: the usual."""

    kind: str | None = None
    version: str | None = None


NO_LABEL = ModelLabel()


@dataclass(frozen=True, eq=False)
class Built:
    """A compiled model. ``description`` and ``part`` are None for a foreign program, ``fmir`` for any existing one.

    ``data`` is the program as it is written, ``plain`` as it runs: None for a foreign one, and for an encrypted one
    whose key is not here. ``registers``: key index and salt for a board, None for those of ``data``. ``label``:
    what the ``.femto`` states. ``debug_names``: values of the network that runners give besides the outputs, in
    program order; ``kept``: where programs that keep them have them in data memory when a frame has ended.
    ``tree``: the version of the reference whose files are written too, None for ours alone; ``folder_name``: the name
    of the model's folder, where it is not the model's.
    ``vendor``: the same network for the vendor's compiler and simulator, if they may be used.
    """

    source: Source
    data: CompiledData
    part: Part | None = None
    description: Description | None = None
    fmir: Fmir | None = None
    options: Options = DEFAULT_OPTIONS
    plain: CompiledData | None = None
    registers: tuple[int | None, int | None] = (0, 0)
    label: ModelLabel = NO_LABEL
    debug_names: tuple[str, ...] = ()
    tree: str | None = None
    folder_name: str | None = None
    kept: Mapping[str, KeptPlace] = field(default_factory=dict)
    vendor: VendorModel | None = None

    def __repr__(self) -> str:
        part = f" for {self.part.name}" if self.part else ""
        return f"<Built {plain_name(self.source.name, 60)}{part}: {self.data!r}>"

    def _repr_html_(self) -> str:
        network = self.source.network
        return "\n".join([*([] if network is None else [network._repr_html_()]), self.data._repr_html_()])

    @property
    def folder(self) -> str:
        """The name of the model's folder."""
        return self.folder_name or self.source.name

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """The inputs, as the program states them; if it is foreign, as its network or else its records are."""
        if self.description is None and self.source.network is not None:
            return specified_inputs(network_inputs(self.source.network), self.source.iospec)
        return specified_inputs(program_specs(self.data, self.description, self.source.where)[0], self.source.iospec)

    @property
    def outputs(self) -> tuple[InputSpec, ...]:
        """The outputs, likewise."""
        if self.description is None and self.source.network is not None:
            return specified_outputs(network_outputs(self.source.network), self.source.iospec)
        return specified_outputs(program_specs(self.data, self.description, self.source.where)[1], self.source.iospec)

    @property
    def iospec(self) -> IOSpec:
        """The I/O specification: that which the model was given, with the places of the program, or the program's."""
        return placed_spec(self.source.iospec, program_iospec(self.data.info(), self.description))

    @property
    def model(self) -> dict[str, str | None]:
        """Name and sha256 of the network, as far as they are known."""
        told = self.description.model if self.description else None
        return {"name": self.source.name, "sha256": told.sha256 if told else None}

    @property
    def obstacle(self) -> str:
        """Why the program cannot be simulated here, "" if it can."""
        if self.description is None or self.part is None:
            return (
                f"{self.source.where}: is not a program for the open SPU ({foreign(self.data)}), so it cannot be "
                "simulated here; it can be converted to program files. Compile the network itself with femtodrive to "
                "simulate it."
            )
        return locked(self.data, self.source.where) if self.plain is None else ""


def locked(data: CompiledData, where: str) -> str:
    """The sentence about an encrypted program of ours whose key is not here."""
    index = data.info().key_index or 0
    return (
        f"{where}: is encrypted, so its key (index {index}) must be in a keyring to read or simulate it; give its file "
        "with --keyring."
    )


def foreign(data: CompiledData) -> str:
    """What is known about a foreign program."""
    if data.info().encrypted is False:
        return "its instruction set is not known"
    return "its instruction set is not known, and it counts as encrypted by its maker"


def build(
    source: Source,
    hw_config: AnyPath | None = None,
    dump: Dump | None = None,
    options: Options = DEFAULT_OPTIONS,
    label: ModelLabel = NO_LABEL,
    period_s: float | None = None,
    clock_hz: float | None = None,
) -> Built:
    """Compile a network for the part (default spu001), or take a program as it is, for the part that it names.

    ``period_s``: seconds from one frame to the next, if known; the deadline of the objective "energy". ``clock_hz``:
    the clock, if it is not the part's.
    Errors of the compiler name what cannot be compiled or does not fit. ProgramError for a program that contradicts
    itself or its part.
    """
    if source.network is not None:
        part = load_part(DEFAULT_PART if hw_config is None else os.fspath(hw_config))
        options = _with_deadline(options, period_s, clock_hz or part.clock_hz)
        return replace(_compiled(source, part, dump, options), label=label)
    if source.program is None:
        raise UsageError(f"{source.where}: holds neither a network nor a program.")
    told = read_description(source.program.metadata, source.where)
    specs = program_specs(source.program, told, source.where)
    if source.iospec is not None:
        check_variables(source.iospec, *specs)
        check_records(source.iospec, source.program.info())
    if told is None:
        return Built(source, source.program, label=label)
    part = _part_of(told, hw_config, source.where)
    check_part(told, part, source.where)
    return Built(source, source.program, part, told, label=label)


def build_by_vendor(source: Source, vendor: VendorModel, label: ModelLabel = NO_LABEL) -> Built:
    """Have the vendor's compiler compile the network: a foreign program, whose variables are those of the network.

    BackendError if the compiler cannot be used or refuses, ProgramError for an archive that is none.
    """
    try:
        program = CompiledData.read_from_zip(vendor.compiled())
        program.info()
    except ProgramError as error:
        raise ProgramError(f"{source.where}: from the vendor's compiler: {error}") from None
    if source.network is not None:
        check_widths(source.iospec, source.network, {})
    check_records(source.iospec, program.info())
    return Built(replace(source, meta_name=FEMTOCRUX_META), program, label=label, vendor=vendor)


def _with_deadline(options: Options, period_s: float | None, clock_hz: float) -> Options:
    """The options with the cycles of a period, where they matter and have not been given."""
    if period_s is None or options.deadline is not None or options.objective is not Objective.ENERGY:
        return options
    return replace(options, deadline=min(max(int(period_s * clock_hz), 1), MOST_CYCLES))


def _compiled(source: Source, part: Part, dump: Dump | None, options: Options) -> Built:
    network = specified_network(source)
    if network is None:
        raise UsageError(f"{source.where}: is no network.")
    _log.debug("compiling %s for %s with %s", source.name, part.name, options)
    try:
        compilation = compile_network(network, part, dump, options)
    except FemtoError as error:
        if source.where in str(error):
            raise
        raise type(error)(f"{source.where}: {error}") from None
    _check_storable(part)
    data, told = completed(
        compilation.data,
        compilation.description,
        network,
        part,
        ModelOrigin(source.name, source.sha256, source.requantize, source.conversion),
        CompilerOrigin(__version__, options.table()),
        latched_names(source),
    )
    check_widths(source.iospec, network, told.output_bits)
    check_records(source.iospec, data.info())
    return Built(source, data, part, told, compilation.fmir, options)


def _check_storable(part: Part) -> None:
    """Program files have the memory map of the SPU-001; a part with other banks can be tried, but not written for."""
    for name, wanted in (("dm_bank_words", DM_BANK_WORDS), ("tm_bank_words", TM_BANK_WORDS)):
        if getattr(part, name) != wanted:
            raise UsageError(
                f"hw-config: {name} of {part.name!r} must be {wanted}, as in the memory map of program files, "
                f"not {getattr(part, name)}; change the number of banks or cores instead."
            )


def _part_of(told: Description, hw_config: AnyPath | None, where: str) -> Part:
    if hw_config is not None:
        return load_part(os.fspath(hw_config))
    if told.part in part_names():
        return load_part(told.part)
    raise ProgramError(
        f"{where}: the part must be one that is shipped ({', '.join(part_names())}), not {told.part!r:.60}. "
        "Give its .toml file with --hw-config."
    )
