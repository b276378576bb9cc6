"""The tables of a comparison, the same for text and Markdown: cells are plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from femtodriver.metrics.diff.document_diff import ADDED, CHANGED, GONE, Change, DocumentDiff, RowDiff, RowsDiff
from femtodriver.metrics.named_figures import figure_text, is_number
from femtodriver.metrics.text_cells import Doc, name_text, tail_text

_MARKS = {ADDED: "+", GONE: "-", CHANGED: "~"}
_LAYER_WIDTH = 30
_LABEL_WIDTH = 36
_TEXT_WIDTH = 28
# What is shown in a column of its own, or follows from it.
_LAYER_COLUMNS = ("cycles", "energy_j", "core")
_LAYER_MOST_CHANGES = 4


@dataclass(frozen=True)
class DiffTable:
    """``left``: the columns that are aligned to the left; ``notes``: sentences below it; ``detail``: not read first."""

    title: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left: tuple[int, ...] = (0,)
    notes: tuple[str, ...] = ()
    detail: bool = False


def diff_tables(found: DocumentDiff) -> Iterator[DiffTable]:
    """The tables that have something to say, in the order of reading."""
    if found.verdicts:
        yield _limits(found)
    if found.settings:
        rows = tuple((change.what, *map(_setting, (change.before, change.after))) for change in found.settings)
        yield DiffTable("Settings that differ", ("", "A", "B"), rows, (0, 1, 2))
    yield _figures(found)
    for title, part in (("Cores", found.cores), ("Memories", found.memories)):
        if part.rows:
            yield _long_table(title, part)
    if found.layers.rows:
        yield _layers(found.layers)


def _limits(found: DocumentDiff) -> DiffTable:
    rows = []
    for verdict in found.verdicts:
        told = "not stated" if verdict.measured is None else verdict.limit.shown(verdict.measured)
        state = "kept" if verdict.kept else "UNKNOWN" if verdict.measured is None else "EXCEEDED"
        rows.append((verdict.limit.text, state, told, name_text(verdict.subject)))
    head = ("limit", "", "measured", "in" if any(row[3] for row in rows) else "")
    return DiffTable("Limits", head, tuple(rows), (0, 1, 3))


def _setting(value: object) -> str:
    return name_text("not stated" if value is None else value, _TEXT_WIDTH)


def _figures(found: DocumentDiff) -> DiffTable:
    shown = [(figure, change) for figure, change in found.figures if figure.headline or change.differs]
    rows = tuple(
        (
            f"{figure.name} *" if change.redefined else figure.name,
            figure.text(change.before),
            figure.text(change.after),
            _ratio(change),
        )
        for figure, change in shown
    )
    notes = []
    rest = len(found.figures) - len(shown)
    if rest:
        notes.append(f"not shown: {rest} that {'are' if rest > 1 else 'is'} equal")
    if any(change.redefined for _, change in shown):
        notes.append("* means something else in one of the two schemas, see docs/metrics.md")
    return DiffTable("Figures", ("", "A", "B", "change"), rows, notes=tuple(notes))


def _ratio(change: Change) -> str:
    if not change.differs:
        return "="
    return "-" if change.ratio is None else f"{100 * change.ratio:+.3g} %"


def _long_table(title: str, part: RowsDiff) -> DiffTable:
    """One line for each value that differs, but for items of lists."""
    rows: list[tuple[str, ...]] = []
    for row in part.rows:
        changes = [change for change in row.changes if "[" not in change.what]
        if row.state != CHANGED:
            rows.append((row.name, row.state, "", "", ""))
        rows += [
            ("" if place else row.name, change.what, *_values(change), _ratio(change))
            for place, change in enumerate(changes)
        ]
    return DiffTable(title, ("", "", "A", "B", "change"), tuple(rows), (0, 1), detail=True)


def _values(change: Change) -> tuple[str, str]:
    return _value(change.what, change.before), _value(change.what, change.after)


def _value(path: str, value: Any) -> str:
    if not is_number(value):
        return name_text("-" if value is None else value, _TEXT_WIDTH)
    return figure_text(value, "J" if path.endswith("_j") else "")


def _layers(part: RowsDiff) -> DiffTable:
    counts = [f"{part.count(state)} {state}" for state in (CHANGED, ADDED, GONE)]
    rows = tuple(map(_layer, part.rows))
    known = "known as" if any(row[2] for row in rows) else ""
    head = ("", "layer", known, "core", "cycles", "to", "change", "energy", "to", "change", "also changed")
    title = f"Layers: {', '.join(counts)}, {part.equal} equal"
    return DiffTable(title, head, rows, (0, 1, 2, 10), detail=True)


def _layer(row: RowDiff) -> tuple[str, ...]:
    changes = {change.what: change for change in row.changes}
    cores = _cores(row.before), _cores(row.after)
    core = " to ".join(cores) if "core" in changes else cores[0] if row.state == GONE else cores[1]
    cells = [_MARKS[row.state], name_text(row.name, _LAYER_WIDTH), _label(row), core]
    for key in ("cycles", "energy_j"):
        cells += [*_both(row, key), _ratio(changes[key]) if key in changes else ""]
    others = [what for what in changes if not what.startswith((*_LAYER_COLUMNS, "energy_band_j"))]
    more = f" and {len(others) - _LAYER_MOST_CHANGES} more" if len(others) > _LAYER_MOST_CHANGES else ""
    return (*cells, name_text(", ".join(others[:_LAYER_MOST_CHANGES]), 100) + more)


def _label(row: RowDiff) -> str:
    """What people know the layer by, as in the profile; "" where the document has nothing better than its name."""
    labels = [side.get("label") for side in (row.after, row.before) if side]
    told = next((label for label in labels if isinstance(label, str)), "")
    return "" if told in row.name else tail_text(told, _LABEL_WIDTH)


def _cores(layer: Doc) -> str:
    """The cores that a layer runs on; "-" where none does."""
    busy = layer.get("cycles_per_core")
    if layer.get("core") is None and isinstance(busy, Mapping) and busy:
        return name_text(",".join(map(str, busy)), 20)
    return _value("core", layer.get("core"))


def _both(row: RowDiff, key: str) -> tuple[str, str]:
    """The value in A and in B; "" where the row is not there."""
    sides = ((row.before, key), (row.after, key))
    first, second = (_value(name, side.get(name)) if side else "" for side, name in sides)
    return first, second
