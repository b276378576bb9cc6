"""Elementwise arithmetic against numbers worked out by hand from the specification."""

from __future__ import annotations

from typing import Any

import pytest

from femtodriver.errors import ModelError
from tests.fqir.small_networks import applied

ALIGNED: dict[str, Any] = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "rounded": False}


def aligned(op: str, arrays: dict[str, Any], **changed: Any) -> Any:
    return applied(op, arrays, **{**ALIGNED, **changed})[0]


def test_vvadd_floors_each_operand_on_its_own() -> None:
    # -1 >> 1 = -1 and 1 >> 1 = 0; the sum of both floors is -1, the floor of the sum would be 0
    assert aligned("vvadd", {"x": [-1, 3], "y": [1, 3]}, shamt_x=-1, shamt_y=-1) == [-1, 2]


def test_alignment_is_never_rounded() -> None:
    changed = {"shamt_x": -1, "shamt_y": -1, "rounded": True}
    assert aligned("vvadd", {"x": [3], "y": [3]}, **changed) == [2]
    assert aligned("vvsub", {"x": [3], "y": [-1]}, **changed) == [2]
    assert aligned("viadd", {"x": [3]}, **changed, y=3) == [2]


def test_vvadd_result_is_rounded_half_up() -> None:
    x = [3, -3, 1, -1, 2]
    assert aligned("vvadd", {"x": x, "y": [0] * 5}, shamt_bwred=-1, rounded=True) == [2, -1, 1, 0, 1]
    assert aligned("vvadd", {"x": x, "y": [0] * 5}, shamt_bwred=-1, rounded=False) == [1, -2, 0, -1, 1]


def test_vvadd_saturates_after_a_left_shift() -> None:
    assert aligned("vvadd", {"x": [100, -100], "y": [1, -1]}, shamt_bwred=4, bw=8) == [127, -128]


def test_vvadd_broadcasts_one_element() -> None:
    assert aligned("vvadd", {"x": [10], "y": [1, 2, 3]}) == [11, 12, 13]


def test_vvadd_without_rounded_floors() -> None:
    constants = {key: value for key, value in ALIGNED.items() if key != "rounded"} | {"shamt_bwred": -1}
    assert applied("vvadd", {"x": [3], "y": [0]}, **constants) == [[1]]


def test_vvadd_ignores_the_operand_widths() -> None:
    assert aligned("vvadd", {"x": [300], "y": [0]}, bw_x=8, bw_y=8) == [300]


def test_vvsub_shifts_then_subtracts() -> None:
    assert aligned("vvsub", {"x": [5, -5], "y": [3, 3]}, shamt_x=1, shamt_y=-1) == [9, -11]


def test_viadd_aligns_its_immediate_with_a_floor() -> None:
    assert aligned("viadd", {"x": [10, -10]}, y=-3, shamt_y=-1) == [8, -12]
    assert aligned("viadd", {"x": [1]}, y=3, shamt_y=2, shamt_bwred=1) == [26]


def test_shift_of_minus_63_leaves_the_sign() -> None:
    assert aligned("vvadd", {"x": [5, -5], "y": [0, 0]}, shamt_x=-63) == [0, -1]
    assert applied("shift", {"x": [5, -5]}, shamt=-63, bw=16, rounded=False) == [[0, -1]]
    assert applied("shift", {"x": [5, -5]}, shamt=-63, bw=16, rounded=True) == [[0, 0]]


def test_shift_left_and_saturate() -> None:
    assert applied("shift", {"x": [1, -1, 40, -40]}, shamt=2, bw=8, rounded=True) == [[4, -4, 127, -128]]


def test_shift_rounds_ties_upwards() -> None:
    assert applied("shift", {"x": [6, -6, 2, -2]}, shamt=-2, bw=8, rounded=True) == [[2, -1, 1, 0]]


def test_shift_wraps_modulo_2_to_the_64() -> None:
    # 3 * 2**63 mod 2**64 = 2**63 = -2**63, which saturates downwards; 2 * 2**63 = 0
    assert applied("shift", {"x": [3, 2]}, shamt=63, bw=16, rounded=False) == [[-32768, 0]]


