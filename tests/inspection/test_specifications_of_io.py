"""I/O specifications, inspected: variables, sequences, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from femtodriver.inspection.detect import inspect_file
from femtodriver.inspection.findings import Facts, Report
from femtodriver.inspection.render import report_text
from femtodriver.iospec import IOSpec


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A specification with a latched input and a sequence of several frames."""
    spec = IOSpec()
    spec.add_input("audio", 160, 16, quant_scale=0.5)
    spec.add_input("gain", 1, 8)
    spec.add_output("cleaned", 160, 16)
    spec.add_signature(["audio"], ["gain"], ["cleaned"])
    spec.add_sequence({"audio": 2}, {}, "warm_up")
    spec.write_spec_to_file(tmp_path / "io.yaml")
    return tmp_path / "io.yaml"


def rows(report: Report, section: str) -> Sequence[Facts]:
    found = report.sections[section]
    assert not isinstance(found, Mapping)
    return found


def test_variables_and_sequences_are_shown(file: Path) -> None:
    report = inspect_file(file)
    assert (report.kind, report.sound, report.origin) == ("iospec", True, None)
    inputs, sequences = rows(report, "inputs"), rows(report, "sequences")
    assert [(row["name"], row["latched"], row["scale"]) for row in inputs] == [
        ("audio", False, 0.5),
        ("gain", True, None),
    ]
    assert [(row["name"], row["inputs"]) for row in sequences] == [
        ("sequence_0", ["audio"]), ("sequence_1", ["gain"]), ("warm_up", ["2 x audio"]),
    ]  # fmt: skip
    assert "latched" in report_text(report)


def test_what_is_wrong_is_told(file: Path) -> None:
    file.write_text(file.read_text().replace("precision: 8", "precision: 33"))
    report = inspect_file(file)
    assert not report.sound
    assert "precision: must be a whole number from 1 to 32, not 33" in report.problems[0].text
