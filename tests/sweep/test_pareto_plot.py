"""The picture of a sweep: its bytes, its texts, and what cannot be drawn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from femtodriver.errors import UsageError
from femtodriver.sweep.pareto_plot import check_plot, picture, write_plot
from tests.sweep.sweep_rows import result, row

FOUND = result(
    row(2e-3, 1e-6, clock_hz=1e6, part="a$b"),
    row(1e-3, 2e-6, clock_hz=2e6, part="c"),
    row(1e-3, 3e-6, clock_hz=2.5e6, part="c"),
    row(figures={}, reason="x", clock_hz=1e6),
)


@pytest.mark.slow
def test_the_same_result_gives_the_same_picture(tmp_path: Path) -> None:
    write_plot(FOUND, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert picture(FOUND, "svg").decode() == text
    for words in ("a$b", "net: filled where no other is better", "1.00 MHz", "2.00 MHz", "mean latency"):
        assert words in text
    assert "2.50 MHz" not in text  # only rows to choose from are named
    write_plot(FOUND, tmp_path / "a.PNG")
    assert (tmp_path / "a.PNG").read_bytes() == picture(FOUND, "png")
    assert (tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_nothing_to_draw_is_an_empty_picture() -> None:
    assert picture(result(row(figures={}, reason="x")), "svg")


def test_what_cannot_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_plot(None)
    with pytest.raises(UsageError, match=r"plot: must be a path that ends in \.svg or \.png, not 'a\.pdf'"):
        check_plot("a.pdf")
    with pytest.raises(UsageError, match=r"plot: .*a\.svg: the folder must exist"):
        check_plot(tmp_path / "gone" / "a.svg")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"matplotlib must be installed to draw; run pip install"):
        check_plot(tmp_path / "a.svg")
