"""Cells of CSV files: numbers that come back, and text that does nothing."""

from __future__ import annotations

import pytest

from femtodriver.metrics.spreadsheet_cells import PlainCell, spreadsheet_cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (0.1, "0.1"),
        ("gru.layers.0", "gru.layers.0"),
        ("=1+1", "'=1+1"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\t=1", r"\t=1"),
        ("a\0b\nc", r"a\x00b\nc"),
        ("\u202e\ud800", r"\u202e\ud800"),
        ("\N{GREEK SMALL LETTER ALPHA} \N{GRINNING FACE}", "\N{GREEK SMALL LETTER ALPHA} \N{GRINNING FACE}"),
    ],
)
def test_cells(value: PlainCell, cell: str) -> None:
    assert spreadsheet_cell(value) == cell
