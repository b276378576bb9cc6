"""Which row of the energy table an event of the machine is charged to. This is the only place that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.metrics.energy import Band, EnergyTable, add


@dataclass(frozen=True)
class Charge:
    """One event costs ``units`` times the row; reports sum it under ``component``."""

    row: str
    component: str
    units: int = 1


HOST_WORD_BITS = 64

CHARGES: dict[str, Charge] = {
    "cycles": Charge("core_cycle", "core_cycles"),
    "instructions": Charge("decode", "fetch_decode"),
    "im_read": Charge("small_read", "instruction_memory"),
    "dm_read": Charge("bank_read", "data_memory_read"),
    "dm_write": Charge("bank_write", "data_memory_write"),
    # The table has no row for a 16-bit word, so one is charged as a whole 64-bit access: never too little.
    "tm_read": Charge("small_read", "table_memory"),
    "acc_read": Charge("accumulator", "accumulators"),
    "acc_write": Charge("accumulator", "accumulators"),
    "alu": Charge("alu", "alu"),
    "mac_8x8": Charge("mac_8x8", "macs"),
    "mac_8x16": Charge("mac_8x16", "macs"),
    "mac_16x16": Charge("mac_16x16", "macs"),
    "index_group": Charge("sparse_index", "sparse_index"),
    "thread_switch": Charge("thread_switch", "threads"),
    "message_word": Charge("message_word", "messages"),
    "host_word": Charge("pad_bit", "host_link", HOST_WORD_BITS),
}

# Events that cost nothing of their own, and why.
NOT_ENERGY: dict[str, str] = {
    "matrix_dense": "work of an imagined dense matrix",
    "matrix_stored": "work of an imagined run without zero activations",
    "matrix_executed": "the same multiplications are charged as mac_*",
    "activation": "the scan is charged as dm_read and cycles",
    "activation_live": "the scan is charged as dm_read and cycles",
    "saturated": "part of the store that is charged as alu",
    "message": "charged per word, headers included",
    "host_message": "charged per word, headers included",
}

# Rows that no event is charged to, and why they are in the table.
ROWS_WITHOUT_EVENT: dict[str, str] = {
    "small_write": "table and instruction memory are written at load time only, outside the frames",
    "lookup": "the machine does a look-up with interpolation by instructions, which are charged one by one",
    "bank_on": "power model",
    "bank_retention": "power model",
    "bank_off": "power model",
    "logic_on": "power model",
    "logic_off": "power model",
    "always_on": "power model",
    "wake_retention": "power model",
    "wake_off": "banks that are off stay off: they hold nothing",
    "wake_core": "power model",
}

COMPONENTS: tuple[str, ...] = tuple(dict.fromkeys(charge.component for charge in CHARGES.values()))


def joules_by_component(counts: Mapping[str, int], table: EnergyTable) -> dict[str, Band]:
    """Joules of these event counts for every component, in the order of ``COMPONENTS``; zero where nothing happened."""
    parts: dict[str, list[Band]] = {component: [] for component in COMPONENTS}
    for event, charge in CHARGES.items():
        count = counts.get(event, 0)
        if count:
            parts[charge.component].append(table.value(charge.row).times(count * charge.units))
    return {component: add(bands) for component, bands in parts.items()}


def joules(counts: Mapping[str, int], table: EnergyTable) -> Band:
    """Joules of these event counts: the sum of count times row over all events."""
    return add(joules_by_component(counts, table).values())
