"""Power over the period: it goes through the figures that the document has at each period."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from femtodriver.machine.run_report import CoreReport, FrameCycles, RunReport
from femtodriver.metrics import build_document
from femtodriver.metrics.energy import load_table
from femtodriver.metrics.power_curve import LONGER, SHORTER, power_at, power_curve
from femtodriver.metrics.run_totals import Run
from femtodriver.part import load_part

WAITING = {"message": 0, "dependency": 0, "idle": 0}
BUSY = {0: {"cycles": 40_000, "alu": 300_000, "host_word": 12}}
REPORT = RunReport(
    FrameCycles.of([20_000, 21_000]),
    FrameCycles.of([19_000, 20_000]),
    (CoreReport(BUSY, WAITING, (5,) * 8, (3,) * 8),),
)
SLOWEST_S = 21_000 / 100e6


def run(period_s: float) -> Run:
    return Run.of(REPORT, None, load_part(), period_s, load_table())


@pytest.mark.parametrize("period_s", [1e-5, 2.05e-4, 2.7e-4, 0.016, 1.0])
def test_a_point_is_what_the_document_says_at_that_period(period_s: float) -> None:
    document = build_document(REPORT, None, load_part(), input_period_s=period_s)
    power = document["power_w"]
    assert isinstance(power, dict)
    point = power_at(run(0.016), period_s)
    for corner, watts in power["total"].items():
        assert getattr(point.watts, corner) == pytest.approx(watts, rel=1e-8)
    assert point.met is (period_s >= SLOWEST_S)


@pytest.mark.parametrize("period_s", [1e-5, 0.016])
def test_the_curve_covers_the_period_and_the_frame(period_s: float) -> None:
    points = power_curve(run(period_s))
    assert all(before.period_s < after.period_s for before, after in pairwise(points))
    assert points[0].period_s == pytest.approx(min(period_s, SLOWEST_S) / SHORTER)
    assert points[-1].period_s == pytest.approx(max(period_s, SLOWEST_S) * LONGER)
    assert not points[0].met
    assert points[-1].met
    for point in points:
        assert 0 < point.watts.low < point.watts.typical < point.watts.high


def test_less_often_takes_less_but_where_something_begins_to_sleep() -> None:
    points = power_curve(run(0.016))
    rises = [after for before, after in pairwise(points) if after.watts.typical > before.watts.typical * (1 + 1e-9)]
    naps = power_at(run(0.016), 0.016)
    assert naps.watts.typical < points[0].watts.typical
    assert all(after.period_s > SLOWEST_S for after in rises)


def test_the_run_itself_stays_as_it_was() -> None:
    given = run(0.016)
    power_curve(given)
    assert given == replace(given, period_s=0.016)
