"""``femtodrive_model_dir``: every network below a folder, a log for each, a summary, and one exit status."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from femtodriver.cli import model_dir

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"
Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nets/deep").mkdir(parents=True)
    shutil.copy(SPOTTER, "nets/spotter.pt")
    shutil.copy(SPOTTER, "nets/deep/spotter.pt")
    Path("nets/notes.txt").write_text("no model")


def test_every_model_runs_with_the_same_options(capsys: Out) -> None:
    assert model_dir(["nets", "--runners", "fqir,fasmir", "--n_frames=2", "--log-dir", "logs"]) == 0
    assert capsys.readouterr().out.splitlines() == ["1/2 passed  deep/spotter.pt", "2/2 passed  spotter.pt"]
    assert Path("logs/summary.txt").read_text() == "passed  deep/spotter.pt\npassed  spotter.pt\n"
    assert "fqir = fasmir, 2 frames, bit-exact" in Path("logs/deep/spotter.log").read_text()
    assert "fqir = fasmir, 2 frames, bit-exact" in Path("logs/spotter.log").read_text()
    for folder in ("model_datas/spotter", "model_datas/deep/spotter"):
        assert (Path(folder) / "metrics.yaml").is_file()


def test_a_model_that_fails_stops_nothing_and_is_told(capsys: Out) -> None:
    Path("nets/broken.pt").write_bytes(b"no network")
    assert model_dir(["nets", "--output-dir=out"]) == 1
    lines = Path("femtodrive_logs/summary.txt").read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["failed", "broken.pt"], ["passed", "deep/spotter.pt"], ["passed", "spotter.pt"],
    ]  # fmt: skip
    assert "exit status 1: femtodrive: error: nets/broken.pt: " in lines[0]
    assert "femtodrive: error: nets/broken.pt: " in Path("femtodrive_logs/broken.log").read_text()
    assert Path("out/deep/spotter/io_records/spotter.femto").is_file()
    assert "1/3 failed  broken.pt" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gone"], "gone: must be a folder with *.pt files, given as the first word"),
        (["empty"], "empty: must have at least one *.pt file in it, but has none"),
        (["nets", "--log-dir"], "--log-dir: must be given a folder"),
        (["nets", "--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["nets", "--report", "page.html"], "report: must be left out for 2 models, because each would replace"),
    ],
)
def test_wrong_usage_runs_nothing(words: list[str], sentence: str, capsys: Out) -> None:
    Path("empty").mkdir()
    assert model_dir(words) == 2
    assert sentence in capsys.readouterr().err
    assert not Path("femtodrive_logs").exists()


def test_one_model_may_have_a_report_file() -> None:
    shutil.rmtree("nets/deep")
    assert model_dir(["nets", "--runners", "fasmir", "--profile-file", "profile.csv"]) == 0
    assert Path("profile.csv").is_file()


def test_help_says_what_it_does(capsys: Out) -> None:
    assert model_dir(["--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("usage: femtodrive_model_dir DIR ")
    assert max(map(len, told.splitlines())) <= 120
    assert model_dir([]) == 2


def test_an_interruption_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("femtodriver.cli.model_dir_command.run_command", lambda words: 130)
    assert model_dir(["nets"]) == 130
    assert len(Path("femtodrive_logs/summary.txt").read_text().splitlines()) == 1
