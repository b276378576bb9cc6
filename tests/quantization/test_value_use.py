from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.quantization.value_use import ValueUse


def test_a_run_by_hand() -> None:
    use = ValueUse(8)
    use.add(np.array([3, 0, -4]), clipped=1)
    use.add(np.array([[127], [12]]))
    use.add(np.zeros(0, np.int64))
    assert (use.elements, use.lowest, use.highest, use.zeros) == (5, -4, 127, 1)
    assert (use.clipped, use.at_limits, use.used_bits, use.unused_bits) == (1, 1, 8, 0)
    assert use.rms == pytest.approx(math.sqrt((9 + 16 + 127**2 + 144) / 5))


@pytest.mark.parametrize(
    ("values", "used"), [([0], 1), ([-1], 1), ([1], 2), ([-2, 1], 2), ([-3], 3), ([127], 8), ([128], 9), ([-129], 9)]
)
def test_bits_that_the_values_need(values: list[int], used: int) -> None:
    use = ValueUse(8)
    use.add(np.array(values))
    assert (use.used_bits, use.unused_bits) == (used, 8 - used)


def test_the_smallest_and_the_largest_number_are_limits() -> None:
    use = ValueUse(4)
    use.add(np.array([-8, -7, 6, 7, 7]))
    assert use.at_limits == 3


def test_nothing_is_said_of_a_value_that_never_occurred() -> None:
    assert (ValueUse(16).rms, ValueUse(16).snr_db, ValueUse(16).elements) == (None, None, 0)


def test_signal_to_noise_by_hand() -> None:
    use = ValueUse(16)
    use.compare(np.array([[4, 8]]), -2, np.array([1.1, 1.9]))  # 1.0 and 2.0
    assert use.snr_db == pytest.approx(10 * math.log10((1.21 + 3.61) / 0.02))
    exact = ValueUse(16)
    exact.compare(np.array([4]), -2, np.array([1.0]))
    assert (exact.snr_db, exact.noise, exact.compared) == (None, 0.0, 1)


@given(st.lists(st.lists(st.integers(-128, 127), min_size=1, max_size=9), min_size=1, max_size=5))
def test_frames_add_up_to_the_whole(frames: list[list[int]]) -> None:
    parts, whole = ValueUse(8), ValueUse(8)
    for frame in frames:
        parts.add(np.array(frame))
    every = np.array([value for frame in frames for value in frame])
    whole.add(every)
    assert (parts.lowest, parts.highest) == (every.min(), every.max())
    assert (parts.elements, parts.zeros, parts.at_limits) == (whole.elements, whole.zeros, whole.at_limits)
    assert parts.squares == pytest.approx(whole.squares)
