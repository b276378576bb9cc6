"""Cheaper forms give what the operation gives, on values that reach the limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.interpreter import apply_vec
from femtodriver.compiler.fmir.ir import Post, Vec, View
from femtodriver.compiler.frontend.ropes import Rope
from femtodriver.compiler.frontend.simplify import Side, simplified, unchanged

X: Rope = (View("x", 0, 4),)
SAT16 = Post(0, False, "saturate", 16)


def number(value: Side) -> int | None:
    return value if isinstance(value, int) else None


def op(name: str, post: Post = SAT16, shift_a: int = 0, shift_b: int = 0) -> Vec:
    return Vec(name, View("", 0, 4), 0, 0, shift_a, shift_b, post)


def simple(vec: Vec, a: Side, b: Side, bits: int = 16) -> tuple[Vec, Side, Side]:
    return simplified(vec, a, b, number, lambda side: bits)


def same(vec: Vec, a: Side, b: Side, bits: int = 16) -> Rope | None:
    return unchanged(vec, a, b, number, lambda side: bits)


def values(side: Side, x: Int64Array) -> Int64Array:
    return np.array([side]) if isinstance(side, int) else x


posts = st.builds(
    Post, st.integers(-63, 31), st.booleans(), st.sampled_from(["none", "saturate", "low"]), st.integers(1, 32)
)


@given(
    st.integers(0, 32).flatmap(lambda k: st.sampled_from([1 << k, -1 << k])),
    posts,
    st.sampled_from([8, 16, 32]),
    st.lists(st.floats(-1, 1), min_size=1, max_size=9),
    st.booleans(),
)
def test_factors_that_are_powers_of_two(factor: int, post: Post, bits: int, parts: list[float], left: bool) -> None:
    limit = 1 << (bits - 1)
    x = np.array([-limit, limit - 1, 0, 1, -1, *(int(part * (limit - 1)) for part in parts)], np.int64)
    vec = op("vmul", post)
    a, b = (X, factor) if left else (factor, X)
    after, new_a, new_b = simple(vec, a, b, bits)
    assert after.op == ("vmul" if abs(factor) >= 1 << 31 else "vpass" if factor > 0 else "vsub")
    wanted = apply_vec(vec, values(a, x), values(b, x))
    found = apply_vec(after, values(new_a, x), values(new_b, x))
    assert np.array_equal(np.broadcast_to(found, x.shape), wanted)


@pytest.mark.parametrize("factor", [0, 3, -5, 16513])
def test_other_factors_stay(factor: int) -> None:
    assert simple(op("vmul"), X, factor) == (op("vmul"), X, factor)


def test_what_stays_a_product() -> None:
    assert simple(op("vmul"), X, 8, 64)[0].op == "vmul"  # the product may wrap
    assert simple(op("vmul", shift_a=-1), X, 8)[0].op == "vmul"
    assert simple(op("vmul"), X, X)[0].op == "vmul"
    for shift, name in ((60, "vpass"), (61, "vmul")):  # no instruction shifts by 64
        assert simple(op("vmul", Post(shift, False, "saturate", 16)), X, 8)[0].op == name
    assert simple(op("vadd"), X, 8)[0].op == "vadd"


UNCHANGED = [
    (op("vadd"), X, 0),
    (op("vadd", shift_b=-41), X, 0),
    (op("vadd"), 0, X),
    (op("vsub"), X, 0),
    (op("vpass"), X, 0),
    (op("vpass"), X, 7),
    (op("vadd", Post()), X, 0),
    (op("vadd", Post(0, False, "saturate", 20)), X, 0),
]


@pytest.mark.parametrize("case", UNCHANGED)
def test_results_that_are_an_operand(case: tuple[Vec, Side, Side]) -> None:
    assert same(*case) == X
    vec, a, b = case
    x = np.array([-(1 << 15), -1, 0, (1 << 15) - 1])
    assert np.array_equal(apply_vec(vec, values(a, x), values(b, x)), x)


CHANGED = [
    (op("vsub"), 0, X),
    (op("vadd"), X, 1),
    (op("vadd"), X, X),
    (op("vadd", shift_a=-1), X, 0),
    (op("vadd", shift_b=-1), 0, X),
    (op("vpass", shift_a=1), X, 0),
    (op("vadd", Post(-1)), X, 0),
    (op("vadd", Post(0, False, "saturate", 15)), X, 0),
    (op("vadd", Post(0, False, "low", 16)), X, 0),
    (op("vmax"), X, 0),
    (op("vmul"), X, 0),
]


@pytest.mark.parametrize("case", CHANGED)
def test_results_that_are_none(case: tuple[Vec, Side, Side]) -> None:
    assert same(*case) is None


def test_wide_values_stay_only_without_a_clip() -> None:
    assert same(op("vadd", Post()), X, 0, 64) == X
    assert same(op("vadd"), X, 0, 64) is None
