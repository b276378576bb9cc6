"""Model names as file names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import UsageError
from femtodriver.output.file_names import safe_name
from femtodriver.program.archive import check_name

NAMES = st.text(min_size=1, max_size=200)
# Texts that are likely to meet after escaping.
CLOSE = st.text("a/%2F. \0é", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("LOOPBACK", "LOOPBACK"),
        ("my model-1.2", "my model-1.2"),
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("..", "%2E%2E"),
        (".hidden", "%2Ehidden"),
        ("end.", "end%2E"),
        (" x ", "%20x%20"),
        ("%x.4", "%25x.4"),
        ("a\nb\\c:d", "a%0Ab%5Cc%3Ad"),
        ("größe", "größe"),
        ("\udc80", "%ED%B2%80"),
    ],
)
def test_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(NAMES)
def test_a_safe_name_is_a_plain_file_name(name: str) -> None:
    safe = safe_name(name)
    assert check_name(safe, "test") == safe
    assert Path(safe).name == safe
    assert not safe.startswith(".")
    assert len(safe.encode("utf-8")) < 200


@given(st.lists(NAMES | CLOSE, min_size=2, max_size=30, unique=True))
def test_different_names_stay_different(names: list[str]) -> None:
    assert len({safe_name(name) for name in names}) == len(names)


def test_long_names_are_cut_but_stay_different() -> None:
    assert safe_name("a" * 500 + "b") != safe_name("a" * 500 + "c")
    assert len(safe_name("ü" * 500).encode("utf-8")) < 200


def test_no_name_is_refused() -> None:
    with pytest.raises(UsageError, match="model name: must be at least one character"):
        safe_name("")
