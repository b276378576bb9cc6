"""What metadata.yaml says of a program: how much of each memory is in use, and how its inputs and outputs travel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from femtodriver.compiler.backend.core_map import buffer_bytes
from femtodriver.compiler.backend.memory_images import data_bank_sizes, table_bank_sizes
from femtodriver.compiler.backend.symbolic_program import Fasmir
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.network_interface import Port
from femtodriver.part import Part

PRECISIONS = {8: "STD", 16: "DBL", 32: "QUAD"}


def program_metadata(
    fmir: Fmir, program: Fasmir, part: Part, pc: Mapping[str, int], inst_counts: Mapping[int, int]
) -> dict[str, Any]:
    """``pc``: where each thread begins; ``inst_counts``: instruction words of each core."""
    maps = program.maps
    return {
        "data_bank_sizes": {core: data_bank_sizes(maps[core], part) for core in inst_counts},
        "table_bank_sizes": {core: table_bank_sizes(fmir, maps[core], part) for core in inst_counts},
        "inst_counts": dict(inst_counts),
        "inputs": {
            port.name: _record(fmir, port, {"core": 0, "pc_val": pc[program.entries[port.name]]})
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
