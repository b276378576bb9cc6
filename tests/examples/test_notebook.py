"""The example notebook shows what its cells really give."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import run_notebook

NEEDED = ("nbclient", "ipykernel")
ABSENT = [name for name in NEEDED if importlib.util.find_spec(name) is None]


def shown(notebook: dict[str, Any]) -> dict[str, list[Any]]:
    """The outputs of each cell, by its id."""
    return {cell["id"]: cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"}


def test_every_cell_was_run_in_order() -> None:
    cells = [cell for cell in run_notebook.read(run_notebook.NOTEBOOK)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert any("text/html" in output.get("data", {}) for cell in cells for output in cell["outputs"])


@pytest.mark.slow
@pytest.mark.fmot
@pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {', '.join(ABSENT)}; pip install '.[test]' brings them")
@pytest.mark.filterwarnings("default")  # of the packages that run it
def test_the_outputs_are_those_of_a_fresh_run(tmp_path: Path) -> None:
    stored = run_notebook.read(run_notebook.NOTEBOOK)
    fresh = run_notebook.executed(stored, tmp_path)
    assert shown(fresh) == shown(stored), "run it again: python tools/run_notebook.py"
    assert fresh == stored
    assert (tmp_path / "masker.html").is_file()
