"""Ropes behave like the arrays of element numbers that they stand for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.compiler.fmir.ir import View
from femtodriver.compiler.frontend import ropes
from femtodriver.compiler.frontend.ropes import Rope

_SPACE = 100  # element numbers of one buffer and cursor

views = st.builds(
    View,
    st.sampled_from("ab"),
    st.integers(0, 20),
    st.integers(1, 9),
    st.sampled_from([1, 1, 1, 0]),
    st.sampled_from(["", "", "c0"]),
)
some_ropes = st.lists(views, max_size=6).map(tuple)


def elements(rope: Rope) -> npt.NDArray[np.int64]:
    """A number for each element: equal for the same element of a buffer, different for others."""
    parts = [np.zeros(0, np.int64)]
    for view in rope:
        base = ("ab".index(view.buffer) * 2 + ["", "c0"].index(view.cursor)) * _SPACE
        parts.append(base + view.offset + view.step * np.arange(view.length))
    return np.concatenate(parts)


@given(st.lists(some_ropes, max_size=4))
def test_join_is_concatenation(parts: list[Rope]) -> None:
    joined = ropes.join(parts)
    assert elements(joined).tolist() == [number for rope in parts for number in elements(rope)]
    assert ropes.length(joined) == sum(map(ropes.length, parts))


@pytest.mark.slow
@given(st.lists(some_ropes, max_size=4))
def test_join_leaves_no_view_that_continues_the_one_before(parts: list[Rope]) -> None:
    joined = ropes.join(parts)
    assert ropes.join([joined]) == joined
    for last, view in pairwise(joined):
        same = (last.buffer, last.cursor, last.step) == (view.buffer, view.cursor, 1) and view.step == 1
        assert not (same and last.end == view.offset)


def test_empty_views_vanish() -> None:
    assert ropes.join([(View("a", 3, 0),), (View("a", 0, 2),), (View("a", 2, 0), View("a", 2, 1))]) == (
        View("a", 0, 3),
    )


@given(some_ropes, st.data())
def test_part_is_a_slice(rope: Rope, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, ropes.length(rope)))
    end = data.draw(st.integers(first, ropes.length(rope)))
    assert elements(ropes.part(rope, first, end)).tolist() == elements(rope)[first:end].tolist()


@given(some_ropes, st.data())
def test_take_is_take(rope: Rope, data: st.DataObject) -> None:
    size = ropes.length(rope)
    indices = data.draw(st.lists(st.integers(0, size - 1), max_size=12)) if size else []
    assert elements(ropes.take(rope, indices)).tolist() == elements(rope)[indices].tolist()


@given(views, st.integers(0, 9))
def test_spread_repeats_one_element(view: View, count: int) -> None:
    one = ropes.part((view,), 0, 1)
    assert elements(ropes.spread(one, count)).tolist() == elements(one).tolist() * count


@given(some_ropes, st.data())
def test_aligned_cuts_where_any_rope_changes_its_view(rope: Rope, data: st.DataObject) -> None:
    size = ropes.length(rope)
    cut = data.draw(st.integers(0, size))
    other = ropes.join([(View("x", 0, cut), View("y", 0, size - cut))])
    ranges = ropes.aligned([rope, other])
    assert [number for first, end in ranges for number in range(first, end)] == list(range(size))
    for first, end in ranges:
        assert len(ropes.part(rope, first, end)) == len(ropes.part(other, first, end)) == 1


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.data())
def test_cutting_in_one_walk_gives_the_parts(lengths: list[int], data: st.DataObject) -> None:
    rope = tuple(View(f"b{place}", 3 * place, length, place % 2) for place, length in enumerate(lengths))
    size = ropes.length(rope)
    inner = data.draw(st.sets(st.integers(1, size), max_size=5))
    ends = sorted({0, size, *inner})
    ranges = list(pairwise(ends))
    assert ropes.cut(rope, ranges) == [ropes.part(rope, first, end) for first, end in ranges]
