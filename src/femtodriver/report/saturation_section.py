"""Where values were clipped because they did not fit their type."""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.metrics.text_cells import count_text, name_text, percent_text
from femtodriver.profile.profile_rows import ProfileRow
from femtodriver.quantization.quantization_rows import QuantizationReport, QuantizationRow
from femtodriver.quantization.quantization_text import shown_rows
from femtodriver.report.layers_section import MOST_ROWS, NAME_WIDTH, shown_label
from femtodriver.report.page_blocks import LONG, FigureTable, PageBlock, Section, Sentence
from femtodriver.report.report_facts import ReportFacts

_MOST_PLACES = 6


def saturation_section(facts: ReportFacts) -> Section:
    """The layers that clipped any element, those with the most first, and the instructions that did it.

    With a quantization report, the range of each value in its type as well.
    """
    return Section("saturation", "Saturation", _lead(facts), (*_clipped(facts), *type_blocks(facts.quantization)))


def _lead(facts: ReportFacts) -> str:
    layers = len(facts.profile.clipping)
    if not layers:
        return "No element of any frame was clipped."
    return (
        f"{count_text(facts.doc['saturations'])} elements of a frame were clipped, on average, in "
        f"{count_text(layers)} layer{'s' if layers != 1 else ''}."
    )


def _clipped(facts: ReportFacts) -> Iterator[PageBlock]:
    cells = tuple(_cells(facts, row) for row in facts.profile.clipping[:MOST_ROWS])
    if cells:
        yield FigureTable(
            "Clipped elements, layer by layer",
            ("layer", "clipped elements of a frame", "share of its elements", "where: core, pc and clipped elements"),
            cells,
            left=(0, 3),
            folded=len(cells) > LONG,
            sources=("saturations", "saturated"),
        )


def type_blocks(report: QuantizationReport | None) -> Iterator[PageBlock]:
    """What ``--quantization`` has found."""
    if report is None:
        yield Sentence("With --quantization there is a table here of how well each value uses its type.")
        return
    rows = shown_rows(report)[:MOST_ROWS]
    yield FigureTable(
        "Values of the network: the range that occurred, and what it leaves of their types",
        ("layer", "value", "bits", "low", "high", "used", "unused", "clipped", "SNR dB"),
        tuple(_type_cells(row) for row in rows),
        left=(0, 1),
        folded=len(rows) > LONG,
        sources=("bits", "low", "high", "used_bits", "unused_bits", "clipped", "snr_db"),
    )


def _type_cells(row: QuantizationRow) -> tuple[str, ...]:
    found = (row.low, row.high, row.used_bits, row.unused_bits) if row.elements else ("-",) * 4
    clipped = f"{100 * row.clipped_share:.2g} %" if row.clipped else "-"
    names = (name_text(row.label, NAME_WIDTH), name_text(row.value, NAME_WIDTH))
    return (*names, str(row.bits), *map(str, found), clipped, "-" if row.snr_db is None else f"{row.snr_db:.1f}")


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
