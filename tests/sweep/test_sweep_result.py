"""Marks, order and JSON of rows that are made by hand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import UsageError
from femtodriver.sweep.sweep_result import front
from tests.sweep.sweep_rows import result, row

Point = tuple[float, float]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    def beaten(one: Point) -> bool:
        return any(two != one and two[0] <= one[0] and two[1] <= one[1] for two in points)

    assert front(points) == {one for one in points if not beaten(one)}


def test_rows_are_compared_under_the_same_conditions() -> None:
    found = result(row(1, 5), row(5, 1), row(5, 5), row(9, 9, input_period_s=1.0), row(9, 9, temperature_c=0.0))
    assert [one.optimal for one in found.rows] == [True, True, False, True, True]


def test_rows_that_cannot_be_chosen_are_no_rivals() -> None:
    found = result(row(1, 1, deadline_met=False), row(1, 1, reason="x"), row(None, 1), row(5, 5, deadline_met=True))
    assert [one.optimal for one in found.rows] == [False, False, False, True]


def test_order_by_figures_and_settings() -> None:
    rows = [row(3, 1, clock_hz=9.0), row(1, 2, clock_hz=10.0), row(None, None, figures={}, reason="x", clock_hz=None)]
    found = result(*rows)
    assert [one.figures.get("latency") for one in found.sorted("latency").rows] == [1, 3, None]
    assert [one.clock_hz for one in found.sorted("clock").rows] == [9.0, 10.0, None]
    assert [one.figures.get("power") for one in found.sorted("power").rows] == [1, 2, None]
    assert found.sorted("part").rows == found.rows  # equal ones keep their order


def test_numbers_that_are_text_are_ordered_as_numbers() -> None:
    rows = [row(compiler_options={"cores": value}) for value in ("auto", "10", "9")]
    assert [one.compiler_options["cores"] for one in result(*rows).sorted("cores").rows] == ["9", "10", "auto"]


def test_an_unknown_name() -> None:
    with pytest.raises(
        UsageError, match=r"sort: must be a figure or a setting, not 'latenzy'\. Did you mean 'latency'"
    ):
        result(row()).sorted("latenzy")


def test_what_varied() -> None:
    found = result(row(compiler_options={"cores": 1}), row(compiler_options={"cores": 2}, clock_hz=2e6))
    assert found.varied == ("cores", "clock")


def test_json() -> None:
    found = json.loads(result(row(compiler_options={"cores": 1}), row(figures={}, reason="no room")).json())
    assert (found["schema"], found["model"], found["frames"]) == (
        "femtodriver-sweep/1",
        {"name": "net", "sha256": "ab"},
        2,
    )
    first, second = found["rows"]
    assert (first["compiler_options"], first["fits"], first["reason"], first["optimal"]) == (
        {"cores": 1},
        True,
        None,
        True,
    )
    assert (second["fits"], second["reason"], second["figures"]) == (False, "no room", {})
