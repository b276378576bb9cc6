"""What the loop is told of a part when a chip is made, as numbers in the order of ``Settings`` of ``records.hpp``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.isa import cycles
from femtodriver.isa.limits import BASE_REGISTER_BITS, BASE_REGISTERS, INTERPOLATION_ADDRESS_BITS
from femtodriver.machine.core import BASE_POISON, POISON
from femtodriver.machine.run_budget import MESSAGE_WORDS, SLICE_INSTRUCTIONS
from femtodriver.part import Part


@dataclass(frozen=True)
class _Settings:
    lanes: int
    banks: int
    bank_words: int
    acc_elements: int
    table_words: int
    message_latency: int
    router_words: int
    base_bits: int = BASE_REGISTER_BITS
    base_registers: int = BASE_REGISTERS
    line_bits: int = INTERPOLATION_ADDRESS_BITS
    control: int = cycles.CONTROL
    branch_taken: int = cycles.BRANCH_TAKEN
    thread_switch: int = cycles.THREAD_SWITCH
    start_vector: int = cycles.START_VECTOR
    start_matrix: int = cycles.START_MATRIX
    table_ports: int = cycles.TABLE_PORTS
    slice: int = SLICE_INSTRUCTIONS
    message_cost: int = MESSAGE_WORDS
    # The loop is told these before it runs.
    max_instructions: int = 0
    max_elements: int = 0
    max_words: int = 0
    check_state: int = 0
    poison: int = POISON
    base_poison: int = BASE_POISON
    narrow: bool = True


SETTINGS = len(fields(_Settings))


def settings_of(part: Part, *, narrow: bool = True) -> Int64Array:
    """The numbers for a part, shape (``SETTINGS``,). ``narrow``: whether to work in 32 bits where numbers fit."""
    made = _Settings(
        lanes=part.lanes,
        banks=part.dm_banks,
        bank_words=part.dm_bank_words,
        acc_elements=part.acc_rows * part.lanes,
        table_words=part.tm_bank_words,
        message_latency=part.message_latency,
        router_words=part.router_words,
        narrow=narrow,
    )
    return np.array(list(asdict(made).values()), np.int64)
