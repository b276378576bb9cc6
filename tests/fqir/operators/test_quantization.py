"""The border between real numbers and integers."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.errors import InputError
from femtodriver.fqir.operators.quantization import dequantize, quantize
from tests.fqir.small_networks import applied


def test_quantize_floors_and_clamps_real_numbers() -> None:
    x = np.array([0.49, -0.01, 3.2, -3.2, np.inf, -np.inf], dtype=np.float32)
    assert quantize(x, -1, 3).tolist() == [0, -1, 3, -4, 3, -4]


def test_quantize_passes_integers_in_range_only() -> None:
    assert quantize(np.array([127, -128]), -7, 8).tolist() == [127, -128]
    with pytest.raises(InputError, match=r"quantize: integers must be from -128 to 127, not 128\."):
        quantize(np.array([0, 128]), -7, 8)
    with pytest.raises(InputError, match="must be finite or infinite, not NaN"):
        quantize(np.array([np.nan]), -7, 8)


def test_quantize_of_integers_inside_a_frame() -> None:
    assert applied("quantize", {"x": [5, -5]}, quanta=-3.0, bw=8) == [[5, -5]]


def test_dequantize_scales_by_a_power_of_two() -> None:
    result = dequantize(np.array([3, -1]), -2)
    assert result.dtype == np.float64
    assert result.tolist() == [0.75, -0.25]
