"""What joules are spent for: one item per row of the energy table, account and state of the part; and sums of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from femtodriver.metrics.energy import KINDS, Band, EnergyTable, add

# account -> what it is for. Power is the sum of these, and reports show each on a line of its own.
ACCOUNTS: dict[str, str] = {
    "dynamic": "instructions at work",
    "link": "words to and from the host, both ends",
    "leakage": "memories and logic: on, asleep or off",
    "waking": "memories, logic and PLL, once a frame",
    "pll": "clock multiplier while it runs",
    "always_on": "what is never switched off",
}
STATES = ("running", "waking", "pause")


@dataclass(frozen=True)
class Item:
    """Joules charged to one row of the table, for one account, while the part is in one state."""

    account: str
    state: str
    row: str
    joules: Band


def total(items: Iterable[Item]) -> Band:
    """Sum of the joules of all items."""
    return add(item.joules for item in items)


def by_account(items: Iterable[Item]) -> dict[str, Band]:
    """Joules of each account, in the order of ``ACCOUNTS``; zero where nothing was charged."""
    known = list(items)
    return {account: total(item for item in known if item.account == account) for account in ACCOUNTS}


def by_state(items: Iterable[Item]) -> dict[str, Band]:
    """Joules of each state, in the order of ``STATES``."""
    known = list(items)
    return {state: total(item for item in known if item.state == state) for state in STATES}


def by_row(items: Iterable[Item]) -> dict[tuple[str, str], Band]:
    """Joules of each (account, row) that was charged with any, in the order of the items."""
    sums: dict[tuple[str, str], list[Band]] = {}
    for item in items:
        if item.joules.high:
            sums.setdefault((item.account, item.row), []).append(item.joules)
    return {key: add(bands) for key, bands in sums.items()}


def shares_by_kind(items: Iterable[Item], table: EnergyTable) -> dict[str, float]:
    """How much of the typical joules comes from rows of each kind, from 0 to 1; all zero where there are none."""
    known = list(items)
    whole = total(known).typical
    parts = {kind: total(item for item in known if table.rows[item.row].kind == kind).typical for kind in KINDS}
    return {kind: part / whole if whole else 0.0 for kind, part in parts.items()}
