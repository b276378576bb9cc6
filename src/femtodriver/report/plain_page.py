"""The page of a run without the simulator: does it fit, is it exact, what came out, how values use their types."""

from __future__ import annotations

from femtodriver.metrics.text_cells import count_text, name_text
from femtodriver.report.fit_section import fit_section
from femtodriver.report.origin_section import hash_block, told_blocks
from femtodriver.report.page_blocks import LONG, Cards, FigureTable, Section, Sentence
from femtodriver.report.report_facts import OutputRange, PlainFacts
from femtodriver.report.report_page import rendered
from femtodriver.report.saturation_section import type_blocks
from femtodriver.report.verdict_section import exact_card, fit_card

_NAME_WIDTH = 60


def plain_page(facts: PlainFacts) -> bytes:
    """The whole page, UTF-8; equal facts give equal bytes. UnsupportedError without the package jinja2."""
    sections = [
        _verdict(facts),
        fit_section(facts),
        _outputs(facts),
        Section("types", "Types", "The integers inside the network.", tuple(type_blocks(facts.quantization))),
        _origin(facts),
    ]
    return rendered(facts.doc["model"]["name"], sections)


def _verdict(facts: PlainFacts) -> Section:
    agreement = facts.agreement
    lead = (
        f"{count_text(agreement.frames)} frames without the simulator: add fasmir to the runners for time, energy, "
        "power and layers."
    )
    if agreement.partial:
        lead += f" The run was stopped before its end: {agreement.partial}."
    return Section("verdict", "Verdict", lead, (Cards((fit_card(facts), exact_card(agreement))),))


def _outputs(facts: PlainFacts) -> Section:
    if facts.outputs is None:
        return Section("outputs", "Outputs", "They were written frame by frame, and not kept.", ())
    head = ("output", "runner", "frames", "elements", "low", "high", "zeros")
    rows = tuple(map(_output_cells, facts.outputs))
    table = FigureTable("Ranges of the outputs", head, rows, left=(0, 1), folded=len(rows) > LONG)
    return Section("outputs", "Outputs", "What came out, over all frames.", (table,))


def _output_cells(output: OutputRange) -> tuple[str, ...]:
    counts = (output.frames, output.elements, output.low, output.high, output.zeros)
    return (name_text(output.name, _NAME_WIDTH), output.runner, *map(count_text, counts))


def _origin(facts: PlainFacts) -> Section:
    blocks = (*told_blocks(facts), Sentence(f"Compiled for the part {name_text(facts.part.name)}."), hash_block(facts))
    return Section(
        "origin", "Origin", "The same command on the same files gives the same report, byte for byte.", blocks
    )
