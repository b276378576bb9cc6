"""What the part takes whether it works or not, over one input period: on, asleep or off, waking, clock, always-on.

The policy that is assumed (``docs/energy.md`` explains it):

* The time of one frame, inputs in the input buffer to all cores at rest, is the *active* time; what is left of the
  input period is the *pause*. A frame that takes longer than the period leaves no pause.
* Active: the logic of every used core is on, and so are its used banks, its instruction and table memory, and the PLL.
* Pause: each of these sleeps (memories in retention, since they hold weights, state and program; logic and PLL off) and
  is woken for the next frame, or stays on where that is cheaper or the pause is too short for waking. The typical
  figures decide, for all three corners alike.
* Cores and banks that the program does not use are off all the time. The always-on domain is on all the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from femtodriver.metrics.accounts import Item
from femtodriver.metrics.energy import Band, EnergyTable, add
from femtodriver.part import Part


@dataclass(frozen=True)
class CoreUse:
    """Whether a core runs anything, and how many of its data memory banks the program uses."""

    used: bool
    banks: int


@dataclass(frozen=True)
class Block:
    """All blocks of one kind, ``count`` of them: which rows they take, and what waking all of them costs in joules.

    ``asleep`` is None for what takes nothing in a pause. ``wake_row`` is the row that waking is charged to.
    """

    name: str
    account: str
    count: float
    on: str
    asleep: str | None
    wake_row: str
    wake: Band


@dataclass(frozen=True)
class Nap:
    """Whether one kind of block sleeps in the pause, and how long (seconds) a pause must be for that."""

    block: str
    sleeps: bool
    least_pause_s: float


@dataclass(frozen=True)
class Period:
    """One input period: its items but for events, seconds of work and pause, and how long waking takes (seconds)."""

    items: tuple[Item, ...]
    naps: tuple[Nap, ...]
    active_s: float
    pause_s: float
    wake_s: Band


def lock_joules(table: EnergyTable) -> Band:
    """Joules until the PLL has locked."""
    return table.value("pll_on").product(table.value("pll_lock"))


def memory_units(table: EnergyTable, part: Part) -> tuple[float, float]:
    """How much of a bank of the table one data bank is, and instruction and table memory of a core together."""
    bank = 8 * part.dm_bank_words / table.bank_bytes
    return bank, (8 * part.im_words + 2 * part.tm_banks * part.tm_bank_words) / table.bank_bytes


def used_memories(table: EnergyTable, part: Part, uses: Sequence[CoreUse]) -> float:
    """How many banks of the table the used memories are worth."""
    bank, other = memory_units(table, part)
    return sum(use.banks * bank + (other if use.used else 0.0) for use in uses)


def period_power(table: EnergyTable, part: Part, uses: Sequence[CoreUse], active_s: float, period_s: float) -> Period:
    """What the whole part takes in one input period of ``period_s`` seconds, but for events.

    A part that cannot keep the period works without a pause: a frame starts when the one before is done, and the period
    is as long as its ``active_s`` seconds.
    """
    pause_s = max(0.0, period_s - active_s)
    blocks = _blocks(table, part, uses)
    naps = tuple(_nap(table, block, pause_s) for block in blocks)
    items: list[Item] = []
    for block, nap in zip(blocks, naps, strict=True):
        items += _block_items(table, block, nap, active_s, pause_s)
    for account, row, count in _always(table, part, uses):
        watts = table.value(row).times(count)
        items.append(Item(account, "running", row, watts.times(active_s)))
        items.append(Item(account, "pause", row, watts.times(pause_s)))
    return Period(tuple(items), naps, active_s, pause_s, _wake_s(table, naps))


def _blocks(table: EnergyTable, part: Part, uses: Sequence[CoreUse]) -> list[Block]:
    """What may sleep in a pause, and is there at all."""
    memories, cores = used_memories(table, part, uses), sum(use.used for use in uses)
    wake_memory, wake_core = table.value("wake_retention"), table.value("wake_core")
    rows = [
        Block(
            "memories", "leakage", memories, "bank_on", "bank_retention", "wake_retention", wake_memory.times(memories)
        ),
        Block("logic", "leakage", cores, "logic_on", "logic_off", "wake_core", wake_core.times(cores)),
        Block("pll", "pll", min(cores, 1), "pll_on", None, "pll_lock", lock_joules(table)),
    ]
    return [block for block in rows if block.count]


def _nap(table: EnergyTable, block: Block, pause_s: float) -> Nap:
    asleep = table.value(block.asleep).typical if block.asleep else 0.0
    saved = (table.value(block.on).typical - asleep) * block.count
    # Waking takes as long as all of it needs: a pause is long enough for every block or for none.
    needed_s = table.value("wake_time").typical + table.value("pll_lock").typical
    least_s = max(block.wake.typical / saved, needed_s)
    return Nap(block.name, pause_s > least_s, least_s)


def _block_items(table: EnergyTable, block: Block, nap: Nap, active_s: float, pause_s: float) -> list[Item]:
    on = table.value(block.on).times(block.count)
    items = [Item(block.account, "running", block.on, on.times(active_s))]
    if not nap.sleeps:
        return [*items, Item(block.account, "pause", block.on, on.times(pause_s))]
    if block.asleep:
        watts = table.value(block.asleep).times(block.count)
        items.append(Item(block.account, "pause", block.asleep, watts.times(pause_s)))
    return [*items, Item("waking", "waking", block.wake_row, block.wake)]


def _always(table: EnergyTable, part: Part, uses: Sequence[CoreUse]) -> list[tuple[str, str, float]]:
    """What is the same all the time: (account, row, how many)."""
    bank, other = memory_units(table, part)
    unused = sum((part.dm_banks - use.banks) * bank + (0.0 if use.used else other) for use in uses)
    return [
        ("leakage", "bank_off", unused),
        ("leakage", "logic_off", sum(not use.used for use in uses)),
        ("always_on", "always_on_static", 1),
        ("always_on", "always_on_clocked", 1),
    ]


def _wake_s(table: EnergyTable, naps: Sequence[Nap]) -> Band:
    asleep = {nap.block for nap in naps if nap.sleeps}
    parts = [table.value("wake_time")] if asleep & {"memories", "logic"} else []
    return add([*parts, *([table.value("pll_lock")] if "pll" in asleep else [])])
