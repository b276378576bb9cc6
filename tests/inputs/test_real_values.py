"""Real numbers as integers: the same ones that a network makes, clipped and counted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import InputError, UsageError
from femtodriver.fqir.operators.quantization import quantize
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.real_values import REAL, RealValues, factor_of, real_values

X = InputSpec("x", 3, 16, quanta=-14)


def test_a_factor_is_a_number_or_follows_from_the_quanta() -> None:
    assert factor_of(REAL, X) == 2.0**14
    assert factor_of(REAL, InputSpec("x", 3, 16, quanta=2)) == 0.25
    assert factor_of(3, X) == 3.0
    assert factor_of("0.5", X) == 0.5


@pytest.mark.parametrize("scale", [None, True, 0, -1, "", "fake", math.nan, math.inf, [1], 10**400, "1e999"])
def test_other_scales_are_refused(scale: Any) -> None:
    with pytest.raises(UsageError, match="scale: must be 'real' or a positive number, not "):
        factor_of(scale, X)


def test_a_zero_point_means_the_nearest_integer() -> None:
    spec = InputSpec("x", 5, 8, quanta=-2, zero_point=-28)
    convert = real_values(spec, REAL)
    assert convert(np.array([[0.0, 0.125, -0.125, 0.374, 100.0]]), 0).tolist() == [[-28, -27, -29, -27, 127]]
    assert convert.notes == ('input "x": 1 of 5 values clipped to -128..127; the farthest was 100 (times 4)',)
    assert spec.real(np.array([-28, -27])).tolist() == [0.0, 0.25]


def test_a_scale_survives_its_logarithm() -> None:
    scales = np.exp(np.random.default_rng(3).uniform(-20, 5, 1000)).astype(np.float32)
    steps = [InputSpec("x", 1, 8, quanta=math.log2(scale), zero_point=0).step for scale in scales]
    assert steps == scales.tolist()


def test_a_factor_knows_no_zero_point() -> None:
    spec = InputSpec("x", 2, 8, quanta=-2, zero_point=-28)
    assert real_values(spec, 2.0)(np.array([[0.9, -0.9]]), 0).tolist() == [[1, -2]]


def test_unknown_quanta_need_a_number() -> None:
    with pytest.raises(UsageError, match='input "x": the program does not state the quanta of this input'):
        factor_of(REAL, InputSpec("x", 3, 16))


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30), st.integers(-20, 4), st.sampled_from([8, 16, 24]))
def test_the_integers_are_those_of_the_networks_own_quantization(values: list[float], quanta: int, bits: int) -> None:
    spec = InputSpec("x", 1, bits, quanta=quanta)
    frames = np.array(values).reshape(-1, 1)
    assert np.array_equal(RealValues(spec, factor_of(REAL, spec))(frames, 0), quantize(frames, quanta, bits))


def test_values_are_rounded_down_or_to_the_nearest() -> None:
    frames = np.array([[0.5, -0.5, 0.49], [1.5, -1.5, -0.51]])
    spec = InputSpec("x", 3, 16)
    assert RealValues(spec, 1.0)(frames, 0).tolist() == [[0, -1, 0], [1, -2, -1]]
    assert RealValues(spec, 1.0, half_up=True)(frames, 0).tolist() == [[1, 0, 0], [2, -1, -1]]


def test_integers_of_audio_are_parts_of_full_scale() -> None:
    frames = np.array([[-32768, 1, 32767]], np.int16)
    assert RealValues(X, 2.0**14, unit=2.0**-15)(frames, 0).tolist() == [[-16384, 0, 16383]]


def test_what_is_clipped_is_counted_and_told() -> None:
    convert = RealValues(X, 2.0**14)
    assert convert(np.array([[0.0, 1.0, -2.0]]), 0).tolist() == [[0, 16384, -32768]]
    assert not convert.notes
    assert convert(np.array([[2.0, -3.0, 1.0]]), 1).tolist() == [[32767, -32768, 16384]]
    assert convert.notes == ('input "x": 2 of 6 values clipped to -32768..32767; the farthest was -3 (times 16384)',)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_what_is_no_number_is_refused(value: float, dtype: str) -> None:
    frames = np.zeros((2, 3), dtype)
    frames[1, 2] = value
    with pytest.raises(InputError, match=r'input "x": frame 8, element 2: must be a finite number, not -?(nan|inf)\.'):
        RealValues(X, 1.0)(frames, 7)


def test_a_signalling_nan_causes_no_warning_of_numpy() -> None:
    frames = np.zeros((1, 3), np.float32)
    frames.view(np.uint32)[0, 0] = 0x7F800001
    with pytest.raises(InputError, match="frame 0, element 0: must be a finite number, not nan"):
        RealValues(X, 1.0)(frames, 0)


def test_huge_numbers_are_clipped() -> None:
    frames = np.array([[1e308, -1e308, 0.0]])
    assert RealValues(X, 1e10)(frames, 0).tolist() == [[32767, -32768, 0]]


@pytest.mark.parametrize("dtype", [bool, complex, "U1", object])
def test_other_types_are_refused(dtype: Any) -> None:
    with pytest.raises(InputError, match='input "x": must hold real numbers, not '):
        RealValues(X, 1.0)(np.zeros((1, 3), dtype), 0)
