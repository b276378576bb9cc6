"""Figures that have a name: each stands in the document, and in the page about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from femtodriver.machine.run_report import RunReport
from femtodriver.metrics import build_document
from femtodriver.metrics.diff.diff_limits import LAYER_FIGURES
from femtodriver.metrics.named_figures import FIGURES, NamedFigure, figure_text, is_number, values_at
from femtodriver.part import load_part
from femtodriver.program.description import Description

PAGE = Path(__file__).resolve().parents[2] / "docs" / "diff.md"


def test_every_figure_is_in_a_document(two_core_report: RunReport, description: Description) -> None:
    doc = build_document(two_core_report, description, load_part("spu001"), battery_mwh=100)
    missing = [figure.name for figure in FIGURES.values() if figure.of(doc) is None]
    assert missing == []


def test_the_page_has_every_figure() -> None:
    rows = re.findall(r"^\| `([a-z.0-9-]+)` \| ([^|]*) \| `([^`]+)` \| ([^|]*) \|$", PAGE.read_text("utf-8"), re.M)
    units = {"": "a count", "share": "%"}
    assert rows == [
        (one.name, units.get(one.unit, one.unit), one.path, one.summary) for one in (*FIGURES.values(), *LAYER_FIGURES)
    ]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", [{"b": [{"c": 1}, {"c": 2}, 3], "d": None}]),
        ("a.b[].c", [1, 2]),
        ("a.d", [None]),
        ("a.d[]", []),
        ("a.d.e", []),
        ("x.y", []),
    ],
)
def test_values_at_a_path(path: str, found: object) -> None:
    assert values_at({"a": {"b": [{"c": 1}, {"c": 2}, 3], "d": None}}, path) == found


def test_a_figure_that_is_partly_unknown_is_unknown() -> None:
    figure = NamedFigure("x", "B", "a[].b", "")
    assert figure.of({"a": [{"b": 1}, {"b": 2}]}) == 3
    assert figure.of({"a": [{"b": 1}, {"b": None}]}) is None
    assert figure.of({"a": [{"b": True}]}) is None
    assert figure.of({"a": []}) is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "W", "-"),
        (2.5e-5, "W", "25.0 uW"),
        (1234, "", "1,234"),
        (1234.25, "", "1,234.2"),
        (4096, "B", "4,096 B"),
        (0.000402, "share", "0.0402 %"),
        (12345.6, "h", "12,345.6 h"),
    ],
)
def test_figures_as_text(value: float | None, unit: str, text: str) -> None:
    assert figure_text(value, unit) == text


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (0, True),
        (-1.5, True),
        (10**300, True),
        (10**400, False),
        (float("nan"), False),
        (float("inf"), False),
        (True, False),
        ("1", False),
        (None, False),
    ],
)
def test_numbers_are_what_can_be_compared(value: object, is_one: bool) -> None:
    assert is_number(value) == is_one
