"""The programs of docs/fqir-file.md are those of a stranger: they need nothing of ours, and agree with ours."""

from __future__ import annotations

import ast
import contextlib
import io
import sys
from pathlib import Path

import numpy as np
import pytest

from femtodriver.fqir.exchange import load_fqir, save_fqir
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.reference import Reference

ROOT = Path(__file__).resolve().parents[3]
SPOTTER = ROOT / "examples" / "keyword_spotter" / "keyword_spotter.pt"


def program(heading: str) -> str:
    """The first Python block below a heading."""
    page = (ROOT / "docs" / "fqir-file.md").read_text("utf-8")
    return page.partition(f"\n## {heading}\n")[2].partition("```python\n")[2].partition("```\n")[0]


WRITER, READER = program("A writer of your own"), program("A reader of your own")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def output_of(text: str) -> list[str]:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(text, "page", "exec"), {"__name__": "__main__"})
    return printed.getvalue().splitlines()


@pytest.mark.parametrize(("text", "most_lines"), [(WRITER, 45), (READER, 25)])
def test_they_are_short_and_import_nothing_of_ours(text: str, most_lines: int) -> None:
    imported = [one.names[0].name for one in ast.walk(ast.parse(text)) if isinstance(one, (ast.Import, ast.ImportFrom))]
    assert [name for name in imported if name != "numpy" and name not in sys.stdlib_module_names] == []
    assert 10 < len(text.splitlines()) <= most_lines


def test_what_the_writer_writes_is_what_it_says() -> None:
    output_of(WRITER)
    tiny = Reference(load_fqir(Path("tiny.fqir")))
    # By hand: ([8, 0, 0, 4] @ weights) / 4 = (8 + 28, 16 + 32) / 4 = (9, 12); then half of that is added, below it.
    frames = [[8, 0, 0, 4], [8, 0, 0, 4], [0, 0, 8, 0]]
    found = [tiny.step({"x": np.array(frame)})["y"].tolist() for frame in frames]
    assert found == [[9, 12], [13, 18], [0, 0]]


def test_the_reader_reads_what_ours_writes() -> None:
    network = load_network(SPOTTER)
    save_fqir(network, "tiny.fqir")
    lines = output_of(READER)
    for tensor in network.frame.parameters:
        assert tensor.value is not None
        assert f"{tensor.name} {tensor.dtype} {tensor.value.tolist()}" in lines
    nodes = [line for line in lines if line.startswith("ARITH ")]
    assert [line.split(" ")[1] for line in nodes] == [node.op for node in network.frame.nodes]
