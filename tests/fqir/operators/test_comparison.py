"""Comparisons and logic: raw integers, zero or one."""

from __future__ import annotations

import pytest

from tests.fqir.small_networks import applied

X, Y = [-2, 0, 3, 3], [1, 0, 3, -3]


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("vvgt", [0, 0, 0, 1]),
        ("vvge", [0, 1, 1, 1]),
        ("vvlt", [1, 0, 0, 0]),
        ("vvle", [1, 1, 1, 0]),
        ("vveq", [0, 1, 1, 0]),
        ("vvmax", [1, 0, 3, 3]),
        ("vvmin", [-2, 0, 3, -3]),
    ],
)
def test_pairs_are_compared_as_raw_integers(op: str, expected: list[int]) -> None:
    assert applied(op, {"x": X, "y": Y}) == [expected]


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("vigt", [0, 0, 0, 1]),
        ("vige", [0, 0, 1, 1]),
        ("vilt", [1, 1, 0, 0]),
        ("vile", [1, 1, 1, 0]),
        ("vieq", [0, 0, 1, 0]),
    ],
)
def test_immediates_are_compared(op: str, expected: list[int]) -> None:
    assert applied(op, {"x": [-7, -6, -5, -4]}, imm=-5) == [expected]


@pytest.mark.parametrize(("op", "expected"), [("vvand", [1, 0, 0, 0]), ("vvor", [1, 1, 1, 0]), ("vvxor", [0, 1, 1, 0])])
def test_logic_tests_against_zero_and_is_not_bitwise(op: str, expected: list[int]) -> None:
    assert applied(op, {"x": [2, -4, 0, 0], "y": [1, 0, 8, 0]}) == [expected]


@pytest.mark.parametrize(
    ("op", "imm", "expected"),
    [
        ("viand", 8, [1, 0, 1]),
        ("viand", 0, [0, 0, 0]),
        ("vior", -1, [1, 1, 1]),
        ("vior", 0, [1, 0, 1]),
        ("vixor", 2, [0, 1, 0]),
        ("vixor", 0, [1, 0, 1]),
    ],
)
def test_logic_with_an_immediate(op: str, imm: int, expected: list[int]) -> None:
    assert applied(op, {"x": [1, 0, -6]}, imm=imm) == [expected]


def test_gt0_ignores_its_width() -> None:
    assert applied("gt0", {"x": [-1, 0, 1, 500]}, bw=8) == [[0, 0, 1, 1]]
    assert applied("gt0", {"x": [2]}) == [[1]]
