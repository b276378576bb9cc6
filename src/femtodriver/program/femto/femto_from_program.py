"""Compiled programs into ``.femto`` containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from femtodriver.errors import ProgramError, UsageError
from femtodriver.program.bank_usage import used_banks
from femtodriver.program.femto.femto_records import (
    CORE_OFF,
    CORE_ON,
    DEFAULT_LAYOUT,
    PART_SPU001,
    PART_UNKNOWN,
    FemtoCore,
    FemtoHeader,
    FemtoModel,
    FemtoSequence,
    FemtoSpu,
    FemtoVector,
    check_layout,
    model_type_code,
    part_geometry,
)
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.images import Memories
from femtodriver.program.memory_map import Geometry
from femtodriver.program.metadata import (
    NOT_ENCRYPTED,
    InputRecord,
    OutputRecord,
    ProgramInfo,
)
from femtodriver.program.packing import elements_per_word, split_words

MAX_PARAMETER = (1 << 24) - 1


class StoredProgram(Protocol):
    """What a container needs of a ``CompiledData``."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The mapping of ``metadata.yaml``."""

    @property
    def mems_per_core(self) -> Memories:
        """The images."""

    def info(self) -> ProgramInfo:
        """The checked metadata."""


def femto_from_compiled(data: StoredProgram, **facts: Any) -> bytes:
    """Bytes of the ``.femto`` file of a program; ``facts`` and errors as of ``femtofile_of``, or of ``serialize``."""
    return femtofile_of(data, **facts).serialize()


def femtofile_of(
    data: StoredProgram,
    *,
    name: str,
    producer: str,
    clock_mhz: int,
    model_type: str = "custom",
    model_version: str = "1.0.0",
    encrypted: bool | None = None,
    key_index: int | None = None,
    layout: str = DEFAULT_LAYOUT,
    userdata: bytes = b"",
) -> FemtoFile:
    """The ``.femto`` container of a program.

    ``encrypted`` None: what the metadata says; if it does not say, encrypted (as in archives of the vendor).
    ``key_index`` None: that of the metadata, else 0. Raises UsageError for arguments out of range, ProgramError for a
    program that the part or the layout cannot hold.
    """
    check_layout(layout)
    info = data.info()
    part = _part(info)
    geometry = part_geometry(part, "part")
    vectors = _vectors(info)
    model = FemtoModel(
        type_code=model_type_code(model_type, layout),
        name=name,
        version=model_version,
        vectors=vectors,
        sequences=_sequences(vectors, layout),
        user_data=userdata,
    )
    spu = FemtoSpu(part, _key_index(info, encrypted, key_index), clock_mhz, _cores(info, part, geometry))
    file = FemtoFile(FemtoHeader(layout, producer), model, spu)
    for core, bank, words in used_banks(data.mems_per_core, info, geometry, name):
        file.fill_memory(core, bank.name, split_words(words))
    return file


def vector_names(data: StoredProgram) -> tuple[dict[str, str], dict[str, str]]:
    """Names that the variables get when the program goes through a container: {"0": input name, ...}, the same for
    outputs. The driver stores them in the user data and restores them."""
    inputs, outputs = _numbered(data.info())
    return {str(i): record.name for i, record in inputs}, {str(i): record.name for i, record in outputs}


def _numbered(info: ProgramInfo) -> tuple[list[tuple[int, InputRecord]], list[tuple[int, OutputRecord]]]:
    """Inputs sorted by entry PC, then outputs sorted by mailbox, with vector ids 0, 1, ..."""
    inputs = sorted(info.inputs, key=lambda record: record.pc_val)
    outputs = sorted(info.outputs, key=lambda record: record.mailbox_id)
    return list(enumerate(inputs)), list(enumerate(outputs, start=len(inputs)))


def _part(info: ProgramInfo) -> int:
    """The part that a read container named; else the SPU-001, or unknown for more cores than that has."""
    if info.part is not None:
        return info.part
    return PART_SPU001 if len(info.inst_counts) <= 2 else PART_UNKNOWN


def _cores(info: ProgramInfo, part: int, geometry: Geometry) -> tuple[FemtoCore, ...]:
    count = len(info.inst_counts) if part == PART_UNKNOWN else geometry.cores
    return tuple(FemtoCore(core, CORE_ON if core in info.inst_counts else CORE_OFF) for core in range(count))


def _key_index(info: ProgramInfo, encrypted: bool | None, key_index: int | None) -> int:
    if encrypted is None:
        encrypted = info.encrypted is not False
    if not encrypted:
        return NOT_ENCRYPTED
    index = key_index if key_index is not None else info.key_index or 0
    if not 0 <= index < NOT_ENCRYPTED:
        raise UsageError(f"key index: must be in 0...{NOT_ENCRYPTED - 1}, not {index}.")
    return index


def _vectors(info: ProgramInfo) -> tuple[FemtoVector, ...]:
    inputs, outputs = _numbered(info)
    return tuple(
        [_vector(i, "input", record, record.pc_val) for i, record in inputs]
        + [_vector(i, "output", record, record.mailbox_id) for i, record in outputs]
    )


def _vector(number: int, kind: str, record: InputRecord | OutputRecord, parameter: int) -> FemtoVector:
    if parameter > MAX_PARAMETER:
        raise ProgramError(
            f"{kind} {record.name!r}: its PC or mailbox must be below 2^24 in a .femto, not {parameter}."
        )
    padded = record.words * elements_per_word(record.bits)
    if padded > 0xFFFF:
        raise ProgramError(f"{kind} {record.name!r}: must have at most 65535 elements in a .femto, not {padded}.")
    return FemtoVector(number, kind, record.core, record.bits, record.usable, padded, parameter)


def _sequences(vectors: tuple[FemtoVector, ...], layout: str) -> tuple[FemtoSequence, ...]:
    """One sequence of all vectors; Layout A has slots of two and two, so there it is as many slots as needed."""
    inputs = tuple(vector.id for vector in vectors if vector.kind == "input")
    outputs = tuple(vector.id for vector in vectors if vector.kind == "output")
    if layout != "A":
        return (FemtoSequence(0, inputs, outputs),)
    slots = max(1, -(-len(inputs) // 2), -(-len(outputs) // 2))
    return tuple(FemtoSequence(i, inputs[2 * i : 2 * i + 2], outputs[2 * i : 2 * i + 2]) for i in range(slots))
