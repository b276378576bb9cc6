"""Masked arrays are found, and their module is not loaded for the question."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from femtodriver.arrays import is_masked

PROGRAM = """
import sys
import numpy as np
from femtodriver.arrays import is_masked
before = "numpy.ma" in sys.modules
print(is_masked(np.zeros(3)), ("numpy.ma" in sys.modules) == before)
"""


@pytest.mark.parametrize(
    ("values", "masked"),
    [
        (np.ma.array([1, 2], mask=[False, True]), True),
        (np.ma.array(1, mask=True), True),
        (np.ma.array([(1, 2)], mask=[(True, False)], dtype=[("a", int), ("b", int)]), True),
        (np.ma.array([1, 2]), False),
        (np.ma.array([1, 2], mask=[False, False]), False),
        (np.array([1, 2]), False),
        ([1, 2], False),
        (None, False),
    ],
)
def test_masked(values: object, masked: bool) -> None:
    assert is_masked(values) is masked


def test_the_question_does_not_load_the_module() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True"]
