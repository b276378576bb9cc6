"""What people read about energy: factors that are true, lines that add up, sleep, clock, battery."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.machine.run_report import FrameCycles, RunReport
from femtodriver.metrics import build_document, document_text
from femtodriver.metrics.energy_text import cost_lines
from femtodriver.metrics.text_cells import band_text, factor_text
from femtodriver.part import load_part
from femtodriver.program.description import Description

PART = load_part("spu001")


@given(st.floats(1e-12, 1e3), st.floats(1, 1e3), st.floats(1, 1e3))
def test_the_factor_that_is_named_holds_and_is_tight(typical: float, below: float, above: float) -> None:
    band = {"low": typical / below, "typical": typical, "high": typical * above}
    factor = float(factor_text(band))
    assert typical / factor <= band["low"] * (1 + 1e-6)
    assert band["high"] <= typical * factor * (1 + 1e-6)
    assert factor <= max(below, above) + 0.1001


def test_a_band_says_its_factor() -> None:
    assert band_text({"low": 1e-6, "typical": 2e-6, "high": 5e-6}, "W") == (
        "2.00 uW typical (1.00 uW low, 5.00 uW high; within a factor of 2.5)"
    )
    assert band_text({"low": 0.0, "typical": 0.0, "high": 0.0}, "J") == "0.00 J typical (0.00 J low, 0.00 J high)"


@pytest.mark.parametrize(("period_s", "told"), [(0.016, True), (1e-7, False)])
def test_why_the_lowest_clock_takes_more_is_told(two_core_report: RunReport, period_s: float, told: bool) -> None:
    doc: dict[str, Any] = build_document(two_core_report, None, PART, input_period_s=period_s)
    assert (doc["lowest_clock"]["clock_hz"] < PART.clock_hz) is told
    text = " ".join("\n".join(cost_lines(doc)).split())
    assert ("at the same voltage, because hardly any time is left to sleep" in text) is told


def test_always_on_leakage_and_work_are_lines_of_their_own(two_core_report: RunReport) -> None:
    doc: dict[str, Any] = build_document(two_core_report, None, PART, input_period_s=0.016)
    text = "\n".join(cost_lines(doc))
    for label in ("work (dynamic)", "host link, both ends", "leakage", "waking", "PLL while running"):
        assert re.search(rf"^ +{re.escape(label)} +\d", text, re.MULTILINE), label
    (always_on,) = re.findall(r"^ +always-on domain +(.*)$", text, re.MULTILINE)
    assert always_on.startswith("2.50 uW   600 nW  16.0 uW")
    assert always_on.endswith("assumed")
    shares = [float(share) for share in re.findall(r" (\d+\.\d) % +[\d.]+  ", text)]
    assert sum(shares) == pytest.approx(100, abs=0.31)


def test_every_charged_row_stands_in_the_report_with_kind_and_source(
    two_core_report: RunReport, description: Description
) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART, input_period_s=0.016)
    text = document_text(doc)
    flat = " ".join(text.split())
    for row in doc["energy_rows"]:
        (line,) = re.findall(rf"^  \S.*  {row['row']}  .*$", text, re.MULTILINE)
        assert line.endswith(row["kind"])
        assert " ".join(f"{row['row']}: {row['source']}".split()) in flat
    assert max(len(line) for line in text.splitlines()) <= 120


@pytest.mark.parametrize(
    ("period", "told"),
    [
        (0.016, "Sleep      memories, logic and PLL for 16.0 ms between frames, at "),
        (200e-6, "Sleep      memories and PLL (logic on) for 19"),
        (50e-6, "Sleep      none: the pause of 44.7 us is too short (at least 60.0 us)"),
        (1e-7, "Sleep      none: a frame begins when the one before is done"),
    ],
)
def test_sleep_is_told_in_words(two_core_report: RunReport, period: float, told: str) -> None:
    text = "\n".join(cost_lines(build_document(two_core_report, None, PART, input_period_s=period)))
    assert told in text


def test_a_part_that_does_nothing_has_nothing_to_wake() -> None:
    text = "\n".join(cost_lines(build_document(RunReport(FrameCycles.of([5]), FrameCycles.of([5]), ()), None, PART)))
    assert "Sleep      nothing to wake" in text


@pytest.mark.parametrize(
    ("capacity", "told"),
    [(0.1, r"[\d.]+ hours typical"), (10.0, r"[\d.]+ days typical"), (5000.0, r"[\d.]+ years typical")],
)
def test_life_of_a_battery_is_told_in_units_that_one_can_grasp(
    two_core_report: RunReport, capacity: float, told: str
) -> None:
    doc = build_document(two_core_report, None, PART, input_period_s=0.016, battery_mwh=capacity)
    (line,) = [line for line in cost_lines(doc) if line.startswith("Battery")]
    assert re.search(rf"{capacity:g} mWh last {told} \(", line)


def test_layers_without_instructions_are_counted_and_not_listed(
    two_core_report: RunReport, description: Description
) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART)
    nothing = {**doc["layers"][1], "name": "fused", "cycles": 0, "energy_j": 0.0}
    doc["layers"] += [nothing, nothing]
    text = document_text(doc)
    assert "fused" not in text
    assert "not shown: 2 layers have no instructions of their own" in text
