"""Distances between the values of two runs are exact, whatever the values are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.runners.distance import distances, farther_than, signed_differences

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@given(st.lists(st.tuples(INT64, INT64), min_size=1, max_size=6), st.floats(0, 2.0**65))
def test_int64_as_python_computes_it(pairs: list[tuple[int, int]], tolerance: float) -> None:
    a, b = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    wanted = [abs(one - other) for one, other in pairs]
    assert distances(a, b).tolist() == wanted
    assert farther_than(distances(a, b), tolerance).tolist() == [size > tolerance for size in wanted]
    assert signed_differences(a, b).tolist() == [float(other - one) for one, other in pairs]


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (np.uint64((1 << 64) - 1), np.int64(-1), 1 << 64),
        (np.uint64(1 << 63), np.uint64((1 << 63) + 1), 1),
        (np.int64((1 << 53) + 1), np.float64(1 << 53), 1),
        (True, np.int64(3), 2),
        (np.float64("nan"), np.float64("nan"), 0),
        (np.float64("nan"), np.float64(1), math.inf),
        (np.int64(1), np.float64("nan"), math.inf),
        (np.float64("inf"), np.float64("inf"), 0),
        (np.float64("inf"), np.float64("-inf"), math.inf),
        (np.float32(1.5), np.float64(1), 0.5),
    ],
)
def test_other_types(one: Any, other: Any, wanted: float) -> None:
    for first, second in ((one, other), (other, one)):
        found = distances(np.array([[first]]), np.array([[second]]))
        assert found.tolist() == [[wanted]]
        assert farther_than(found, None).tolist() == [[wanted > 0]]
        assert farther_than(found, 1e300).tolist() == [[wanted == math.inf]]


def test_differences_beyond_53_bits_are_not_lost() -> None:
    big = np.array([1 << 60, (1 << 60) + 1, 7])
    assert signed_differences(big, big + np.array([1, -1, 0])).tolist() == [1.0, -1.0, 0.0]