def test_vvmul_multiplies_rounds_and_saturates() -> None:
    arrays = {"x": [300, -300, 3], "y": [300, 300, -1]}
    assert applied("vvmul", arrays, shamt_bwred=-1, bw=16, rounded=True) == [[32767, -32768, -1]]
    assert applied("vvmul", arrays, shamt_bwred=-4, bw=16, rounded=False) == [[5625, -5625, -1]]


def test_vimul_multiplies_by_its_immediate() -> None:
    assert applied("vimul", {"x": [7, -7]}, y=-3, shamt_bwred=-2, bw=8, rounded=False) == [[-6, 5]]


def test_vimul_reduces_its_operand_to_32_bits() -> None:
    assert applied("vimul", {"x": [(1 << 32) + 5, 1 << 31]}, y=1, shamt_bwred=-16, bw=32, rounded=False) == [
        [0, -32768]
    ]


def test_vneg_saturates_the_most_negative_number() -> None:
    assert applied("vneg", {"x": [-128, 127, 0]}, bw=8) == [[127, -127, 0]]


def test_relu() -> None:
    assert applied("relu", {"x": [-5, 0, 5]}) == [[0, 0, 5]]


def bool_mul(x: Any, y_bool: Any, out: str = "int24", x_type: str = "int24", **constants: Any) -> Any:
    """The product with a parameter of these numbers."""
    types = {"x": x_type, "out0": out}
    return applied("temp_i24_bool_mul", {"x": x, "y_bool": y_bool}, 1, ["y_bool"], types, **constants)[0]


def test_temp_i24_bool_mul_does_not_saturate() -> None:
    x = [8388607, -8388608, 5]
    assert bool_mul(x, [1, 1, 0], "int25", shamt=1, rounded=False) == [16777214, -16777216, 0]
    assert bool_mul(x, [1, 1, 1], shamt=0, rounded=False) == x
    assert bool_mul([3, -3], [1], shamt=-1, rounded=True) == [2, -1]
    assert bool_mul([-3, 7], [-5, 3], "int16", "int8", shamt=0, rounded=False) == [15, 21]


@pytest.mark.parametrize(
    ("y_bool", "out", "shamt", "needed"),
    [([1, 2], "int24", 0, 25), ([0, -1], "int24", 0, 25), ([1, 1], "int24", 1, 25), ([1, 0], "", 9, 33)],
)
def test_temp_i24_bool_mul_refuses_a_product_that_its_output_cannot_hold(
    y_bool: list[int], out: str, shamt: int, needed: int
) -> None:
    with pytest.raises(ModelError) as caught:
        bool_mul([1, 2], y_bool, out, shamt=shamt, rounded=False)
    assert str(caught.value) == (
        'network "net", graph ARITH, node 0 ("out0", operator temp_i24_bool_mul): the product must fit the type of the'
        f" output, as it does if y_bool is 0 or 1, not need {needed} bits for {out[3:] or 32}, with y_bool from"
        f" {min(y_bool)} to {max(y_bool)}. Correct the graph, or export the model again with fmot."
    )


@pytest.mark.parametrize(
    ("dim", "keepdim", "expected"),
    [(0, False, [5, 7]), (-1, True, [[3], [9]]), ((0, 1), False, 12), ((0, 1), True, [[12]])],
)
def test_sum_along_axes(dim: Any, keepdim: bool, expected: Any) -> None:
    assert applied("sum", {"x": [[1, 2], [4, 5]]}, dim=dim, keepdim=keepdim, shamt_bwred=0, bw=16) == [expected]


def test_sum_floors_and_saturates() -> None:
    assert applied("sum", {"x": [-1, -2]}, dim=0, keepdim=True, shamt_bwred=-1, bw=8) == [[-2]]
    assert applied("sum", {"x": [100, 100]}, dim=0, keepdim=True, shamt_bwred=0, bw=8) == [[127]]
