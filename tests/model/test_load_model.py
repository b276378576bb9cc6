"""Models in memory, and the names that they get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.fqir.exchange import load_fqir, save_fqir
from femtodriver.fqir.files.load_network import load_network
from femtodriver.model.load_model import load_source
from femtodriver.sweep import run_sweep

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


@pytest.mark.parametrize(
    ("called", "name", "wanted"),
    [("spotter", None, "spotter"), ("spotter", "other", "other"), ("", None, "fqir"), ("a\ud800", None, "a%00")],
)
def test_a_network_in_memory_is_a_model(called: str, name: str | None, wanted: str) -> None:
    source = load_source(load_network(SPOTTER, called), name)
    assert source.network is not None
    assert (source.name, source.network.name, source.where, source.path) == (wanted, wanted, wanted, None)
    assert source.sha256 == load_source(load_network(SPOTTER, "else")).sha256


def test_it_runs_as_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = load_network(SPOTTER)
    save_fqir(network, "saved.fqir")
    outputs = [
        Femtodriver().run(model, runners="fqir,fasmir", n_frames=3, seed=1)["outputs"]["fasmir"]["output.0"]
        for model in (str(SPOTTER), network, "saved.fqir", load_fqir("saved.fqir"))
    ]
    assert all(np.array_equal(one, outputs[0]) for one in outputs)
    assert sorted(path.name for path in Path("model_datas").iterdir()) == ["keyword_spotter", "saved"]


def test_a_sweep_takes_it_too() -> None:
    assert run_sweep(load_network(SPOTTER), clock=[1e6, 2e6], n_frames=2).model == "keyword_spotter"
