"""What the other objective of the compiler would cost, in the document and in the text."""

from __future__ import annotations

from femtodriver.machine.run_report import RunReport
from femtodriver.metrics import build_document, document_text, summary_of
from femtodriver.part import load_part
from femtodriver.program.description import Description

PART = load_part()


def test_the_figures_are_those_of_the_document(two_core_report: RunReport, description: Description) -> None:
    doc = build_document(two_core_report, description, PART, input_period_s=0.016)
    assert doc["other_choice"] is None
    assert summary_of(doc) == {
        "cores": 2,
        "cycles": doc["cycles"]["total"],  # type: ignore[index]
        "worst_fraction_of_period": doc["deadline"]["worst_fraction_of_period"],  # type: ignore[index]
        "power_w": doc["power_w"]["total"],  # type: ignore[index]
    }


def test_the_text_compares_both(two_core_report: RunReport, description: Description) -> None:
    other = {
        "objective": "energy",
        "cores": 1,
        "cycles": 1234,
        "worst_fraction_of_period": 0.005,
        "power_w": {"typical": 1e-5, "low": 1e-6, "high": 1e-4},
    }
    tool = {"compiler_options": {"objective": "cycles"}}
    doc = build_document(two_core_report, description, PART, input_period_s=0.016, tool=tool, other_choice=other)
    assert doc["other_choice"] == other
    (line,) = (line for line in document_text(doc).replace("\n           ", " ").splitlines() if "Objective" in line)
    assert line.startswith("Objective  cycles: 2 cores, ")
    assert line.endswith("; for energy instead: 1 core, 1,234 cycles, 0.5 % of the period, 10.0 uW")


def test_nothing_is_said_where_nothing_was_chosen(two_core_report: RunReport, description: Description) -> None:
    assert "Objective" not in document_text(build_document(two_core_report, description, PART))
