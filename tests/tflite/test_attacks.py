"""Every row of the table of attacks in docs/tflite.md is refused in one sentence, soon and in little memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from femtodriver.errors import ModelError
from femtodriver.tflite.check_graphs import check_graphs
from femtodriver.tflite.read_model import read_model
from tests.tflite.attack_files import ATTACKS, LARGEST

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tflite.md"
MOST_CALLS, MOST_BYTES = 3_000_000, 200 << 20
LARGE = {row for row in ATTACKS if row.startswith("2.")} | {"4.15"}


def rows() -> list[str]:
    """Numbers of the rows of the table, in the page's order."""
    return re.findall(r"^\| (\d+\.\d+) \|", PAGE.read_text("utf-8"), flags=re.MULTILINE)


def test_the_page_lists_these_attacks() -> None:
    assert rows() == list(ATTACKS)


@pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.slow if row in LARGE else ()) for row in ATTACKS])
def test_an_attack_is_refused_in_one_sentence(row: str) -> None:
    pattern, make = ATTACKS[row]
    data = make()
    with pytest.raises(ModelError, match=pattern) as caught:
        check_graphs(read_model(data))
    text = str(caught.value)
    assert text.isascii()
    assert text.isprintable()
    assert text.endswith(".")
    assert len(text) < 600


@pytest.mark.slow
def test_large_files_need_little_work_and_memory(tmp_path: Path) -> None:
    """A million calls take about half a second."""
    files = {**{row: ATTACKS[row][1] for row in LARGE}, **LARGEST}
    for name, make in files.items():
        (tmp_path / name).write_bytes(make())
    command = [sys.executable, "-m", "tests.tflite.measure_reader", *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, cwd=PAGE.parents[1], capture_output=True, text=True, timeout=200, check=True)
    found = {one["case"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert {name: one["outcome"] for name, one in found.items()} == {
        name: "loaded" if name in LARGEST else "refused" for name in files
    }
    assert {name: one["calls"] for name, one in found.items() if one["calls"] > MOST_CALLS} == {}
    assert {name: one["peak_bytes"] for name, one in found.items() if one["peak_bytes"] > MOST_BYTES} == {}
