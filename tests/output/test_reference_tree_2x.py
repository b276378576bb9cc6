"""``--tree 2.6``: folders and files as the reference 2.x lays them out."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver, FemtoFile
from femtodriver.cli import main
from femtodriver.iospec import IOSpec
from tests.device.test_evk2_link import Package, SpecBoard

FULL = "LOOPBACK_spu001"
FOLDER = Path("model_datas", FULL)
PROGRAM = {f"{FULL}.femto", f"{FULL}_metadata.yaml", f"{FULL}_iospec.yaml", "debug"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def test_compiling_gives_the_folder_and_the_files() -> None:
    folder, femto, size, spec = Femtodriver().compile("LOOPBACK", tree="2.6", iospec=_spec_of_loopback())
    assert (Path(folder), Path(femto)) == (FOLDER, FOLDER / f"{FULL}.femto")
    assert Path(femto).stat().st_size == size
    assert FemtoFile.import_file(femto).model.name == "LOOPBACK"
    assert IOSpec(FOLDER / f"{FULL}_iospec.yaml") == spec
    assert list(content(FOLDER / f"{FULL}_metadata.yaml")["inputs"]) == ["x"]
    assert "LOOPBACK" in (FOLDER / "debug" / f"{FULL}.fqirtxt").read_text()
    assert {path.name for path in FOLDER.iterdir()} >= PROGRAM
    assert not Path("model_datas/LOOPBACK").exists()


def _spec_of_loopback() -> IOSpec:
    spec = IOSpec()
    spec.add_input("x", 16, 16)
    spec.add_output("%x.4", 16, 16)
    spec.add_signature(["x"], [], ["%x.4"])
    return spec


def test_the_command_writes_metrics_of_one_runner_and_of_a_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["LOOPBACK", "--tree", "2.6", "--runners", "fasmir"]) == 0
    assert "run_metrics.yaml" in capsys.readouterr().out
    alone = content(FOLDER / "run_metrics.yaml")
    assert (alone["Frames Simulated"], alone["Input Period (s)"]) == (2, 0.016)
    assert main(["LOOPBACK", "--tree", "2.6", "--runners", "fqir,fasmir", "--n-frames", "3"]) == 0
    assert not (FOLDER / "run_metrics.yaml").exists()
    compared = content(FOLDER / "compare_metrics.yaml")
    assert compared["pass"] is True
    assert compared["fasmir"]["Frames Simulated"] == 3
    kept = pickle.loads((FOLDER / "debug" / "runner_inout.pck").read_bytes())
    assert np.array_equal(kept["in"]["x"], kept["out"]["fqir"]["%x.4"])
    assert kept["internals"] == {"fqir": {}, "fasmir": {}}
    assert main(["LOOPBACK", "--tree", "2.6"]) == 0
    assert not (FOLDER / "compare_metrics.yaml").exists()
    assert not (FOLDER / "debug" / "runner_inout.pck").exists()


def test_folders_say_how_the_program_is_encrypted() -> None:
    Path("keys.toml").write_text(f'5 = "{"5a" * 16}"\n')
    Path("keys.toml").chmod(0o600)
    assert main(["LOOPBACK", "--tree", "2.6", "--keyring", "keys.toml"]) == 0
    assert main(["LOOPBACK", "--tree", "2.6", "--keyring", "keys.toml", "--noencrypt"]) == 0
    assert sorted(path.name for path in Path("model_datas").iterdir()) == [f"{FULL}_key5", f"{FULL}_noenc"]


def test_a_board_tells_what_it_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hid", Package(SpecBoard()))
    with Femtodriver() as driver:
        driver.compile("LOOPBACK", tree="2.6")
        inputs = {"x": np.arange(48).reshape(3, 16)}
        _, runner = driver.execute_runner("hw", inputs, hardware="evk2", no_verify=True)
    found = content(FOLDER / "run_metrics.yaml")
    assert found["PLL VCO frequency (MHz)"] == pytest.approx(150.011904)
    assert found["Frames"] == {number: {"Latency (s)": 0.001234} for number in range(3)}
    assert found["Power (W)"] == "not measured on hardware"
    assert runner.hardware_metrics(0.5)["Input Period (s)"] == 0.5  # type: ignore[attr-defined]


def test_a_fake_measures_nothing() -> None:
    with Femtodriver() as driver:
        driver.compile("LOOPBACK", tree="2.6")
        driver.execute_runner("hw", {"x": np.zeros((1, 16), int)})
    assert not (FOLDER / "run_metrics.yaml").exists()
