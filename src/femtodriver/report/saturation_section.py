"""Where values were clipped because they did not fit their type."""

from __future__ import annotations

from femtodriver.metrics.text_cells import count_text, percent_text
from femtodriver.profile.profile_rows import ProfileRow
from femtodriver.report.layers_section import MOST_ROWS, shown_label
from femtodriver.report.page_blocks import LONG, FigureTable, Section
from femtodriver.report.report_facts import ReportFacts

_MOST_PLACES = 6


def saturation_section(facts: ReportFacts) -> Section:
    """The layers that clipped any element, those with the most first, and the instructions that did it."""
    rows = sorted((row for row in facts.profile.rows if row.saturated), key=lambda row: -row.saturated)
    if not rows:
        return Section("saturation", "Saturation", "No element of any frame was clipped.", ())
    lead = (
        f"{count_text(facts.doc['saturations'])} elements of a frame were clipped, on average, in "
        f"{count_text(len(rows))} layer{'s' if len(rows) != 1 else ''}."
    )
    head = ("layer", "clipped elements of a frame", "share of its elements", "where: core, pc and clipped elements")
    cells = tuple(_cells(facts, row) for row in rows[:MOST_ROWS])
    table = FigureTable(
        "Clipped elements, layer by layer",
        head,
        cells,
        left=(0, 3),
        folded=len(cells) > LONG,
        sources=("saturations", "saturated"),
    )
    return Section("saturation", "Saturation", lead, (table,))


def _cells(facts: ReportFacts, row: ProfileRow) -> tuple[str, ...]:
    whole = row.elements * facts.profile.frames
    places = [
        f"core {one.core} pc {one.pc}: {_mean_text(facts, one.elements)}"
        for one in sorted(row.clipped_at, key=lambda one: -one.elements)
    ]
    shown = "; ".join(places[:_MOST_PLACES]) + ("; ..." if len(places) > _MOST_PLACES else "")
    share = percent_text(row.saturated / whole) if whole and row.saturated <= whole else "-"
    return shown_label(row), _mean_text(facts, row.saturated), share, shown


def _mean_text(facts: ReportFacts, count: int) -> str:
    """The mean per frame; what is rare keeps its digits."""
    mean = facts.profile.per_frame(count)
    return count_text(mean) if isinstance(mean, int) or mean >= 1 else f"{mean:.2g}"
