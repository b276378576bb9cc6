"""FASMIR -> images: addresses for names, words for instructions, bank-by-bank memories, metadata and source map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray, Words
from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.core_map import CoreMap, buffer_bytes
from femtodriver.compiler.backend.describe_program import describe
from femtodriver.compiler.backend.symbolic_program import CodeLine, CoreCode, Fasmir, Label
from femtodriver.compiler.fmir.ir import Fmir, Port, SourceLayer
from femtodriver.isa import Instruction
from femtodriver.isa.limits import ELEMENT_BITS
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY, Description, SourceRange

PRECISIONS = {8: "STD", 16: "DBL", 32: "QUAD"}


@dataclass(frozen=True)
class _Addresses:
    """Where threads start and which scoreboard entry they have."""

    pc: Mapping[str, int]
    number: Mapping[str, int]


def link(fmir: Fmir, program: Fasmir, part: Part) -> tuple[CompiledData, Description]:
    """The images of a program, and what it says about itself; CapacityError when instructions or threads do not fit."""
    addresses = {code.core: _layout(code, part, program.layers) for code in program.cores}
    flat = _Addresses(
        {name: pc for entry in addresses.values() for name, pc in entry.pc.items()},
        {name: n for entry in addresses.values() for name, n in entry.number.items()},
    )
    images: dict[int, dict[str, list[Words]]] = {}
    maps: dict[int, list[SourceRange]] = {}
    for code in program.cores:
        words, maps[code.core] = _encode(code, flat)
        waiting = [thread for thread in code.threads if thread.count is not None]
        memory = program.maps[code.core]
        images[code.core] = {
            "DM": [_bank_order(_data_memory(fmir, memory, part), part)],
            "TM": [_table_image(fmir, memory, part)],
            "SB": [np.array([thread.count for thread in waiting], np.uint64)],
            "RQ": [np.zeros(0, np.uint64)],
            "PB": [np.array([flat.pc[thread.name] for thread in waiting], np.uint64)],
            "IM": [words],
        }
    metadata = _metadata(fmir, program, part, flat, images)
    description = describe(fmir, program, maps, metadata)
    metadata[KEY] = description.table()
    return CompiledData(metadata, images), description


def _layout(code: CoreCode, part: Part, layers: tuple[SourceLayer, ...]) -> _Addresses:
    pcs: dict[str, int] = {}
    numbers: dict[str, int] = {}
    pc = 0
    for thread in code.threads:
        pcs[thread.name] = pc
        for line in thread.lines:
            if isinstance(line, Label):
                pcs[line.name] = pc
            else:
                pc += line.instruction.words
        if thread.count is not None:
            numbers[thread.name] = len(numbers)
    if pc > part.im_words:
        lines = (line for thread in code.threads for line in thread.lines if isinstance(line, CodeLine))
        words = capacity_errors.layer_words((line.layer, line.instruction.words) for line in lines)
        raise capacity_errors.instruction_memory(part, code.core, words, pc, layers)
    if len(numbers) > part.threads:
        raise capacity_errors.threads(part, code.core, len(numbers))
    return _Addresses(pcs, numbers)


def _encode(code: CoreCode, addresses: _Addresses) -> tuple[Words, list[SourceRange]]:
    """Instruction words, and the source map."""
    words: list[int] = []
    source_map: list[SourceRange] = []
    for thread in code.threads:
        for line in thread.lines:
            if isinstance(line, Label):
                continue
            first = len(words)
            words += _resolved(line.instruction, line.target, addresses).encode()
            if line.layer is None:
                continue
            if source_map and source_map[-1][1:] == (first, line.layer):
                first = source_map.pop()[0]
            source_map.append((first, len(words), line.layer))
    return np.array(words, np.uint64), source_map


def _resolved(instruction: Instruction, target: str | None, addresses: _Addresses) -> Instruction:
    if target is None:
        return instruction
    if instruction.spec.name == "signal":
        return replace(instruction, thread=addresses.number[target])  # type: ignore[call-arg]
    return replace(instruction, target=addresses.pc[target])  # type: ignore[call-arg]


def _data_memory(fmir: Fmir, places: CoreMap, part: Part) -> Words:
    """Data memory of a core in address order, up to its last used word."""
    words = np.zeros(places.used_bytes // 8, np.uint64)
    elements: dict[int, AnyArray] = {bits: words.view(f"<i{bits // 8}") for bits in ELEMENT_BITS}
    for name, address in places.address.items():
        buffer = fmir.buffers[name]
        if buffer.init is not None:
            first = 8 * address // buffer.bits
            elements[buffer.bits][first : first + buffer.length] = buffer.init
    for name, (weights, mask) in places.packed.items():
        words[places.weights[name] : places.weights[name] + len(weights)] = weights
        words[places.masks[name] : places.masks[name] + len(mask)] = mask
    return words


def _bank_order(words: Words, part: Part) -> Words:
    """Address order -> bank by bank (even words of a pair in its first bank), cut after the last used bank word."""
    pair = 2 * part.dm_bank_words
    padded = np.zeros(-(-len(words) // pair) * pair, np.uint64)
    padded[: len(words)] = words
    return np.ascontiguousarray(padded.reshape(-1, part.dm_bank_words, 2).transpose(0, 2, 1)).reshape(-1)


def _bank_sizes(count: int, part: Part) -> dict[int, int]:
    """Used words of each bank when ``count`` words are used in address order."""
    sizes = {}
    for bank in range(part.dm_banks):
        first = bank // 2 * 2 * part.dm_bank_words
        inside = min(max(count - first, 0), 2 * part.dm_bank_words)
        sizes[bank] = (inside + 1 - bank % 2) // 2
    return sizes


def _table_image(fmir: Fmir, places: CoreMap, part: Part) -> Words:
    banks = np.zeros((part.tm_banks, part.tm_bank_words), np.uint64)
    for name, place in places.tables.items():
        values = fmir.tables[name].astype(np.int16).view(np.uint16)
        banks[place.bank : place.bank + (1 << place.ways), place.row : place.row + len(values)] = values
    return banks.reshape(-1) if places.tables else np.zeros(0, np.uint64)


def _table_sizes(fmir: Fmir, places: CoreMap, part: Part) -> dict[int, int]:
    sizes = dict.fromkeys(range(part.tm_banks), 0)
    for name, place in places.tables.items():
        for bank in range(place.bank, place.bank + (1 << place.ways)):
            sizes[bank] = max(sizes[bank], place.row + len(fmir.tables[name]))
    return sizes


def _metadata(
    fmir: Fmir, program: Fasmir, part: Part, addresses: _Addresses, images: Mapping[int, Mapping[str, list[Words]]]
) -> dict[str, Any]:
    maps = program.maps
    return {
        "data_bank_sizes": {core: _bank_sizes(maps[core].used_bytes // 8, part) for core in images},
        "table_bank_sizes": {core: _table_sizes(fmir, maps[core], part) for core in images},
        "inst_counts": {core: len(images[core]["IM"][0]) for core in images},
        "inputs": {
            port.name: _record(fmir, port, {"core": 0, "pc_val": addresses.pc[program.entries[port.name]]})
            for port in program.inputs
        },
        "outputs": {
            port.name: _record(fmir, port, {"core": 0, "mailbox_id": number})
            for number, port in enumerate(program.outputs)
        },
        "fqir_input_padding": {port.name: _padding(fmir, port) for port in program.inputs},
        "fqir_output_padding": {port.name: _padding(fmir, port) for port in program.outputs},
    }


def _record(fmir: Fmir, port: Port, where: dict[str, Any]) -> dict[str, Any]:
    buffer = fmir.buffers[port.buffer]
    precision = PRECISIONS[buffer.bits]
    return {**where, "len_64b_words": buffer_bytes(buffer) // 8, "dtype": f"V_{precision[0]}", "precision": precision}


def _padding(fmir: Fmir, port: Port) -> dict[str, int]:
    buffer = fmir.buffers[port.buffer]
    return {"fqir": port.length, "fasmir": buffer_bytes(buffer) * 8 // buffer.bits}
