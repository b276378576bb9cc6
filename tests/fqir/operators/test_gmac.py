"""gmac_v2: one floor at the end, split outputs, and the bits lost to wide operands."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fqir.small_networks import applied

EMPTY: dict[str, Any] = {"shamts_vv": (), "shamts_vi": (), "immediates_vi": ()}


def gmac(arrays: dict[str, Any], bits: tuple[int, ...], dtypes: dict[str, str] | None = None, **changed: Any) -> Any:
    return applied("gmac_v2", arrays, len(bits), (), dtypes, **{**EMPTY, **changed, "bits_out": bits})


def test_the_sum_is_floored_once() -> None:
    # 3/4 + 3/4 = 1.5 -> 1; floors of the terms would give 0
    arrays = {"x_vi_0": [3, -3], "x_vi_1": [3, -3]}
    assert gmac(arrays, (16,), shamts_vi=(-2, -2), immediates_vi=(1, 1)) == [[1, -2]]


def test_terms_of_different_shifts_are_aligned_exactly() -> None:
    # 1 * 2 / 2**1 + 3 * 5 / 2**3 = 1 + 1.875 = 2.875 -> 2
    arrays = {"x_vv_0": [1], "y_vv_0": [2], "x_vi_0": [3]}
    assert gmac(arrays, (16,), shamts_vv=(-1,), shamts_vi=(-3,), immediates_vi=(5,)) == [[2]]


def test_left_shifts_lose_the_low_bits_of_the_other_terms() -> None:
    # F = 2: (1 * 2**2 + 7) -> 2**2 * floor(11 / 4) = 8
    arrays = {"x_vi_0": [1], "x_vi_1": [7]}
    assert gmac(arrays, (16,), shamts_vi=(2, 0), immediates_vi=(1, 1)) == [[8]]


def test_the_low_parts_are_not_negative_and_the_last_is_signed() -> None:
    low, high = gmac({"x_vi_0": [-1, 5000, -5000]}, (13, 12), shamts_vi=(0,), immediates_vi=(1,))
    assert low == [4095, 904, 3192]
    assert high == [-1, 1, -2]
    assert [a + 4096 * b for a, b in zip(low, high, strict=True)] == [-1, 5000, -5000]


def test_three_parts() -> None:
    parts = gmac({"x_vi_0": [-70000]}, (8, 9, 9), shamts_vi=(0,), immediates_vi=(1,))
    assert parts == [[16], [221], [-3]]
    assert 16 + 128 * 221 + 128 * 256 * -3 == -70000


def test_saturates_to_the_width_of_all_parts_together() -> None:
    # 13 + 12 - 1 = 24 bits
    assert gmac({"x_vi_0": [1 << 25, -(1 << 25)]}, (13, 12), shamts_vi=(0,), immediates_vi=(1,)) == [
        [4095, 0],
        [2047, -2048],
    ]


def test_parts_beyond_64_bits_do_not_saturate() -> None:
    parts = gmac({"x_vi_0": [-1]}, (32, 32, 32), shamts_vi=(0,), immediates_vi=(1,))
    assert parts == [[2**31 - 1], [2**31 - 1], [-1]]


def test_an_operand_declared_24_bits_wide_loses_bits() -> None:
    # one wide operand: F = -10 + 12 = 2, so 7 becomes 4; two: F = -22 + 24 = 2
    arrays = {"x_vv_0": [7 << 10], "y_vv_0": [1]}
    assert gmac(arrays, (16,), shamts_vv=(-10,)) == [[7]]
    assert gmac(arrays, (16,), {"x_vv_0": "fqint24"}, shamts_vv=(-10,)) == [[4]]
    arrays = {"x_vv_0": [7 << 10], "y_vv_0": [1 << 12]}
    assert gmac(arrays, (16,), shamts_vv=(-22,)) == [[7]]
    assert gmac(arrays, (16,), {"x_vv_0": "int24", "y_vv_0": "int24"}, shamts_vv=(-22,)) == [[4]]


def test_a_wide_immediate_loses_bits() -> None:
    # m = 2**16 needs two parts: candidate s + max(8, min(-s, 12)) = -6 + 8 = 2
    assert gmac({"x_vi_0": [7]}, (16,), shamts_vi=(-16,), immediates_vi=(1 << 16,)) == [[7]]
    assert gmac({"x_vi_0": [7]}, (32,), shamts_vi=(-6,), immediates_vi=(1 << 16,)) == [[7168]]
    arrays = {"x_vi_0": [7], "x_vi_1": [3]}
    assert gmac(arrays, (32,), shamts_vi=(-6, 0), immediates_vi=(1 << 16, 1)) == [[7168]]  # 7171 without loss


def test_a_24_bit_operand_with_an_immediate() -> None:
    # h = -2 + 12 = 10, 1 * 2**10 fits 24 bits: candidate (1024, 0) -> 0. Nothing lost.
    assert gmac({"x_vi_0": [7]}, (16,), {"x_vi_0": "int24"}, shamts_vi=(-2,), immediates_vi=(4,)) == [[7]]
    # h = -1 + 12 = 11, 2**15 * 2**11 does not fit 24 bits: candidate (32768, 11) -> 11 + 8 = 19
    assert gmac({"x_vi_0": [100]}, (32,), {"x_vi_0": "int24"}, shamts_vi=(-1,), immediates_vi=(1 << 15,)) == [[3 << 19]]


def test_terms_broadcast() -> None:
    arrays = {"x_vv_0": [2], "y_vv_0": [1, 2, 3], "x_vi_0": [1]}
    assert gmac(arrays, (16,), shamts_vv=(0,), shamts_vi=(0,), immediates_vi=(10,)) == [[12, 14, 16]]


@st.composite
def narrow_sums(draw: st.DrawFn) -> tuple[list[tuple[int, int, int]], tuple[int, ...]]:
    small = st.integers(-32768, 32767)
    terms = draw(st.lists(st.tuples(small, small, st.integers(-40, 6)), min_size=1, max_size=5))
    return terms, tuple(draw(st.lists(st.integers(2, 20), min_size=1, max_size=3)))


@settings(max_examples=200, deadline=None)
@given(narrow_sums())
def test_equals_the_closed_form_in_exact_rationals(case: tuple[list[tuple[int, int, int]], tuple[int, ...]]) -> None:
    terms, bits = case
    arrays = {f"x_vi_{index}": [value] for index, (value, _, _) in enumerate(terms)}
    shifts = tuple(shift for _, _, shift in terms)
    parts = gmac(arrays, bits, shamts_vi=shifts, immediates_vi=tuple(m for _, m, _ in terms))
    lost = max(0, *shifts)
    total = sum(Fraction(x * m) * Fraction(2) ** s for x, m, s in terms)
    value = (1 << lost) * floor(total / (1 << lost))
    width = sum(bits) - len(bits) + 1
    value = max(-(1 << width - 1), min((1 << width - 1) - 1, value))
    weight, rebuilt = 1, 0
    for part, (number,) in zip(bits, parts, strict=True):
        rebuilt += number * weight
        weight <<= part - 1
    assert rebuilt == value
    assert all(0 <= number < 1 << part - 1 for part, (number,) in zip(bits[:-1], parts, strict=False))
