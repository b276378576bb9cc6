"""Leakage over one input period: which blocks are on, asleep or off, and for how long.

The policy that is assumed (``docs/metrics.md`` tells it to users):

* The time of one frame, first input word in to all cores at rest, is the *active* time; what is left of the input
  period is the *idle* time. A frame that takes longer than the period leaves no idle time.
* Active: the logic of every used core is on, and so are its used banks and its instruction and table memory.
* Idle: each of these sleeps (memories in retention, since they hold weights, state and program; logic off) and is woken
  for the next frame, or stays on if that is cheaper. The typical figures decide, for all three corners alike.
* Cores and banks that the program does not use are off all the time. The always-on domain is on all the time.

Waking is counted here and not with the dynamic energy, because it is the price of leaking less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from femtodriver.metrics.energy import Band, EnergyTable, add
from femtodriver.part import Part


@dataclass(frozen=True)
class CoreUse:
    """Whether a core runs anything, and how many of its data memory banks the program uses."""

    used: bool
    banks: int


def idle_joules(on: Band, asleep: Band, wake: Band, idle_s: float) -> Band:
    """Joules of one block over ``idle_s`` seconds: asleep and woken once, or on if that is cheaper (watts, joules)."""
    stay = on.times(idle_s)
    sleep = add((asleep.times(idle_s), wake))
    return sleep if sleep.typical < stay.typical else stay


def leakage_joules(table: EnergyTable, part: Part, uses: Sequence[CoreUse], active_s: float, period_s: float) -> Band:
    """Joules that the whole part leaks in one input period of ``period_s`` >= ``active_s`` seconds, wakes included."""
    idle_s = max(0.0, period_s - active_s)
    bank = 8 * part.dm_bank_words / table.bank_bytes
    other = (8 * part.im_words + 2 * part.tm_banks * part.tm_bank_words) / table.bank_bytes
    on, retention, off = (table.value(row) for row in ("bank_on", "bank_retention", "bank_off"))
    per_memory = add((on.times(active_s), idle_joules(on, retention, table.value("wake_retention"), idle_s)))
    logic = table.value("logic_on")
    per_logic = add(
        (logic.times(active_s), idle_joules(logic, table.value("logic_off"), table.value("wake_core"), idle_s))
    )
    terms = [table.value("always_on").times(active_s + idle_s)]
    for use in uses:
        unused = (part.dm_banks - use.banks) * bank + (0.0 if use.used else other)
        terms.append(off.times(unused * (active_s + idle_s)))
        terms.append(per_memory.times(use.banks * bank + (other if use.used else 0.0)))
        terms.append(per_logic if use.used else table.value("logic_off").times(active_s + idle_s))
    return add(terms)
