"""Which row of the energy table an event of the machine is charged to. This is the only place that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.metrics.accounts import Item, total
from femtodriver.metrics.energy import Band, EnergyTable, add

HOST_WORD_BITS = 64
LINK = "link"


@dataclass(frozen=True)
class Charge:
    """One event costs ``units`` times the row; reports sum it under ``component``.

    The component ``link`` is an account of its own, because most of it is not spent inside the part.
    """

    row: str
    component: str
    units: int = 1


CHARGES: dict[str, Charge] = {
    "cycles": Charge("core_cycle", "core_cycles"),
    "instructions": Charge("decode", "decode"),
    "im_read": Charge("im_read", "instruction_memory"),
    "dm_read": Charge("bank_read", "data_memory_read"),
    "dm_write": Charge("bank_write", "data_memory_write"),
    "tm_read": Charge("tm_read", "table_memory"),
    "acc_read": Charge("accumulator_read", "accumulators"),
    "acc_write": Charge("accumulator_write", "accumulators"),
    "alu": Charge("alu", "alu"),
    "mac_8x8": Charge("mac_8x8", "macs"),
    "mac_8x16": Charge("mac_8x16", "macs"),
    "mac_16x16": Charge("mac_16x16", "macs"),
    "index_group": Charge("sparse_index", "sparse_index"),
    "thread_switch": Charge("thread_switch", "threads"),
    "message_word": Charge("message_word", "messages"),
    "host_word": Charge("spi_bit", LINK, HOST_WORD_BITS),
}

# Events that cost nothing of their own, and why.
NOT_ENERGY: dict[str, str] = {
    "matrix_dense": "work of an imagined dense matrix",
    "matrix_stored": "work of an imagined run without zero activations",
    "matrix_executed": "the same multiplications are charged as mac_*",
    "activation": "the scan is charged as dm_read and cycles",
    "activation_live": "the scan is charged as dm_read and cycles",
    "saturated": "part of the store that is charged as alu",
    "wait_message": "a core that waits has its clock gated; what it leaks is in the power model",
    "wait_dependency": "a core that waits has its clock gated; what it leaks is in the power model",
    "message": "charged per word, headers included",
    "host_message": "charged per word, headers included",
}

# Rows that no event is charged to, and what uses them instead.
ROWS_WITHOUT_EVENT: dict[str, str] = {
    "small_write": "start-up: table and instruction memory are written when the program is loaded",
    "bank_on": "power model",
    "bank_retention": "power model",
    "bank_off": "power model",
    "logic_on": "power model",
    "logic_off": "power model",
    "always_on_static": "power model",
    "always_on_clocked": "power model",
    "pll_on": "power model",
    "pll_lock": "power model",
    "wake_time": "power model",
    "wake_retention": "power model",
    "wake_core": "power model",
    "wake_off": "start-up: banks that are off hold nothing, so they are woken only before the program is loaded",
    "crystal_start": "what-if figures: whether there is such a crystal is not known",
    "crystal_time": "what-if figures: whether there is such a crystal is not known",
}

COMPONENTS: tuple[str, ...] = tuple(
    dict.fromkeys(charge.component for charge in CHARGES.values() if charge.component != LINK)
)


def event_items(counts: Mapping[str, int], table: EnergyTable) -> list[Item]:
    """What these event counts cost: one item per event that occurred, account ``link`` or ``dynamic``."""
    return [
        Item(
            LINK if charge.component == LINK else "dynamic",
            "running",
            charge.row,
            table.value(charge.row).times(counts[event] * charge.units),
        )
        for event, charge in CHARGES.items()
        if counts.get(event, 0)
    ]


def joules_by_component(counts: Mapping[str, int], table: EnergyTable) -> dict[str, Band]:
    """Joules of the part's own work for every component, in the order of ``COMPONENTS``; zero without events."""
    parts: dict[str, list[Band]] = {component: [] for component in COMPONENTS}
    for event, charge in CHARGES.items():
        count = counts.get(event, 0)
        if count and charge.component != LINK:
            parts[charge.component].append(table.value(charge.row).times(count * charge.units))
    return {component: add(bands) for component, bands in parts.items()}


def joules(counts: Mapping[str, int], table: EnergyTable) -> Band:
    """Joules of the part's own work: count times row, summed over all events but those of the link."""
    return total(item for item in event_items(counts, table) if item.account != LINK)
