"""Options that take several values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.options.value_kinds import HERTZ, OBJECTIVE
from femtodriver.options.value_series import PATHS, each, series, several


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("5", (5,)),
        ("1e6, 2e6", (1e6, 2e6)),
        ("10..20:3", (10, 15, 20)),
        ("20..10:2,7", (20, 10, 7)),
        ("1..2:4", (1, 1.33333333, 1.66666667, 2)),
    ],
)
def test_lists_and_ranges(word: str, values: tuple[float, ...]) -> None:
    kind = series(HERTZ)
    assert kind.parse(word) == values
    assert kind.accepts(kind.parse(word))


@pytest.mark.parametrize("word", ["", "x", "1,", "1..2", "1..2:1", "1..2:1001", "1..2:x", "..:3", "1:3"])
def test_words_that_are_none(word: str) -> None:
    with pytest.raises(ValueError, match=r".|^$"):
        series(HERTZ).parse(word)


@pytest.mark.parametrize(
    ("value", "fits"), [(5, True), ([5, 1e6], True), ((), False), ([0], False), ("5", False), (["5"], False)]
)
def test_values_of_python(value: Any, fits: bool) -> None:
    assert series(HERTZ).accepts(value) is fits


def test_texts_and_paths() -> None:
    assert several(OBJECTIVE).parse("cycles, energy") == ("cycles", "energy")
    assert several(OBJECTIVE).accepts(["cycles"])
    assert not several(OBJECTIVE).accepts(["cycles", "speed"])
    assert PATHS.accepts([Path("a.toml"), "spu001"])
    assert each(Path("a")) == (Path("a"),)
    assert each(None) == ()
    assert each(range(2)) == (0, 1)
    assert each(np.float32(2)) == (2,)
