"""``femtodrive diff`` and ``femtodrive sweep``: what they print, and their exit status."""

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


def test_a_sweep_in_all_forms(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("femtodriver.worker_process.cores", lambda: 1)
    words = ["sweep", "LOOPBACK", "--clock", "1e6..2e6:2", "--compiler-option", "cores=1", "--sort", "clock"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("LOOPBACK: 2 variants, 2 frames from seed 0\n")
    assert main([*words, "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main([*words, "--format", "json"]) == 0
    assert [row["clock_hz"] for row in json.loads(capsys.readouterr().out)["rows"]] == [1e6, 2e6]


def test_nothing_that_fits_is_no_failure(capsys: Out) -> None:
    assert main(["sweep", "LOOPBACK", "--compiler-option", "cores=9", "--workers", "1"]) == 0
    assert "impossible: all\n  compiler option cores: must be at most 2" in capsys.readouterr().out


@pytest.mark.slow
def test_a_sweep_is_drawn(here: Path, capsys: Out) -> None:
    assert main(["sweep", "LOOPBACK", "--workers", "1", "--plot", "a.svg"]) == 0
    assert (here / "a.svg").read_bytes().startswith(b"<?xml")
    assert "a.svg" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["LOOPBACK", "--clock", "5.."], 2, "--clock: must be from 1 to 1e+11 hertz, or several: 1,2,3 or LO..HI:N"),
        (["LOOPBACK", "--plot", "a.gif"], 2, "plot: must be a path that ends in .svg or .png, not 'a.gif'"),
        (["LOOPBACK", "--sort", "cost"], 2, "sort: must be a figure or a setting, not 'cost'"),
        (["gone.pt"], 1, "gone.pt: the file must exist"),
        ([], 2, "the following arguments are required: MODEL"),
    ],
)
def test_wrong_words_of_a_sweep(capsys: Out, words: list[str], status: int, sentence: str) -> None:
    assert main(["sweep", *words]) == status
    err = capsys.readouterr().err
    assert sentence in err
    assert len(err.splitlines()) == 1


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
