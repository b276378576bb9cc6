"""A profile as text: the cells of its table, and the lines below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from femtodriver.metrics.energy import Band, add
from femtodriver.metrics.spreadsheet_cells import PlainCell
from femtodriver.metrics.text_cells import count_text, name_text, quantity, table_lines, tail_text, wrapped_lines
from femtodriver.profile.profile_choices import LAYER, OPERATOR
from femtodriver.profile.profile_columns import SHOWN, Column, percent
from femtodriver.profile.profile_rows import OUTSIDE, Profile, ProfileRow
from femtodriver.profile.profile_view import ProfileView, view_of
from femtodriver.program.description import UNUSED, VIEW

LABEL_WIDTH, SHORT_LABEL_WIDTH, LEAST_LABEL_WIDTH, OPERATOR_WIDTH = 36, 24, 16, 14
_KEPT_BEFORE_LABELS = 3
_SEPARATOR = 2
_MOST_CLIPPED = 8
_MOST_PLACES = 2
_SHORTEST_RANGE = 3
_MOST_FOLDED = 12


@dataclass(frozen=True)
class ProfileTable:
    """Texts of a table: the last row is the sum.

    ``width``: characters in a line. ``left``: columns that are aligned to the left. ``omitted``: keys of the columns
    for which there was no room.
    """

    width: int
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
    """The table in at most so many characters, as far as columns can be left out and labels cut; None: all of it."""
    rows = [*view.rows, *([view.rest] if view.rest is not None else [])]
    total = view.profile.total
    cells = {column: _cells(view, column, rows, total) for column in SHOWN if not _is_empty(view, column, rows)}
    kept = list(cells) if width is None else _fitting(cells, width)
    return ProfileTable(
        _width(cells[column] for column in kept),
        tuple(cells[column][0] for column in kept),
        tuple(zip(*(cells[column][1:] for column in kept), strict=True)),
        tuple(place for place, column in enumerate(kept) if column.left),
        tuple(column.key for column in cells if column not in kept),
    )


def _fitting(cells: dict[Column, list[str]], width: int) -> list[Column]:
    """The columns for which there is room; cuts the labels where they are too long for it.

    Columns that matter less go first, then labels are cut to ``SHORT_LABEL_WIDTH``, then others go.
    """
    label = next(column for column in cells if column.key == "label")
    longest = max(map(len, cells[label]))
    kept = list(cells)
    while (rank := max(column.rank for column in kept)) > 0:
        spare = max(longest - SHORT_LABEL_WIDTH, 0) if rank <= _KEPT_BEFORE_LABELS else 0
        if _width(cells[column] for column in kept) - spare <= width:
            break
        kept.remove(max(kept, key=lambda column: column.rank))
    excess = max(_width(cells[column] for column in kept) - width, 0)
    cells[label] = [tail_text(text, max(longest - excess, LEAST_LABEL_WIDTH)) for text in cells[label]]
    return kept


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


def _cells(view: ProfileView, column: Column, rows: Sequence[ProfileRow], total: ProfileRow) -> list[str]:
    """The title, a cell for each row, and the sum."""
    head = view.by if column.key == "label" else column.title
    figures = [column.figure(view.profile, row) for row in rows]
    return [head, *(_cell(column, figure) for figure in figures), _sum_cell(view.profile, column, total)]


def _cell(column: Column, figure: PlainCell) -> str:
    if column.key == "label":
        return tail_text(str(figure), LABEL_WIDTH)
    return name_text(column.text(figure), OPERATOR_WIDTH) if column.key == "operator" else column.text(figure)


def _sum_cell(profile: Profile, column: Column, total: ProfileRow) -> str:
    if column.key in ("place", "operator", "cores"):
        return ""
    return "sum" if column.key == "label" else column.text(column.figure(profile, total))


def _width(columns: Iterable[Sequence[str]]) -> int:
    return sum(max(map(len, cells)) + _SEPARATOR for cells in columns)


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
    shown = list(groups.items())[:_MOST_FOLDED]
    parts = [f"{ranges(places)} {_fate_text(how, into, len(places))}" for (how, into), places in shown]
    if len(groups) > len(shown):
        parts.append(f"and {len(groups) - len(shown)} more groups, which --profile-file FILE.csv lists")
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
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) >= _SHORTEST_RANGE else ", ".join(map(str, run)) for run in runs)


def _clipped(profile: Profile) -> list[str]:
    """Where elements are clipped: the layers that clip most, with their instructions."""
    rows = profile.clipping
    if not rows:
        return ["Clipped    no element in this run"]
    shown = [_clipped_text(profile, row) for row in rows[:_MOST_CLIPPED]]
    more = len(rows) - len(shown)
    text = f"{count_text(profile.per_frame(profile.total.saturated))} elements a frame: {'; '.join(shown)}"
    return wrapped_lines("Clipped", text + (f"; and {more} more layers" if more > 0 else ""))


def _clipped_text(profile: Profile, row: ProfileRow) -> str:
    """``# 20 gru rnn.py:435 (%x.25): 12.5 (core 0 pc 31)``."""
    places = ", ".join(f"core {place.core} pc {place.pc}" for place in row.clipped_at[:_MOST_PLACES])
    more = len(row.clipped_at) - _MOST_PLACES
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
