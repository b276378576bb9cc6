"""docs/energy.md follows from the table, and its figures are true."""

from __future__ import annotations

import re
from pathlib import Path

import energy_doc

from femtodriver.metrics.energy import load_table
from tests.metrics.energy_notes import CORNERS, noted

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "energy.md").read_text("utf-8")


def test_tables_follow_from_the_code() -> None:
    assert energy_doc.refreshed(PAGE) == PAGE, "renew it with: python tools/energy_doc.py"
    assert all(f"<!-- table: {name} -->" in PAGE for name in energy_doc.TABLES)


def test_the_page_tells_what_the_current_edition_changed() -> None:
    editions = [int(number) for number in re.findall(r"^\*\*(\d+)\.\*\*", PAGE, re.MULTILINE)]
    assert editions == list(range(load_table().edition, 0, -1))


def test_the_cost_of_dense_work_in_the_page_is_that_of_the_rows() -> None:
    found = re.search(r"to ([\d.]+) / ([\d.]+) / ([\d.]+) pJ per MAC", PAGE)
    assert found is not None
    for corner, figure in zip(CORNERS, found.groups(), strict=True):
        row = noted(corner)
        pj = (row["core_cycle"] + row["bank_read"]) / 8 + row["accumulator_read"] + row["accumulator_write"]
        assert f"{(pj + row['mac_8x8']) * 1e12:.2f}" == figure
