"""Compiled programs into ``.femto`` containers and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from femtodriver.arrays import Words
from femtodriver.errors import ProgramError, UsageError
from femtodriver.program.bank_usage import IM_PLANE_WORDS, used_banks
from femtodriver.program.compiled_data import DM_BANK_WORDS, TM_BANK_WORDS, CompiledData, Memories
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
    model_type_name,
    part_geometry,
)
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.images import MEMORIES
from femtodriver.program.memory_map import Geometry
from femtodriver.program.metadata import (
    NOT_ENCRYPTED,
    PRECISION_NAMES,
    InputRecord,
    OutputRecord,
    ProgramInfo,
    program_info,
)
from femtodriver.program.packing import elements_per_word, join_words, split_words, words_needed

MAX_PARAMETER = (1 << 24) - 1
_PLANES = "SPU150"


def femto_from_compiled(
    data: CompiledData,
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
) -> bytes:
    """Bytes of the ``.femto`` file of a program.

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
    for core, bank, words in used_banks(data, info, geometry, name):
        file.fill_memory(core, bank.name, split_words(words))
    return file.serialize()


def vector_names(data: CompiledData) -> tuple[dict[str, str], dict[str, str]]:
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


def compiled_from_femto(file: FemtoFile, where: str = "femto file") -> CompiledData:
    """The program in a container: images up to the last used word, metadata as in ``metadata.yaml``.

    Besides the usual keys the metadata has ``femto`` (layout, producer, name, version, type, part, clock) and, if there
    are any, ``userdata`` (bytes). Raises ProgramError.
    """
    used = file.spu.used_cores
    cores = range(max(used, default=-1) + 1)
    memories: Memories = {core: {memory: _image(file, core, memory, where) for memory in MEMORIES} for core in cores}
    metadata: dict[str, Any] = {
        "data_bank_sizes": {core: _sizes(file, core, "DM") for core in cores},
        "table_bank_sizes": {core: _sizes(file, core, "TM") for core in cores},
        "inst_counts": {core: len(memories[core]["IM"][0]) for core in cores},
        **_variables(file, where),
        "encrypted": file.spu.key_index != NOT_ENCRYPTED,
    }
    if metadata["encrypted"]:
        metadata["encryption_key_index"] = file.spu.key_index
    metadata["femto"] = _provenance(file)
    if file.model.user_data:
        metadata["userdata"] = file.model.user_data
    data = CompiledData(metadata, memories)
    program_info(metadata, where)
    return data


def _provenance(file: FemtoFile) -> dict[str, Any]:
    return {
        "layout": file.layout,
        "producer": file.header.producer,
        "name": file.model.name,
        "version": file.model.version,
        "type": model_type_name(file.model.type_code, file.layout),
        "part": file.spu.part,
        "clock_mhz": file.spu.clock_mhz,
    }


def _sizes(file: FemtoFile, core: int, memory: str) -> dict[int, int]:
    banks = [bank for bank in file.spu.geometry.banks if bank.memory == memory]
    return {bank.index: len(file.banks.get((core, bank.name), ())) // 2 for bank in banks}


def _image(file: FemtoFile, core: int, memory: str, where: str) -> list[Words]:
    stride = DM_BANK_WORDS if memory == "DM" else TM_BANK_WORDS
    image = np.zeros(0, np.uint64)
    for bank in (bank for bank in file.spu.geometry.banks if bank.memory == memory):
        stored = file.banks.get((core, bank.name))
        if stored is None or not len(stored):
            continue
        words = join_words(stored, f"{where}: {bank.name} of core {core}")
        filler = np.zeros(bank.index * stride - len(image) if bank.index else 0, np.uint64)
        image = np.concatenate([image, filler, words])
    if memory == "IM" and file.spu.geometry.name == _PLANES and len(image) > IM_PLANE_WORDS:
        count = len(image) - IM_PLANE_WORDS
        return [image[:count], image[IM_PLANE_WORDS:]]
    return [image]


def _variables(file: FemtoFile, where: str) -> dict[str, Any]:
    """Records of inputs and outputs, and their padding where the layout knows it."""
    inputs = [vector for vector in file.model.vectors if vector.kind != "output"]
    outputs = [vector for vector in file.model.vectors if vector.kind == "output"]
    first = _records(inputs, "pc_val", file.layout == "A", where)
    second = _records(outputs, "mailbox_id", file.layout == "A", where)
    result: dict[str, Any] = {"inputs": first, "outputs": second}
    if file.layout != "A":
        result["fqir_input_padding"] = _paddings(inputs, first)
        result["fqir_output_padding"] = _paddings(outputs, second)
    return result


def _records(vectors: list[FemtoVector], parameter: str, fixed: bool, where: str) -> dict[str, dict[str, Any]]:
    """Layout A (``fixed``) has no usable ids, so its variables are counted per direction."""
    return {
        str(index if fixed else vector.id): {
            "core": vector.core,
            parameter: vector.parameter,
            "len_64b_words": _words(vector, where),
            "dtype": "V_D" if fixed else "V",
            "precision": PRECISION_NAMES[vector.bits],
        }
        for index, vector in enumerate(vectors)
    }


def _words(vector: FemtoVector, where: str) -> int:
    """64-bit words of a vector. Vendor files of 8-bit vectors may count the padded length in int16 units; that shows
    when the usable length is larger than the padded one."""
    if vector.usable <= vector.padded:
        return words_needed(vector.padded, vector.bits)
    words = -(-vector.padded // 4)
    if vector.bits == 8 and vector.usable <= 8 * words:
        return words
    raise ProgramError(
        f"{where}: vector {vector.id}: the padded length must be at least {vector.usable}, the usable one, "
        f"not {vector.padded}."
    )


def _paddings(vectors: list[FemtoVector], records: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    return {
        str(vector.id): {
            "fqir": vector.usable,
            "fasmir": records[str(vector.id)]["len_64b_words"] * elements_per_word(vector.bits),
        }
        for vector in vectors
    }
