"""A profile as text: the cells of its table, and the lines below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from femtodriver.metrics.energy import Band, add
from femtodriver.metrics.text_cells import count_text, name_text, quantity, table_lines, tail_text, wrapped_lines
from femtodriver.profile.profile_choices import LAYER, OPERATOR
from femtodriver.profile.profile_columns import SHOWN, Column, PlainFigure, percent
from femtodriver.profile.profile_rows import OUTSIDE, Profile, ProfileRow
from femtodriver.profile.profile_view import ProfileView, view_of
from femtodriver.program.description import UNUSED, VIEW

LABEL_WIDTH, OPERATOR_WIDTH = 36, 14
_SEPARATOR = 2
_MOST_CLIPPED = 8


@dataclass(frozen=True)
class ProfileTable:
    """Texts of a table: the last row is the sum. ``left``: columns that are aligned to the left. ``omitted``: titles
    of the columns for which there was no room."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: tuple[int, ...]
    omitted: tuple[str, ...]


def profile_text(view: ProfileView) -> str:
    """The whole profile as plain text, as wide as it needs."""
    table = profile_table(view)
    return "\n".join([title(view), *table_lines(table.head, table.rows, table.left), *notes(view, table)])


def title(view: ProfileView) -> str:
    """What the table shows."""
    profile = view.profile
    frames = "1 frame" if profile.frames == 1 else f"{profile.frames:,} frames"
    return f"Profile    by {view.by}, mean of {frames}: busy cycles and joules of the work of a frame"


def profile_table(view: ProfileView, width: int | None = None) -> ProfileTable:
    """The table in at most so many characters, if columns can be left out; None: all columns."""
    rows = [*view.rows, *([view.rest] if view.rest is not None else [])]
    cells = {column: _cells(view, column, rows) for column in SHOWN if not _is_empty(view, column, rows)}
    kept = list(cells)
    while width is not None and _width([cells[column] for column in kept]) > width and any(one.rank for one in kept):
        kept.remove(max(kept, key=lambda column: column.rank))
    return ProfileTable(
        tuple(view.by if column.key == "label" else column.title for column in kept),
        tuple(zip(*(cells[column] for column in kept), strict=True)),
        tuple(place for place, column in enumerate(kept) if column.left),
        tuple(column.title for column in cells if column not in kept),
    )


def notes(view: ProfileView, table: ProfileTable) -> list[str]:
    """What stands below the table."""
    lines = []
    if table.omitted:
        lines += wrapped_lines("", f"no room for: {', '.join(table.omitted)}; --profile-file FILE.csv has everything")
    if view.by == LAYER:
        lines += [*_operators(view.profile), *_folded(view)]
    return [*lines, *_clipped(view.profile), *_cores(view.profile), *_outside(view.profile)]


def _is_empty(view: ProfileView, column: Column, rows: Sequence[ProfileRow]) -> bool:
    """Whether a column says nothing of any row: there are no places in groups, and perhaps nobody waited."""
    keyed = {"place": view.by != LAYER, "operator": view.by != LAYER, "cores": view.by == "core"}
    if column.key in keyed:
        return keyed[column.key]
    return column.key == "waited" and not any(column.figure(view.profile, row) for row in rows)


def _cells(view: ProfileView, column: Column, rows: Sequence[ProfileRow]) -> list[str]:
    figures = [column.figure(view.profile, row) for row in rows]
    return [*(_cell(column, figure) for figure in figures), _sum_cell(view.profile, column)]


def _cell(column: Column, figure: PlainFigure) -> str:
    if column.key == "label":
        return tail_text(str(figure), LABEL_WIDTH)
    return name_text(column.text(figure), OPERATOR_WIDTH) if column.key == "operator" else column.text(figure)


def _sum_cell(profile: Profile, column: Column) -> str:
    if column.key in ("place", "operator", "cores"):
        return ""
    return "sum" if column.key == "label" else column.text(column.figure(profile, profile.total))


def _width(columns: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, cells), default=0) + _SEPARATOR for cells in columns)


def _operators(profile: Profile) -> list[str]:
    rows = view_of(profile, OPERATOR, "cycles").rows
    parts = (
        f"{name_text(row.op, OPERATOR_WIDTH)} {percent(row.cycles / profile.busy)} %" for row in rows if row.cycles
    )
    return wrapped_lines("Operators", ", ".join(parts) + " of the cycles") if profile.busy else []


