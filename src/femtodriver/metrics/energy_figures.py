"""The parts of the metrics document that are joules and watts: by account, state, component, core, kind and row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from femtodriver.metrics.accounts import (
    Item,
    by_account,
    by_row,
    by_state,
    shares_by_kind,
    total,
)
from femtodriver.metrics.energy import Band, EnergyTable, add
from femtodriver.metrics.events import LINK, event_items, joules, joules_by_component
from femtodriver.metrics.power import CoreUse, Period, lock_joules, period_power, used_memories
from femtodriver.metrics.run_totals import Run, band_of, digits
from femtodriver.program.description import CoreMemory

JOULES_PER_MWH = 3.6
WORD_BITS, TABLE_WORD_BITS = 64, 16


@dataclass(frozen=True)
class PeriodEnergy:
    """All that one input period takes: the items, and what the power model says about work, pause and waking."""

    items: tuple[Item, ...]
    period: Period

    @property
    def seconds(self) -> float:
        """The input period, or the mean time of a frame if that is longer."""
        return self.period.active_s + self.period.pause_s

    def watts(self, band: Band) -> dict[str, float]:
        """Joules per period as watts."""
        return band_of(band.times(1 / self.seconds))


def energy_figures(run: Run, battery_mwh: float | None) -> dict[str, Any]:
    """All entries of the document about energy, in its order. ``battery_mwh``: capacity of a battery, or None."""
    whole = period_energy(run, run.part.clock_hz)
    return {
        "energy_j": _energy(run, whole),
        "power_w": _power(whole),
        "power_kinds": _kinds(whole, run.table),
        "duty": _duty(whole, run.table),
        "lowest_clock": _lowest_clock(run),
        "start_up": _start_up(run),
        "battery": _battery(whole, battery_mwh),
        "energy_rows": _rows(whole, run.table),
    }


def layer_joules(run: Run, counts: Mapping[str, int]) -> dict[str, float]:
    """Joules per frame of the part's own work in one layer."""
    return _per_frame(run, joules(counts, run.table))


def frame_joules(run: Run) -> Band:
    """Joules per frame of the part's own work."""
    return joules(run.all_counts, run.table).times(1 / run.frames)


def period_watts(run: Run) -> Band:
    """Watts of everything over the input period, at the clock of the part."""
    whole = period_energy(run, run.part.clock_hz)
    return total(whole.items).times(1 / whole.seconds)


def _per_frame(run: Run, band: Band) -> dict[str, float]:
    return band_of(band.times(1 / run.frames))


def period_energy(run: Run, clock_hz: float) -> PeriodEnergy:
    """What one input period of a run takes, at this clock."""
    active_s = run.active_cycles / clock_hz
    uses = [CoreUse(used, banks) for used, banks in run.core_uses()]
    period = period_power(run.table, run.part, uses, active_s, run.period_s)
    events = event_items(run.all_counts, run.table)
    per_frame = [replace(item, joules=item.joules.times(1 / run.frames)) for item in events]
    return PeriodEnergy((*per_frame, *period.items), period)


def _energy(run: Run, whole: PeriodEnergy) -> dict[str, object]:
    components = joules_by_component(run.all_counts, run.table)
    return {
        "total": _per_frame(run, joules(run.all_counts, run.table)),
        "by_component": {name: _per_frame(run, band) for name, band in components.items()},
        "by_core": [_per_frame(run, joules(counts, run.table)) for counts in run.counts],
        "link": band_of(by_account(whole.items)[LINK]),
        "period": band_of(total(whole.items)),
    }


def _power(whole: PeriodEnergy) -> dict[str, dict[str, float]]:
    accounts = {account: whole.watts(band) for account, band in by_account(whole.items).items()}
    return {"total": whole.watts(total(whole.items)), **accounts}


