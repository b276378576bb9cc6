"""The table of runners: what it names is there, and people are told of every row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from femtodriver.runners.runner_table import RUNNERS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", RUNNERS)
def test_a_row_names_a_function_that_is_there(name: str) -> None:
    assert callable(RUNNERS[name].maker)
    assert RUNNERS[name].summary


def test_every_runner_has_a_row() -> None:
    modules = {path.stem for path in (ROOT / "src" / "femtodriver" / "runners").glob("*_runner.py")}
    without = modules - {row.module for row in RUNNERS.values()}
    assert without == set(), f"src/femtodriver/runners/runner_table.py must have a row for {without}"


@pytest.mark.parametrize("name", RUNNERS)
def test_the_document_has_a_row_for_the_runner(name: str) -> None:
    assert f"\n| `{name}` | " in (ROOT / "docs" / "comparing.md").read_text("utf-8"), (
        "docs/comparing.md must have a row for each runner"
    )


def test_the_table_loads_no_runner() -> None:
    script = "import sys, femtodriver.runners.runner_table\n"
    script += "print([name for name in sys.modules if name.startswith('femtodriver.runners.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "['femtodriver.runners.runner_table']\n"
