"""FASMIR -> program: threads get addresses and numbers, names are replaced by them, instructions become words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from femtodriver.arrays import Words
from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.describe_program import describe
from femtodriver.compiler.backend.memory_images import data_memory_image, table_memory_image
from femtodriver.compiler.backend.program_metadata import program_metadata
from femtodriver.compiler.backend.symbolic_program import CodeLine, CoreCode, Fasmir, Label
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.isa import ControlInstruction, ElementInstruction, Instruction, TransferInstruction
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY, Description, LayerFate, SourceRange


@dataclass(frozen=True)
class _Addresses:
    """``pc``: where threads and labels begin; ``number``: the scoreboard entries of threads that wait for signals."""

    pc: Mapping[str, int]
    number: Mapping[str, int]


def link(fmir: Fmir, program: Fasmir, part: Part, fates: Mapping[int, LayerFate]) -> tuple[CompiledData, Description]:
    """The images of a program, and what it says about itself; CapacityError when instructions or threads do not fit.

    ``fates``: of the layers without instructions.
    """
    layouts = [_layout(code, part, program.layers) for code in program.cores]
    addresses = _Addresses(
        {name: pc for layout in layouts for name, pc in layout.pc.items()},
        {name: number for layout in layouts for name, number in layout.number.items()},
    )
    images: dict[int, dict[str, list[Words]]] = {}
    source_map: dict[int, list[SourceRange]] = {}
    for code in program.cores:
        places = program.maps[code.core]
        instructions, source_map[code.core] = _encode(code, addresses)
        waiting = [thread for thread in code.threads if thread.count is not None]
        images[code.core] = {
            "DM": [data_memory_image(fmir, places, part)],
            "TM": [table_memory_image(fmir, places, part)],
            "SB": [np.array([thread.count for thread in waiting], np.uint64)],
            "RQ": [np.zeros(0, np.uint64)],
            "PB": [np.array([addresses.pc[thread.name] for thread in waiting], np.uint64)],
            "IM": [instructions],
        }
    inst_counts = {core: len(memories["IM"][0]) for core, memories in images.items()}
    metadata = program_metadata(fmir, program, part, addresses.pc, inst_counts)
    description = describe(fmir, program, source_map, metadata, fates)
    metadata[KEY] = description.table()
    return CompiledData(metadata, images), description


def _layout(code: CoreCode, part: Part, layers: tuple[SourceLayer, ...]) -> _Addresses:
    """Thread after thread in instruction memory."""
    pcs: dict[str, int] = {}
    pc = 0
    for thread in code.threads:
        pcs[thread.name] = pc
        for line in thread.lines:
            if isinstance(line, Label):
                pcs[line.name] = pc
            else:
                pc += line.instruction.words
    if pc > part.im_words:
        lines = (line for thread in code.threads for line in thread.lines if isinstance(line, CodeLine))
        words = capacity_errors.layer_words((line.layer, line.instruction.words) for line in lines)
        raise capacity_errors.instruction_memory(part, code.core, words, pc, layers)
    waiting = [thread.name for thread in code.threads if thread.count is not None]
    if len(waiting) > part.threads:
        raise capacity_errors.threads(part, code.core, len(waiting))
    return _Addresses(pcs, {name: number for number, name in enumerate(waiting)})


def _encode(code: CoreCode, addresses: _Addresses) -> tuple[Words, list[SourceRange]]:
    """Instruction words, and which of them are whose: first word, end, layer of neighbours that a layer has made."""
    words: list[int] = []
    source_map: list[SourceRange] = []
    for line in (line for thread in code.threads for line in thread.lines if isinstance(line, CodeLine)):
        first = len(words)
        words += _resolved(line, addresses).encode()
        if line.layer is None:
            continue
        if source_map and source_map[-1][1:] == (first, line.layer):
            first = source_map.pop()[0]
        source_map.append((first, len(words), line.layer))
    return np.array(words, np.uint64), source_map


def _resolved(line: CodeLine, addresses: _Addresses) -> Instruction:
    """The instruction of a line with its target as a number: of a thread for a signal, else where something begins."""
    instruction = line.instruction
    if line.target is None:
        return instruction
    if isinstance(instruction, ControlInstruction) and instruction.spec.name == "signal":
        return replace(instruction, thread=addresses.number[line.target])
    if isinstance(instruction, (ControlInstruction, ElementInstruction, TransferInstruction)):
        return replace(instruction, target=addresses.pc[line.target])
    raise TypeError(f"{instruction.spec.name}: an instruction without a target field has no target.")
