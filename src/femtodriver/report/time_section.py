"""How long a frame takes, whether that is in time, and what the cores do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.metrics.text_cells import count_text, percent_text, quantity
from femtodriver.report.page_blocks import FigureTable, PageBlock, Section, Sentence, Share, StackedBar
from femtodriver.report.report_facts import ReportFacts

_FIGURES = ("mean", "min", "p99", "max")
_CAUSES = {"message": "waiting for a message", "dependency": "waiting for a signal", "idle": "done, others work"}


def time_section(facts: ReportFacts) -> Section:
    """Latency and deadline, and the cycles of each core by what they were spent on."""
    clock = quantity(facts.doc["hardware"]["clock_hz"], "Hz")
    lead = f"{count_text(facts.doc['cycles']['total'])} cycles a frame at {clock}, on average over the run."
    return Section("time", "Latency and deadline", lead, tuple(_blocks(facts)))


def _blocks(facts: ReportFacts) -> Iterator[PageBlock]:
    doc = facts.doc
    rows = (
        ("without the link to the host", *(quantity(doc["latency_s"][key], "s") for key in _FIGURES)),
        ("with the link to the host", *(quantity(doc["link"]["latency_s"][key], "s") for key in _FIGURES)),
    )
    yield FigureTable("Latency", ("", *_FIGURES), rows, sources=("latency_s", "link"))
    yield _deadline(facts)
    for number, core in enumerate(doc["cycles"]["per_core"]):
        yield _cycles(facts, number, core["busy"], core["waiting"])


def _deadline(facts: ReportFacts) -> PageBlock:
    doc = facts.doc
    share = doc["deadline"]["worst_fraction_of_period"]
    period = quantity(doc["Input Period (s)"], "s")
    if share > 1:
        text = f"The slowest frame takes {share:.3g} times the input period of {period}: it is not in time."
        return Sentence(text, sources=("deadline.met", "deadline.worst_fraction_of_period"))
    parts = (
        Share("slowest frame", share, f"{100 * share:.3g} %", 0),
        Share("left of the input period", 1 - share, f"{100 * (1 - share):.3g} %", None),
    )
    assumed = ", which is assumed" if doc["deadline"]["period_assumed"] else ""
    return StackedBar(
        f"Slowest frame within the input period of {period}{assumed}",
        parts,
        sources=("deadline.met", "deadline.worst_fraction_of_period", "Input Period (s)"),
    )


def _cycles(facts: ReportFacts, number: int, busy: float, waiting: dict[str, float]) -> StackedBar:
    whole = facts.doc["cycles"]["total"] or 1
    parts = [Share("busy", busy / whole, _cycles_text(busy, whole), 0)]
    for place, (cause, cycles) in enumerate(waiting.items()):
        parts.append(Share(_CAUSES.get(cause, cause), cycles / whole, _cycles_text(cycles, whole), place + 1))
    sources = ("cycles.per_core[].busy", "cycles.per_core[].waiting")
    return StackedBar(f"Core {number}: cycles of a frame", tuple(part for part in parts if part.share), sources=sources)


def _cycles_text(cycles: float, whole: float) -> str:
    return f"{count_text(cycles)} ({percent_text(cycles / whole)})"
