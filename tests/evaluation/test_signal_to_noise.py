"""The ratios against their definition, in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.arrays import Int64Array
from femtodriver.errors import UsageError
from femtodriver.evaluation.signal_to_noise import Ratios, SignalToNoise, output_factor
from femtodriver.inputs import InputSpec


def ratios(s: Int64Array, x: Int64Array, y: Int64Array, delay: int, block: int, factor: float = 1.0) -> Ratios:
    found = SignalToNoise(len(s), delay, factor)
    for first in range(0, len(s), block):
        end = first + block
        found.see(s[first:end], x[first:end], y[first:end])
    return found.ratios()


@pytest.mark.parametrize("delay", [0, 1, 7, 64])
@pytest.mark.parametrize("block", [1, 5, 100])
def test_the_definition_holds_for_every_delay_and_block(delay: int, block: int) -> None:
    random = np.random.default_rng(3)
    s, x, y = random.integers(-1000, 1000, (3, 100))
    n = 100 - delay
    late = y[delay:] * 0.5
    expected = [10 * np.log10((s[:n] ** 2).sum() / ((other - s[:n]) ** 2).sum()) for other in (x[:n], late)]
    found = ratios(s, x, y, delay, block, 0.5)
    assert [found.snr_in_db, found.snr_out_db] == pytest.approx(expected)


def test_a_delayed_copy_is_clean() -> None:
    s = np.arange(1, 50)
    y = np.concatenate([[99, 99, 99], s[:-3]])
    assert ratios(s, s + 1, y, 3, 10).snr_out_db is None
    assert ratios(s, s + 1, y + 1, 3, 10).snr_out_db == pytest.approx(ratios(s, s + 1, y, 3, 10).snr_in_db)


def test_silence_has_no_ratio() -> None:
    zeros = np.zeros(8, np.int64)
    assert ratios(zeros, zeros + 1, zeros + 1, 0, 4) == Ratios(None, None)
    assert ratios(zeros + 1, zeros, zeros, 20, 4) == Ratios(None, None)


def test_units_of_output_and_input() -> None:
    one, two = InputSpec("x", 4, 16, quanta=-15), InputSpec("y", 4, 16, quanta=-13)
    assert output_factor((one,), (two,), None) == 4.0
    assert output_factor((one,), (InputSpec("y", 4, 16),), None) == 1.0
    assert output_factor((one,), (InputSpec("y", 2, 16),), 2) == 1.0


@pytest.mark.parametrize(
    ("widths", "hop"), [(((4,), (2,)), None), (((4, 4), (4,)), None), (((4,), (8,)), 8), (((4,), ()), None)]
)
def test_other_models_are_refused(widths: tuple[tuple[int, ...], tuple[int, ...]], hop: int | None) -> None:
    inputs, outputs = (tuple(InputSpec(f"v{width}", width, 16) for width in side) for side in widths)
    with pytest.raises(
        UsageError, match=r"^references: the model must have one input and one output, and put out a sample"
    ):
        output_factor(inputs, outputs, hop)