def _folded(view: ProfileView) -> list[str]:
    """Layers that cost nothing, in words: into what they are fused, or why there is nothing to do."""
    groups: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    for row in view.folded:
        how = row.fate.how if row.fate else ""
        groups.setdefault((how, row.fate.into if row.fate else ()), []).append(row.place or 0)
    if not groups:
        return []
    parts = (f"{ranges(places)} {_fate_text(how, into, len(places))}" for (how, into), places in groups.items())
    count = len(view.folded)
    head = f"{count} layer{' costs' if count == 1 else 's cost'} nothing: "
    return wrapped_lines("Folded", head + "; ".join(parts))


def _fate_text(how: str, into: Sequence[int], count: int) -> str:
    one = count == 1
    if not how:
        return "was not run" if one else "were not run"
    if how == UNUSED:
        return "is not needed" if one else "are not needed"
    if how == VIEW:
        verb = "needs" if one else "need"
        return f"{verb} no work (value{'' if one else 's'} of {ranges(into)})" if into else f"{verb} no work"
    return f"into {ranges(into)}" if into else "into other layers"


def ranges(places: Sequence[int]) -> str:
    """``2, 5-9``: ascending numbers with runs of at least three as ranges."""
    runs: list[list[int]] = []
    for place in sorted(places):
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > _SEPARATOR else ", ".join(map(str, run)) for run in runs)


def _clipped(profile: Profile) -> list[str]:
    """Where elements are clipped: the layers that clip most, with their instructions."""
    rows = sorted((row for row in profile.rows if row.saturated), key=lambda row: -row.saturated)
    if not rows:
        return ["Clipped    no element in this run"]
    shown = [_clipped_text(profile, row) for row in rows[:_MOST_CLIPPED]]
    more = len(rows) - len(shown)
    text = f"{count_text(profile.per_frame(profile.total.saturated))} elements a frame: {'; '.join(shown)}"
    return wrapped_lines("Clipped", text + (f"; and {more} more layers" if more > 0 else ""))


def _clipped_text(profile: Profile, row: ProfileRow) -> str:
    """``# 20 gru rnn.py:435 (%x.25): 12.5 (core 0 pc 31)``."""
    places = ", ".join(f"core {place.core} pc {place.pc}" for place in row.clipped_at[:_SEPARATOR])
    more = len(row.clipped_at) - _SEPARATOR
    number = "" if row.place is None else f"#{row.place} "
    value = f" ({name_text(row.value)})" if row.value and row.value not in row.label else ""
    label = f"{number}{tail_text(row.label, LABEL_WIDTH)}{value}"
    where = f"{places}{f' and {more} more' if more > 0 else ''}"
    return f"{label} {count_text(profile.per_frame(row.saturated))} ({where})"


def _cores(profile: Profile) -> list[str]:
    """Busy and waiting cycles of the cores, which add up to the elapsed ones."""
    texts = []
    for number, core in enumerate(profile.cores):
        waiting = ", ".join(
            f"{count_text(profile.per_frame(count))} {_CAUSES.get(cause, cause)}"
            for cause, count in core.waiting.items()
            if count
        )
        busy = f"core {number} {count_text(profile.per_frame(core.busy))} busy"
        texts.append(f"{busy}, {waiting}" if waiting else busy)
    return wrapped_lines("Cores", f"{count_text(profile.per_frame(profile.elapsed))} cycles: {'; '.join(texts)}")


_CAUSES = {"message": "waiting for messages", "dependency": "waiting for signals", "idle": "idle"}


def _outside(profile: Profile) -> list[str]:
    whole = add([profile.energy_j, *profile.outside.values()]).typical
    parts = (f"{OUTSIDE[account].strip('()')} {quantity(band.typical, 'J')}" for account, band in _by_size(profile))
    text = f"{quantity(whole, 'J')} in a period, of which no layer has {', '.join(parts)}"
    return wrapped_lines("Energy", text) if profile.outside else []


def _by_size(profile: Profile) -> Iterator[tuple[str, Band]]:
    yield from sorted(profile.outside.items(), key=lambda entry: -entry[1].typical)
