"""TOML and JSON from files: what is deep, long or broken is refused in one sentence, on every Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from femtodriver.errors import FemtoError, ProgramError, UsageError
from femtodriver.files.plain_json import load_json
from femtodriver.files.plain_toml import load_toml

Load = Callable[[bytes, str, type[FemtoError]], Any]
LOADERS = [pytest.param(load_toml, id="toml"), pytest.param(load_json, id="json")]


def refusal(load: Load, data: bytes) -> str:
    with pytest.raises(UsageError) as caught:
        load(data, "file", UsageError)
    message = str(caught.value)
    assert message.startswith("file: ")
    assert "\n" not in message
    return message


def test_plain_documents_are_read() -> None:
    assert load_toml(b'a = 1\n[b]\nc = ["x", 2.5, true]', "file", UsageError) == {"a": 1, "b": {"c": ["x", 2.5, True]}}
    assert load_json(b'{"a": [1, null, "x"]}', "file", ProgramError) == {"a": [1, None, "x"]}


def nested(load: Load, depth: int) -> bytes:
    """A document of containers in each other, the table of a TOML document counted."""
    if load is load_toml:
        return b"x = " + b"[" * (depth - 1) + b"]" * (depth - 1)
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("depth", [33, 900, 3000, 200_000])
def test_deep_documents_are_refused(load: Load, depth: int) -> None:
    assert "must be nested at most 32 deep" in refusal(load, nested(load, depth))


@pytest.mark.parametrize("load", LOADERS)
def test_the_deepest_document_is_read(load: Load) -> None:
    assert load(nested(load, 32), "file", UsageError)


def test_dotted_keys_count_as_depth() -> None:
    assert "nested at most 32 deep" in refusal(load_toml, b".".join([b"a"] * 2000) + b" = 1")


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("number", [b"9" * 5000, b"9" * 20, b"-" + b"9" * 20])
def test_long_numbers_are_refused(load: Load, number: bytes) -> None:
    refusal(load, (b"x = " + number) if load is load_toml else number)


def test_long_hexadecimal_numbers_are_refused() -> None:
    assert refusal(load_toml, b"x = 0x" + b"f" * 9000) == "file: a whole number must have at most 64 bits."
    assert load_toml(b"x = 0x7fffffffffffffff", "file", UsageError)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"x = ", b"{", b"nan nan", b'"\x00'])
def test_broken_documents_are_refused(load: Load, data: bytes) -> None:
    if load is load_toml and not data:  # an empty table
        assert load(data, "file", UsageError) == {}
    else:
        assert "must be" in refusal(load, data)


def test_a_byte_order_mark_is_no_error() -> None:
    assert load_toml(b"\xef\xbb\xbfa = 1\n", "x", UsageError) == {"a": 1}
    assert load_json(b'\xef\xbb\xbf{"a": 1}', "x", UsageError) == {"a": 1}
