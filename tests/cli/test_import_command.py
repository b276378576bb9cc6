"""``femtodrive import``: what it writes, where, and that every command reads it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.cli import main
from femtodriver.fqir.exchange import load_fqir, save_fqir
from femtodriver.model.loopback import loopback
from tests.fqir.exchange.fqir_samples import changed, written
from tests.tflite.real_models import real_models

Out = pytest.CaptureFixture[str]
SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_file_is_named_after_the_model_unless_it_is_said(capsys: Out) -> None:
    assert main(["import", str(SPOTTER)]) == 0
    assert capsys.readouterr().out == (
        "keyword_spotter: 34 nodes, 12,053 parameters\nwrote keyword_spotter.fqir (27,468 bytes)\n"
    )
    assert main(["import", str(SPOTTER), "-o", "a.fqir", "--model-name", "odd/name"]) == 0
    assert load_fqir(Path("a.fqir")).name == "odd/name"
    assert main(["import", "LOOPBACK", "--model-name", "odd/name"]) == 0
    assert Path("odd%2Fname.fqir").is_file()


def test_a_fqir_keeps_its_name_and_its_bytes() -> None:
    save_fqir(loopback(), "other.fqir")
    assert main(["import", "other.fqir", "--output", "third.FQIR"]) == 0
    assert Path("third.FQIR").read_bytes() == Path("other.fqir").read_bytes()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["LOOPBACK", "-o", "net.pt"], 2, "output: must be a file that ends in .fqir, not net.pt"),
        (["LOOPBACK", "-o", "-"], 2, "output: must be a file that ends in .fqir, not -"),
        (["LOOPBACK", "-o", "gone/a.fqir"], 2, "output: must be a file in a folder that exists, not gone/a.fqir"),
        (["LOOPBACK", "-o", "folder.fqir"], 2, "output: must be a file in a folder that exists, not folder.fqir"),
        (["gone.pt"], 1, "gone.pt: the file must exist"),
        (["net.odd"], 2, "net.odd: the model must be LOOPBACK, a file that ends in"),
        (["model_datas/LOOPBACK"], 2, "must be a network, not a compiled program, which holds no network any more"),
    ],
)
def test_what_cannot_be_written_is_told(capsys: Out, words: list[str], status: int, says: str) -> None:
    Path("folder.fqir").mkdir()
    Femtodriver().compile("LOOPBACK")
    assert main(["import", *words]) == status
    assert says in capsys.readouterr().err
    assert [path.name for path in Path().iterdir() if path.is_file()] == []


def test_a_network_that_means_nothing_is_written_with_a_note(capsys: Out) -> None:
    def unknown(root: Any) -> None:
        root["graphs"][1]["nodes"][0]["op"] = "gelu"

    Path("odd.fqir").write_bytes(written(changed(unknown)))
    assert main(["import", "odd.fqir", "-o", "again.fqir"]) == 0
    assert "note: as it is, the network cannot be compiled: network " in capsys.readouterr().out
    assert load_fqir(Path("again.fqir")).name == "sample"
    assert main(["again.fqir"]) == 1
    assert "operator must be one of" in capsys.readouterr().err


def figures(model: str, capsys: Out) -> dict[str, Any]:
    """All that is said of a run of the model, without its file."""
    words = ["--runners=fqir,fasmir", "--n-frames=4", "--profile-file=profile.csv"]
    assert main([model, *words, "--output-dir=out", "--quantization-file=values.csv"]) == 0
    capsys.readouterr()
    folder = Path("out/net")
    metrics = yaml.safe_load((folder / "metrics.yaml").read_text("utf-8"))
    metrics["model"].pop("sha256")
    images = {
        path.name: path.read_bytes()
        for path in (folder / "meta_from_femtodriver").iterdir()
        if path.name != "metadata.yaml"
    }
    outputs = {name: array.tobytes() for name, array in np.load(folder / "outputs" / "fasmir.npz").items()}
    tables = [Path(name).read_text("utf-8") for name in ("profile.csv", "values.csv")]
    return {"metrics": metrics, "images": images, "outputs": outputs, "tables": tables}


@pytest.mark.slow
def test_everything_is_equal_from_either_file(capsys: Out) -> None:
    Path("net.pt").write_bytes(SPOTTER.read_bytes())
    assert main(["import", "net.pt"]) == 0
    first = figures("net.pt", capsys)
    assert figures("net.fqir", capsys) == first
    assert len(first["images"]) > 4


@pytest.mark.slow
def test_every_command_reads_it(capsys: Out) -> None:
    assert main(["import", str(SPOTTER), "-o", "net.fqir"]) == 0
    np.save("clip.npy", np.zeros((3, 32), np.int64))
    assert main(["net.fqir"]) == 0
    capsys.readouterr()
    assert main(["inspect", "net.fqir", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["network"]["name"], found["sound"]) == ("network", "keyword_spotter", True)
    assert main(["disasm", "model_datas/net"]) == 0
    assert main(["sweep", "net.fqir", "--clock=1e6,1e7", "--n-frames=2", "--workers=1"]) == 0
    assert main(["evaluate", "net.fqir", "--inputs", "clip.npy", "--output-dir=clips"]) == 0


@pytest.mark.slow
def test_wake_words_are_the_same_again(capsys: Out) -> None:
    Path("net.tflite").write_bytes(real_models()["hey_jarvis"])
    assert main(["import", "net.tflite"]) == 0
    first = figures("net.tflite", capsys)
    assert figures("net.fqir", capsys) == first
