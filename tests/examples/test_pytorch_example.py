"""The example with PyTorch, as its README says, and the other commands on the same file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from femtodriver.cli import main

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.fmot]
MODEL = ["tone_model.py:build", "--calibrate", "clips.npz"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, trained."""
    folder = tmp_path_factory.mktemp("example")
    for path in (ROOT / "examples" / "pytorch").glob("*.py"):
        shutil.copy(path, folder)
    done = subprocess.run([sys.executable, "train_tones.py"], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("wrote tone_weights.pt and clips.npz: 90 clips of 30 frames x 16 bands")
    return folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def test_the_example_goes_from_a_file_to_microwatts(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*MODEL, "--runners", "fqir,fasmir", "--input-period", "0.016"]) == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    page = (ROOT / "docs" / "pytorch.md").read_text("utf-8")
    assert [line.split(" quantized by")[0] for line in lines[:2]] == [
        "tone_model.py:build: runs as code, in a process of its own (a .pt file is never run)",
        "ToneModel:",
    ]
    for line in lines[:1] + lines[2:3]:
        assert line in page
    assert "note: inputs: 30 frames from the start of the calibration; --input-file takes others" in lines
    assert "fqir = fasmir, 30 frames, bit-exact" in lines
    assert "uW typical" in told
    content = Path("model_datas/tone_model/io_records/tone_model.femto").read_bytes()
    assert main([*MODEL, "--output-dir", "again"]) == 0
    assert Path("again/tone_model/io_records/tone_model.femto").read_bytes() == content


def test_an_import_keeps_the_network(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", *MODEL, "-o", "tones.fqir"]) == 0
    assert "Accuracy   91.1 % in floats" in capsys.readouterr().out
    assert main(["tones.fqir", "--runners", "fqir,fasmir", "--n-frames", "3"]) == 0
    assert "fqir = fasmir, 3 frames, bit-exact" in capsys.readouterr().out


def test_weights_alone_say_the_way_in(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tone_weights.pt"]) == 1
    assert "not the weights of a model (a state_dict). Give the code that builds the model" in capsys.readouterr().err


def test_a_sweep_and_an_evaluation_convert_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed; pip install '.[test]' brings it")
    assert main(["sweep", *MODEL, "--clock", "1e6,1e7", "--workers", "1"]) == 0
    said = capsys.readouterr()
    assert said.err.count("runs as code") == 1
    assert said.out.startswith("tone_model: 2 variants, 30 frames")
    with np.load("clips.npz") as stored:
        Path("clips").mkdir()
        for number, clip in enumerate(stored["spectra"][:4]):
            np.save(f"clips/{number}.npy", clip)
        rows = [f"clips/{number}.npy,{label}" for number, label in enumerate(stored["labels"][:4])]
    Path("labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    words = ["--inputs", "clips/*.npy", "--labels", "labels.csv", "--scale", "real", "--workers", "1"]
    assert main(["evaluate", *MODEL, *words]) == 0
    told = capsys.readouterr().out
    assert told.count("runs as code") == 1
    assert "of 4 clips with a label" in told


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["inspect", "tone_model.py:build"], "not code: nothing is run to inspect it"),
        (["disasm", "tone_model.py:build"], "must be a compiled program"),
        (["diff", "tone_model.py:build", "x"], "not a module; run it first"),
        (["LOOPBACK", "--calibrate", "clips.npz"], "calibration: must be left out"),
        ([*MODEL, "--runners", "fasmir", "--report", "tone_model.py"], "report: must be another file than the model"),
        (["tone_model.py"], "Try tone_model.py:build, tone_model.py:ToneModel"),
        (["tone_model.py:build"], "calibration: must be given for a PyTorch module"),
    ],
)
def test_what_runs_nothing_says_so(
    here: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) in (1, 2)
    assert sentence in capsys.readouterr().err
