from __future__ import annotations

import threading

import numpy as np

from femtodriver import fixed


def test_elements_that_a_saturation_changes_are_counted_meanwhile() -> None:
    found: list[int] = []
    values = np.array([[127, 128], [-128, -129]])
    with fixed.counting_clipped(found.append):
        assert fixed.saturate(values, 8).tolist() == [[127, 127], [-128, -128]]
        fixed.saturate(values, 16)
    fixed.saturate(values, 2)
    assert found == [2, 0]


def test_clamping_counts_too() -> None:
    found: list[int] = []
    with fixed.counting_clipped(found.append):
        assert fixed.clamp(np.array([-4, 0, 7]), -3, 6).tolist() == [-3, 0, 6]
    assert found == [2]


def test_the_innermost_counter_is_told() -> None:
    outer: list[int] = []
    inner: list[int] = []
    with fixed.counting_clipped(outer.append):
        with fixed.counting_clipped(inner.append):
            fixed.saturate(np.array([9]), 4)
        fixed.saturate(np.array([9, 9]), 4)
    assert (outer, inner) == ([2], [1])


def test_threads_count_for_themselves() -> None:
    found: list[int] = []
    with fixed.counting_clipped(found.append):
        other = threading.Thread(target=fixed.saturate, args=(np.array([9]), 4))
        other.start()
        other.join()
    assert found == []
