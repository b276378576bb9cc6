"""What each layer costs: bars of the most expensive ones, and a table of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from femtodriver.metrics.text_cells import count_text, name_text, percent_text, quantity
from femtodriver.profile.profile_choices import CYCLES, OPERATOR
from femtodriver.profile.profile_rows import ProfileRow
from femtodriver.profile.profile_view import view_of
from femtodriver.report.page_blocks import BarRow, Bars, FigureTable, PageBlock, Section, Sentence
from femtodriver.report.report_facts import ReportFacts

MOST_BARS = 15
MOST_ROWS = 2000
NAME_WIDTH = 80
_CYCLES, _ENERGY = "layers[].cycles", "layers[].energy_j"


def layers_section(facts: ReportFacts) -> Section:
    """Bars of cycles and energy, sums by operator, and every layer in program order."""
    view = view_of(facts.profile)
    working, idle = len(view.rows), len(view.folded)
    lead = f"{count_text(working)} layers have instructions of their own"
    lead += f"; {count_text(idle)} more have none, because others do their work or there is none." if idle else "."
    if sum(core["busy"] > 0 for core in facts.doc["cycles"]["per_core"]) > 1:
        lead += " Cycles are the busy ones of all cores, added up."
    blocks = (*_bars(facts), _operators(facts), _all(facts, view.rows))
    if working > MOST_ROWS:
        cut = Sentence(f"The table ends after {count_text(MOST_ROWS)} layers; metrics.yaml has all of them.")
        return Section("layers", "Layers", lead, (*blocks, cut))
    return Section("layers", "Layers", lead, blocks)


def _bars(facts: ReportFacts) -> Iterator[PageBlock]:
    view = view_of(facts.profile, sort=CYCLES, top=MOST_BARS)
    rows = view.rows
    most_cycles = max((row.cycles for row in rows), default=0) or 1
    most_joules = max((row.energy_j.typical for row in rows), default=0.0) or 1.0
    bars = tuple(
        BarRow(
            shown_label(row),
            (
                (row.cycles / most_cycles, _cycles(facts, row)),
                (row.energy_j.typical / most_joules, quantity(row.energy_j.typical, "J")),
            ),
        )
        for row in rows
    )
    caption = "Cycles and typical energy of a frame, the layers with the most cycles first"
    yield Bars(caption, ("cycles", "energy"), bars, sources=(_CYCLES, _ENERGY))
    if view.rest is not None:
        others, cycles = count_text(view.rest.layers), count_text(_mean(facts, view.rest.cycles))
        share, joules = percent_text(view.rest.cycles / facts.profile.busy), view.rest.energy_j.typical
        text = f"The other {others} layers take {cycles} cycles ({share}) and {quantity(joules, 'J')}."
        yield Sentence(text, sources=(_CYCLES, _ENERGY))


def _operators(facts: ReportFacts) -> FigureTable:
    view = view_of(facts.profile, by=OPERATOR, sort=CYCLES)
    working = sum(row.layers for row in view.rows)
    shown = (*view.rows, replace(facts.profile.total, label="all", layers=working))
    rows = tuple((shown_label(row), count_text(row.layers), *_cost(facts, row)) for row in shown)
    head = ("operator", "layers", "cycles", "share", "energy", "MACs run", "lanes busy")
    return FigureTable("By operator", head, rows, sources=(_CYCLES, _ENERGY, "layers[].macs"))


def _all(facts: ReportFacts, rows: tuple[ProfileRow, ...]) -> FigureTable:
    head = (
        "layer",
        "operator",
        "core",
        "cycles",
        "share",
        "energy",
        "MACs run",
        "lanes busy",
        "bytes moved",
        "saturated",
    )
    cells = tuple(
        (
            shown_label(row),
            name_text(row.op, NAME_WIDTH),
            " ".join(map(str, row.cores)) or "-",
            *_cost(facts, row),
            count_text(_mean(facts, row.moved)),
            count_text(_mean(facts, row.saturated)),
        )
        for row in rows[:MOST_ROWS]
    )
    sources = (_CYCLES, _ENERGY, "layers[].macs", "layers[].bytes")
    return FigureTable("All layers in program order", head, cells, left=(0, 1), folded=True, sources=sources)


def _cost(facts: ReportFacts, row: ProfileRow) -> tuple[str, ...]:
    """Cycles, their share, energy, multiplications, and how busy they keep the lanes."""
    busy = facts.profile.busy
    return (
        count_text(_mean(facts, row.cycles)),
        percent_text(row.cycles / busy if busy else None),
        quantity(row.energy_j.typical, "J"),
        count_text(_mean(facts, row.macs_executed)),
        percent_text(facts.profile.utilisation(row)),
    )


def _cycles(facts: ReportFacts, row: ProfileRow) -> str:
    busy = facts.profile.busy
    return f"{count_text(_mean(facts, row.cycles))} ({percent_text(row.cycles / busy if busy else None)})"


def _mean(facts: ReportFacts, count: int) -> int | float:
    return facts.profile.per_frame(count)


def shown_label(row: ProfileRow) -> str:
    """The label of a row; names come from networks, and may be long or hold anything."""
    return name_text(row.label, NAME_WIDTH)
