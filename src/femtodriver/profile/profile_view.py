"""What of a profile is shown: grouped, sorted and cut, with what is left out as rows of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from femtodriver.profile.profile_choices import BYTES, CORE, CYCLES, ENERGY, LAYER, MACS, OPERATOR, ORDER, SATURATED
from femtodriver.profile.profile_rows import Profile, ProfileRow, summed

# The largest first, but for the order in which they run.
SORT_KEYS: dict[str, Callable[[ProfileRow], float]] = {
    ORDER: lambda row: 0,
    CYCLES: lambda row: -row.cycles,
    ENERGY: lambda row: -row.energy_j.typical,
    MACS: lambda row: -row.macs_executed,
    BYTES: lambda row: -row.moved,
    SATURATED: lambda row: -row.saturated,
}
NO_MODULE = "(no module)"


@dataclass(frozen=True)
class ProfileView:
    """Rows that are shown, of a profile grouped ``by`` one of ``GROUPINGS``.

    ``rows`` and ``rest`` (what ``top`` leaves out, None for nothing) add up to the total of the profile. ``folded``:
    layers that cost nothing, because other layers do their work or there is none. ``depth``: see ``view_of``.
    """

    profile: Profile
    by: str
    rows: tuple[ProfileRow, ...]
    rest: ProfileRow | None
    folded: tuple[ProfileRow, ...]
    depth: int | None = None


def view_of(
    profile: Profile, by: str = LAYER, sort: str = "order", top: int | None = None, depth: int | None = None
) -> ProfileView:
    """The profile as people want to see it.

    ``by``, ``sort``: of ``GROUPINGS``, ``SORTS``. ``top``: at most so many rows. ``depth``: how many parts of the path
    of a module count when rows are grouped by modules; None: all.
    """
    folded = tuple(row for row in profile.rows if row.is_idle)
    working = [row for row in profile.rows if not row.is_idle]
    rows = sorted(_grouped(profile, working, by, depth), key=SORT_KEYS[sort])
    cut = len(rows) if top is None else top
    rest = summed(f"(the other {len(rows) - cut})", "", rows[cut:]) if rows[cut:] else None
    return ProfileView(profile, by, tuple(rows[:cut]), rest, folded, depth)


def _grouped(profile: Profile, rows: Sequence[ProfileRow], by: str, depth: int | None) -> list[ProfileRow]:
    if by == LAYER:
        return list(rows)
    if by == CORE:
        return [_of_core(profile, rows, core) for core in range(len(profile.cores))]
    groups: dict[str, list[ProfileRow]] = {}
    for row in rows:
        groups.setdefault(row.op if by == OPERATOR else _module(row, depth), []).append(row)
    return [summed(name, name if by == OPERATOR else "", members) for name, members in groups.items()]


def _module(row: ProfileRow, depth: int | None) -> str:
    """The first parts of the path of the module that a row is in."""
    return ".".join(row.module.split(".")[:depth]) or NO_MODULE


def _of_core(profile: Profile, rows: Sequence[ProfileRow], core: int) -> ProfileRow:
    """What a core did."""
    mine = [row for row in rows if core in row.cores]
    whole = summed(f"core {core}", "", [replace(row, counts=row.per_core[core]) for row in mine])
    return replace(
        whole,
        cores=(core,),
        elements=0,
        energy_j=profile.core_energy_j[core],
        per_core={core: whole.counts},
        clipped_at=tuple(where for row in mine for where in row.clipped_at if where.core == core),
    )