def _kinds(whole: PeriodEnergy, table: EnergyTable) -> dict[str, dict[str, float]]:
    """Per account, the share of the typical figure that comes from rows of each kind."""
    accounts = {"total": whole.items} | {
        account: tuple(item for item in whole.items if item.account == account) for account in by_account(())
    }
    return {
        account: {kind: digits(share) for kind, share in shares_by_kind(items, table).items()}
        for account, items in accounts.items()
    }


def _duty(whole: PeriodEnergy, table: EnergyTable) -> dict[str, object]:
    period, states = whole.period, by_state(whole.items)
    crystal = {"energy_j": band_of(table.value("crystal_start")), "time_s": band_of(table.value("crystal_time"))}
    return {
        "running": {"time_s": digits(period.active_s), "power_w": _watts(states["running"], period.active_s)},
        "waking": {"time_s": band_of(period.wake_s), "energy_j": band_of(states["waking"])},
        "pause": {"time_s": digits(period.pause_s), "power_w": _watts(states["pause"], period.pause_s)},
        "sleep": {nap.block: {"sleeps": nap.sleeps, "least_pause_s": digits(nap.least_pause_s)} for nap in period.naps},
        "not_charged": {"crystal_start": crystal},
    }


def _watts(band: Band, seconds: float) -> dict[str, float] | None:
    return band_of(band.times(1 / seconds)) if seconds else None


def _lowest_clock(run: Run) -> dict[str, object]:
    """The slowest clock, in whole hertz, at which the slowest frame still fits the period, and the power there."""
    hertz = max(1, math.ceil(run.report.frame_cycles.most / run.period_s))
    slow = period_energy(run, hertz)
    return {"clock_hz": hertz, "power_w": slow.watts(total(slow.items))}


def _start_up(run: Run) -> dict[str, object] | None:
    """What loading the program takes once: the link, writing the memories, waking what was off. None if not known."""
    if run.description is None:
        return None
    memories = [memory for number in range(run.part.cores) if (memory := run.core_memory(number))]
    data = sum(map(_loaded_data_words, memories))
    instructions = sum(memory.im_used_words for memory in memories)
    tables = sum(memory.tm_used_words for memory in memories)
    bits = WORD_BITS * (data + instructions) + TABLE_WORD_BITS * tables
    uses = [CoreUse(used, banks) for used, banks in run.core_uses()]
    table = run.table
    work = (
        table.value("bank_write").times(data),
        table.value("small_write").times(instructions + tables),
        table.value("wake_off").times(used_memories(table, run.part, uses)),
        table.value("wake_core").times(sum(use.used for use in uses)),
        lock_joules(table),
    )
    link = table.value("spi_bit").times(bits)
    return {
        "bytes": bits // 8,
        "energy_j": band_of(add((*work, link))),
        "link_j": band_of(link),
        "link_s": digits(bits / WORD_BITS * run.part.link_word_s),
    }


def _loaded_data_words(memory: CoreMemory) -> int:
    return -(-(memory.weights + memory.indices + memory.constants + memory.state) // (WORD_BITS // 8))


def _battery(whole: PeriodEnergy, capacity_mwh: float | None) -> dict[str, object] | None:
    """Hours that a battery lasts if the part is all that it feeds; ``low`` is the shortest, at the high power."""
    if capacity_mwh is None:
        return None
    power = total(whole.items).times(1 / whole.seconds)
    hours = [capacity_mwh * JOULES_PER_MWH / watts / 3600 for watts in (power.high, power.typical, power.low)]
    return {"capacity_mwh": digits(capacity_mwh), "life_h": band_of(Band(*hours))}


def _rows(whole: PeriodEnergy, table: EnergyTable) -> list[dict[str, object]]:
    """Every row that was charged, by account: joules of one period, kind and source."""
    charged = by_row(whole.items)
    accounts: Sequence[str] = list(by_account(()))
    ordered = sorted(charged.items(), key=lambda entry: accounts.index(entry[0][0]))
    return [
        {
            "account": account,
            "row": row,
            "energy_j": band_of(joules_),
            "kind": table.rows[row].kind,
            "source": table.rows[row].source,
        }
        for (account, row), joules_ in ordered
    ]
