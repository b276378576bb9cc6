"""The distribution of the cycles of frames in a report."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.machine.run_report import FrameCycles


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.sampled_from((0.0, 0.01, 0.5, 0.9, 0.99, 1.0)))
def test_figures_are_those_of_the_frames(cycles: list[int], share: float) -> None:
    made = FrameCycles.of(cycles)
    assert made.count == len(cycles)
    assert made.total == sum(cycles)
    assert made.mean == statistics.mean(cycles)
    assert (made.least, made.most) == (min(cycles), max(cycles))
    assert made.percentile(share) == np.percentile(cycles, 100 * share, method="higher")


def test_frames_are_counted_whatever_their_order() -> None:
    assert FrameCycles.of([5, 3, 5]) == FrameCycles.of(np.array([3, 5, 5])) == FrameCycles((3, 5), (1, 2))


def test_no_frames() -> None:
    assert (FrameCycles().count, FrameCycles().total) == (0, 0)
    with pytest.raises(ZeroDivisionError):
        _ = FrameCycles().mean
