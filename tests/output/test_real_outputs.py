"""Outputs as real numbers, in words."""

from __future__ import annotations

import numpy as np

from femtodriver.inputs import InputSpec
from femtodriver.output.real_outputs import real_outputs_text

PROBABILITY = InputSpec("dense", 1, 16, quanta=-8, zero_point=-128)


def test_the_range_is_told_in_real_numbers_with_its_highest_place() -> None:
    rows = {"dense": np.array([[-128], [127], [0]]), "both": np.array([[1, 2], [4, -8]])}
    specs = [PROBABILITY, InputSpec("both", 2, 16, quanta=-1), InputSpec("unknown", 1, 16)]
    assert list(real_outputs_text(rows, specs)) == [
        "output dense: 0 to 0.996094, highest in frame 1",
        "output both: -4 to 2, highest in frame 1, element 0",
    ]


def test_outputs_that_were_not_kept_are_left_out() -> None:
    assert list(real_outputs_text({}, [PROBABILITY])) == []
    assert list(real_outputs_text({"dense": np.zeros((0, 1))}, [PROBABILITY])) == []
