"""Run the example notebook in a Jupyter kernel, and keep what its cells show: ``python tools/run_notebook.py``.

The notebook in ``examples/notebook`` is run in an empty folder. Kept are text and HTML, which are the same everywhere;
what libraries write to stderr is not. A test runs it too, and compares.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "examples" / "notebook" / "first_steps.ipynb"
KEPT = ("text/plain", "text/html")
CELL_SECONDS = 600


def executed(notebook: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The notebook with the outputs of a fresh run in ``folder``. CellExecutionError of nbclient if a cell fails."""
    import nbformat
    from nbclient import NotebookClient

    plain = {**notebook, "cells": [_without_outputs(cell) for cell in notebook["cells"]]}
    resources = {"metadata": {"path": str(folder)}}
    book = nbformat.reads(json.dumps(plain), as_version=4)
    client = NotebookClient(book, timeout=CELL_SECONDS, kernel_name="python3", resources=resources)
    done = client.execute()
    return {**plain, "cells": [_tidy(cell) for cell in json.loads(json.dumps(done["cells"]))]}


def _without_outputs(cell: dict[str, Any]) -> dict[str, Any]:
    return {**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell


def _tidy(cell: dict[str, Any]) -> dict[str, Any]:
    """The cell with the outputs that are the same everywhere, texts as lists of lines as Jupyter stores them."""
    cell = {**cell, "metadata": {}, "source": _lines(cell["source"])}
    if cell["cell_type"] == "code":
        cell["outputs"] = [_kept(output) for output in cell["outputs"] if output.get("name") != "stderr"]
    return cell


def _kept(output: dict[str, Any]) -> dict[str, Any]:
    if "data" not in output:
        return {**output, "text": _lines(output["text"])}
    return {**output, "data": {kind: _lines(text) for kind, text in output["data"].items() if kind in KEPT}}


def _lines(text: str | list[str]) -> list[str]:
    return text.splitlines(keepends=True) if isinstance(text, str) else text


def read(path: Path) -> dict[str, Any]:
    """The notebook in a file."""
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return notebook


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        notebook = executed(read(NOTEBOOK), Path(folder))
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
