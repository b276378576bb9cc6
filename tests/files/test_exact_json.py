"""JSON of which all readers make the same."""

from __future__ import annotations

import pytest

from femtodriver.errors import ModelError
from femtodriver.files.exact_json import load_exact_json


def load(data: bytes, most: int = 1000) -> object:
    return load_exact_json(data, "net", ModelError, most)


def test_values_are_those_of_json() -> None:
    text = b' {"a": [1, -2.5, 1e3, "\xc3\xbc\\u0041", true, null, {}], "b": 18446744073709551615} '
    assert load(text) == {"a": [1, -2.5, 1000.0, "\xfcA", True, None, {}], "b": (1 << 64) - 1}
    assert isinstance(load(b"1.0"), float)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "net: must be JSON: "),
        (b"{} {}", "Extra data"),
        (b"\xef\xbb\xbf1", "net: must be JSON: "),
        (b'"\xff"', "net: must be JSON in UTF-8"),
        (b'"a\nb"', "Invalid control character"),
        (b"[1,]", "net: must be JSON: "),
        (b'{"a": 1, "b": 2, "a": 1}', "each member once, not 'a' twice"),
        (b'[{"a\\u001b": 1, "a\\u001b": 1}]', r"not 'a\\x1b' twice"),
        (b"NaN", "a number must be finite, not 'NaN'"),
        (b"[-Infinity]", "a number must be finite, not '-Infinity'"),
        (b"1e400", "a number must be finite, not '1e400'"),
        (b"1" + b"0" * 40, "a number must have at most 40 characters"),
        (b"0." + b"1" * 39, "a number must have at most 40 characters"),
        (b"36893488147419103232", "at most 64 bits"),
        (b"[" * 33 + b"]" * 33, "nested at most 32 deep"),
        (b"[" * 900, "net: must be JSON|nested at most 32 deep"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(ModelError, match=says) as refused:
        load(data)
    assert str(refused.value).startswith("net: ")


def test_values_are_counted_before_anything_is_parsed() -> None:
    assert load(b'{"a": [1, 2]}', 4) == {"a": [1, 2]}
    with pytest.raises(ModelError, match=r"at most 3 of the characters \[ { , : and not 4"):
        load(b'{"a": [1, 2]', 3)
