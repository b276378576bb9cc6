"""The program in a ``.femto`` container: metadata and images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from femtodriver.arrays import Words
from femtodriver.errors import ProgramError
from femtodriver.program.femto.femto_records import FemtoVector, model_type_name
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.images import MEMORIES, Memories
from femtodriver.program.memory_map import DM_BANK_WORDS, IM_WORDS, TM_BANK_WORDS
from femtodriver.program.metadata import NOT_ENCRYPTED, PRECISION_NAMES, program_info
from femtodriver.program.packing import elements_per_word, join_words, words_needed

_PLANES = "SPU150"


def program_from_femto(file: FemtoFile, where: str = "femto file") -> tuple[dict[str, Any], Memories]:
    """Metadata, as in ``metadata.yaml``, and images up to the last used word.

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
    program_info(metadata, where)
    return metadata, memories


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
    if memory == "IM" and file.spu.geometry.name == _PLANES and len(image) > IM_WORDS:
        count = len(image) - IM_WORDS
        return [image[:count], image[IM_WORDS:]]
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
