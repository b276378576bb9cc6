"""SOFTMAX: near to the judge, who has another arithmetic, and the same in all executors."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.errors import UnsupportedError
from femtodriver.tflite.import_network import import_network
from femtodriver.tflite.softmax_imports import MOST_COLUMNS
from tests.agree.agreement import EXACT, SHARED
from tests.tflite.compared_runs import agreed, compared
from tests.tflite.growing_net import GrowingNet
from tests.tflite.litert_judge import needs_judge
from tests.tflite.tflite_writer import write


def model(rows: int, columns: int, scale: float = 0.1, zero: int = 5) -> bytes:
    net = GrowingNet(np.random.default_rng(0))
    given = net.input([rows, columns], scale, zero)
    return write(net.model([given], [net.single("SOFTMAX", given, 1 / 256, -128, beta=1.0)]))


@needs_judge
@pytest.mark.parametrize("columns", [1, 2, 3, 12, MOST_COLUMNS])
def test_it_is_hardly_ever_off_and_then_by_one(columns: int) -> None:
    random = np.random.default_rng(columns)
    values = wrong = 0
    for scale in (0.01, 0.08, 0.5):
        frames = list(random.integers(-128, 128, (30, columns)).astype(np.int8))
        found = compared(model(1, columns, scale), frames)
        assert all(place.endswith(": 1, by up to 1") for place in found.wrong)
        values, wrong = values + found.values, wrong + len(found.wrong)
    assert wrong <= 1 + values // 5000


def test_executors_agree_on_rows() -> None:
    frames = list(np.random.default_rng(1).integers(-128, 128, (3, 2 * 5)).astype(np.int8))
    assert agreed(model(2, 5), frames).kind in (EXACT, SHARED)


def test_more_columns_than_sums_have_room_for_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="must have at most 64 rows of 32 elements, not 1 of 33"):
        import_network(model(1, MOST_COLUMNS + 1), "m")
