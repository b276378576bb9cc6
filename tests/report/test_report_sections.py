"""Sections as data: what they say of a run whose figures are known."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.options.runner_requests import ComparisonRequest
from femtodriver.profile.profile_rows import ClippedAt, ProfileRow
from femtodriver.quantization.quantization_rows import VALUE, QuantizationReport, QuantizationRow
from femtodriver.report import timeline_section as timeline
from femtodriver.report.fit_section import fit_section, fullest_memory
from femtodriver.report.layers_section import layers_section
from femtodriver.report.page_blocks import (
    COLOURS,
    BankMap,
    Bars,
    Curve,
    FigureTable,
    Section,
    Sentence,
    StackedBar,
    Timeline,
)
from femtodriver.report.power_section import power_section
from femtodriver.report.report_facts import ReportFacts
from femtodriver.report.saturation_section import saturation_section
from femtodriver.report.sparsity_section import sparsity_section
from femtodriver.report.time_section import time_section
from femtodriver.report.timeline_section import timeline_section
from tests.report.report_runs import EXAMPLE, facts_of, words


@cache
def spotter() -> ReportFacts:
    """Three frames of the keyword spotter."""
    built = build(load_source(str(EXAMPLE / "keyword_spotter.pt")))
    return facts_of(built, words(3), ComparisonRequest(input_period=0.016))


def stacks(section: Section) -> list[StackedBar]:
    return [block for block in section.blocks if isinstance(block, StackedBar)]


def tables(section: Section) -> list[FigureTable]:
    return [block for block in section.blocks if isinstance(block, FigureTable)]


@pytest.mark.parametrize("make", [fit_section, time_section, sparsity_section])
def test_parts_of_a_sum_fill_the_bar(make: object) -> None:
    assert callable(make)
    found = stacks(make(spotter()))
    assert found
    for bar in found:
        assert sum(part.share for part in bar.parts) == pytest.approx(1)
        assert len({part.colour for part in bar.parts}) == len(bar.parts)


def test_the_bank_map_has_every_bank_of_every_core() -> None:
    facts = spotter()
    maps = [block for block in fit_section(facts).blocks if isinstance(block, BankMap)]
    assert len(maps) == facts.part.cores
    for one, told in zip(maps, facts.doc["memory_bytes"]["per_core"], strict=True):
        assert [cell.share for cell in one.banks] == [used / 65536 for used in told["banks"]]
        assert [cell.text == "off" for cell in one.banks] == [not used for used in told["banks"]]
        assert [cell.share for cell in one.others] == [told["tm_used"] / 16384, told["im_used"] / 32768]
    fullest = fullest_memory(facts)
    assert fullest is not None
    assert (fullest.label, fullest.text) == ("table memory of core 0", "50.0 % of 16,384 bytes")


def test_bars_are_the_largest_layers_and_the_rest() -> None:
    facts = spotter()
    (bars,) = [block for block in layers_section(facts).blocks if isinstance(block, Bars)]
    assert bars.rows[0].label == "listen.layers.0.linear_hh"
    assert bars.rows[0].bars[0][0] == bars.rows[0].bars[1][0] == 1
    assert all(0 < share <= 1 for row in bars.rows for share, _ in row.bars)
    assert len(bars.rows) == 15
    rest = next(block for block in layers_section(facts).blocks if isinstance(block, Sentence))
    assert re.fullmatch(r"The other 3 layers take 22 cycles \(2\.1 %\) and \d+ pJ\.", rest.text)
    operators, every = tables(layers_section(facts))
    assert operators.rows[-1][0] == "all"
    assert operators.rows[-1][3] == "100.0 %"
    assert int(operators.rows[-1][1]) == sum(int(row[1]) for row in operators.rows[:-1])
    assert layers_section(facts).lead.endswith(" Cycles are the busy ones of all cores, added up.")
    assert len(every.rows) == sum(not row.is_idle for row in facts.profile.rows)


def test_saturated_elements_are_shown_where_they_were_clipped() -> None:
    facts = spotter()
    assert saturation_section(facts).lead == "No element of any frame was clipped."
    assert tables(saturation_section(facts)) == []
    places = tuple(ClippedAt(place % 2, 10 + place, 3 * place + 1) for place in range(8))
    clipped = ProfileRow("loud", "vvadd", elements=64, counts={"saturated": 92}, clipped_at=places)
    rare = ProfileRow("rare", "vvadd", elements=64, counts={"saturated": 1}, clipped_at=(ClippedAt(0, 7, 1),))
    rows = (rare, *facts.profile.rows, clipped)
    facts = replace(facts, doc={**facts.doc, "saturations": 31}, profile=replace(facts.profile, rows=rows))
    section = saturation_section(facts)
    assert section.lead == "31 elements of a frame were clipped, on average, in 2 layers."
    (table,) = tables(section)
    where = "core 1 pc 17: 7.3; core 0 pc 16: 6.3; core 1 pc 15: 5.3; core 0 pc 14: 4.3; core 1 pc 13: 3.3"
    assert table.rows == (
        ("loud", "30.7", "47.9 %", f"{where}; core 0 pc 12: 2.3; ..."),
        ("rare", "0.33", "0.5 %", "core 0 pc 7: 0.33"),
    )


def test_values_are_shown_in_their_types() -> None:
    used = {"low": -900, "high": 812, "used_bits": 11, "unused_bits": 5, "elements": 300, "clipped": 6, "at_limits": 7}
    kind = {"kind": VALUE, "label": "loud", "value": "%x.1", "op": "vvadd", "bits": 16, "quanta": -12.0}
    noise = {
        "zeros": 8,
        "rms": 1.5,
        "snr_db": 43.21,
        "compared": 300,
        "is_exact": False,
        "nested": False,
        "boolean": False,
    }
    given: dict[str, Any] = {**kind, "type_low": -32768, "type_high": 32767, **used, **noise}
    row = QuantizationRow(**given)
    never = replace(row, label="never", elements=0, clipped=0, snr_db=None)
    moved = replace(row, kind="moved")
    report = QuantizationReport("net", 3, 1, (row, never, replace(moved, clipped=0)))
    (table,) = tables(saturation_section(replace(spotter(), quantization=report)))
    assert table.rows == (
        ("loud", "%x.1", "16", "-900", "812", "11", "5", "2 %", "43.2"),
        ("never", "%x.1", "16", "-", "-", "-", "-", "-", "-"),
    )


def test_the_curve_goes_through_the_chosen_point() -> None:
    facts = spotter()
    (curve,) = [block for block in power_section(facts).blocks if isinstance(block, Curve)]
    (mark,) = curve.marks
    assert mark.text == f"{facts.doc['power_w']['total']['typical'] * 1e6:.1f} uW at 16.0 ms"
    before = max(point for point in curve.line if point[0] <= mark.x)
    after = min(point for point in curve.line if point[0] >= mark.x)
    assert min(before[1], after[1]) - 1e-9 <= mark.y <= max(before[1], after[1]) + 1e-9
    for low, line, high in zip(curve.low, curve.line, curve.high, strict=True):
        assert 0 <= low[1] < line[1] < high[1] <= 1
        assert low[0] == line[0] == high[0]
    assert [tick.text for tick in curve.x_ticks] == ["10 us", "100 us", "1 ms", "10 ms", "100 ms"]


def test_the_timeline_has_every_cycle_of_the_frame() -> None:
    facts = spotter()
    assert facts.frame is not None
    number, record = facts.frame
    (block,) = [block for block in timeline_section(facts).blocks if isinstance(block, Timeline)]
    assert f"frame {number}" in block.caption
    for lane, core in zip(block.lanes, record.cores, strict=True):
        ends = 0.0
        for span in lane.spans:
            assert span.start == pytest.approx(ends)
            ends = span.start + span.length
        assert ends == pytest.approx(1)
        waiting = sum(span.length for span in lane.spans if span.colour is None)
        assert waiting * record.elapsed == pytest.approx(sum(wait.cycles for wait in record.waits(core)))
    drawn: dict[int | None, float] = defaultdict(float)
    for lane in block.lanes:
        for span in lane.spans:
            drawn[span.colour] += span.length
    busy = sum(length for colour, length in drawn.items() if colour is not None)
    for share in block.legend:
        assert drawn[share.colour] / busy == pytest.approx(share.share)
    assert len(block.legend) <= COLOURS


def test_a_crowded_timeline_draws_short_pieces_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST_SPANS", 6)
    (block,) = [block for block in timeline_section(spotter()).blocks if isinstance(block, Timeline)]
    for lane in block.lanes:
        assert len(lane.spans) <= 13
        assert sum(span.length for span in lane.spans) == pytest.approx(1)
        assert any("short pieces" in span.text for span in lane.spans)


def test_colours_are_not_used_twice_for_the_largest_layers() -> None:
    (block,) = [block for block in timeline_section(spotter()).blocks if isinstance(block, Timeline)]
    colours = Counter(share.colour for share in block.legend)
    assert set(colours.values()) == {1}
