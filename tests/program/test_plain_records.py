"""Records and plain data: one is the other, and what does not fit is named by its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import ProgramError
from femtodriver.program.plain_records import PlainValue, from_plain, to_plain


@dataclass(frozen=True)
class Inner:
    name: str
    size: int = 7


@dataclass(frozen=True)
class Outer:
    inner: Inner
    many: tuple[Inner, ...] = ()
    triple: tuple[int, int, str] | None = None
    by_number: Mapping[int, Inner] | None = None
    options: Mapping[str, PlainValue] | None = None


INNER = st.builds(Inner, st.text(max_size=5), st.integers(0, 2**64))
OUTER = st.builds(
    Outer,
    INNER,
    st.lists(INNER, max_size=3).map(tuple),
    st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9), st.text(max_size=3)),
    st.none() | st.dictionaries(st.integers(0, 99), INNER, max_size=3),
    st.none()
    | st.dictionaries(st.text(max_size=3), st.none() | st.booleans() | st.integers() | st.text(max_size=3), max_size=3),
)


@given(OUTER)
def test_plain_and_back(record: Outer) -> None:
    assert from_plain(Outer, to_plain(record), "x") == record


def test_none_is_left_out_and_the_order_is_that_of_the_fields() -> None:
    plain = to_plain(Outer(Inner("a"), triple=(1, 2, "b")))
    assert list(plain.items()) == [("inner", {"name": "a", "size": 7}), ("many", []), ("triple", [1, 2, "b"])]


def test_unknown_keys_are_left_alone_and_missing_ones_have_their_default() -> None:
    assert from_plain(Outer, {"inner": {"name": "a", "new": [1]}, "other": {}}, "x") == Outer(Inner("a"))


def test_numbers_as_keys_may_be_text() -> None:
    plain = {"inner": {"name": "a"}, "by_number": {"3": {"name": "b"}, 4: {"name": "c"}}}
    assert from_plain(Outer, plain, "x").by_number == {3: Inner("b"), 4: Inner("c")}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"inner": 5}, "inner: must be a mapping, not 5"),
        ({"inner": {}}, "inner.name: must be there, but is missing"),
        ({"inner": {"name": 5}}, "inner.name: must be text, not 5"),
        ({"inner": {"name": None}}, "inner.name: must be text, not None"),
        ({"inner": {"name": "a", "size": True}}, "inner.size: must be a whole number that is not negative, not True"),
        ({"inner": {"name": "a", "size": -1}}, "inner.size: must be a whole number that is not negative, not -1"),
        ({"inner": {"name": "a", "size": 1.0}}, "inner.size: must be a whole number that is not negative, not 1.0"),
        ({"many": {}}, "many: must be a list, not {}"),
        ({"many": "ab"}, "many: must be a list, not 'ab'"),
        ({"many": [{"name": "a"}, []]}, "many[1]: must be a mapping, not []"),
        ({"triple": [1, 2]}, "triple: must be a list of 3, not [1, 2]"),
        ({"triple": [1, 2, 3]}, "triple[2]: must be text, not 3"),
        ({"by_number": {"x": {}}}, "by_number: a key: must be a whole number that is not negative, not 'x'"),
        ({"by_number": {"9" * 5000: {}}}, "by_number: a key: must be a whole number that is not negative, not '999"),
        ({"by_number": {3: {"name": []}}}, "by_number[3].name: must be text, not []"),
        ({"options": {"a": [1]}}, "options['a']: must be a plain value, not [1]"),
        ({"options": {"a" * 500: []}}, "...aaaaaaaaaaaaa']: must be a plain value, not []"),
        ({"inner": [[[[[[[[[[["deep"]]]]]]]]]]]}, "inner: must be a mapping, not [[[[[[[...]]]]]]]"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ProgramError) as caught:
        from_plain(Outer, {"inner": {"name": "a"}, **changes}, "file")
    message = str(caught.value)
    assert message.startswith("file: ")
    assert sentence in message
    assert len(message) < 200


def test_what_is_no_record_at_all_is_named() -> None:
    with pytest.raises(ProgramError, match=r"^file: must be a mapping, not \[\]\.$"):
        from_plain(Outer, [], "file")
