"""``femtodrive diff``: what it prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from femtodriver.cli import main

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def documents(here: Path) -> None:
    for name, cycles in (("a", 100), ("b", 110)):
        (here / name).mkdir()
        (here / name / "metrics.yaml").write_text(f"schema: femtodriver-metrics/3\ncycles: {{total: {cycles}}}\n")


@pytest.mark.parametrize(
    ("limits", "status", "last"),
    [
        ([], 0, "the documents differ"),
        (["cycles>+10%"], 0, "the documents differ; all limits are kept"),
        (["cycles>+9.9%"], 1, "limits: 1 exceeded"),
        (["cycles>+10%", "cycles>109", "power>1W"], 1, "limits: 1 exceeded, 1 cannot be judged"),
    ],
)
def test_the_exit_status(capsys: Out, limits: list[str], status: int, last: str) -> None:
    assert main(["diff", "a", "b/metrics.yaml", *(word for limit in limits for word in ("--fail-if", limit))]) == status
    out, err = capsys.readouterr()
    assert (out.splitlines()[-1], err) == (last, "")


def test_forms(capsys: Out) -> None:
    assert main(["diff", "a", "b", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "femtodriver-diff/1"
    assert main(["diff", "a", "b", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("**the documents differ**")


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["a"], 2, "the following arguments are required: B"),
        (["a", "b", "--fail-if", "powr>1"], 2, "limit 'powr>1': the figure must be one that has a name"),
        (["a", "b", "--format", "html"], 2, "--format: must be text, markdown or json, not 'html'"),
        (["a", "gone.yaml"], 1, "gone.yaml: the file must exist"),
        (["a", "."], 1, ".: the folder must have a metrics.yaml"),
    ],
)
def test_wrong_words(capsys: Out, words: list[str], status: int, sentence: str) -> None:
    assert main(["diff", *words]) == status
    err = capsys.readouterr().err
    assert sentence in err
    assert len(err.splitlines()) == 1
