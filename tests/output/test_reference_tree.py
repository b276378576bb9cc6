"""``--tree 1.3``: what a script that was written for the reference 1.3.0 looks for is where it looks."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.cli import main
from femtodriver.errors import UsageError
from femtodriver.output import reference_tree

META = Path("model_datas/LOOPBACK/meta_from_femtocrux")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reference_tree, "can_draw", lambda: False)


def unpickled(name: str) -> Any:
    """As the scripts do it; the file is ours."""
    with (META / name).open("rb") as file:
        return pickle.Unpickler(file).load()


def test_the_command_writes_the_tree_of_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["LOOPBACK", "--tree", "1.3", "--runners", "fqir,fasmir", "--n-frames", "3"]) == 0
    told = capsys.readouterr().out
    assert "meta_from_femtocrux/runner_*.pck" in told
    assert "./output_fqir.npy" in told
    assert sorted(path.name for path in Path("model_datas/LOOPBACK").iterdir()) == [
        "comparison", "io_records", "iospec.yaml", "meta_from_femtocrux", "metrics.txt", "metrics.yaml", "outputs",
    ]  # fmt: skip
    names = ("metadata.yaml", "test_core_0_data_mem_initial_py_hex.txt", "test_core_0_instr_mem_initial_py_hex.txt")
    assert [name for name in names if not (META / name).is_file()] == []
    inputs, outputs, internals = (unpickled(f"runner_{kind}.pck") for kind in ("inputs", "outputs", "internals"))
    assert list(outputs) == ["fqir", "fasmir"] == list(internals)
    for runner in outputs:
        np.testing.assert_array_equal(outputs[runner]["%x.4"], inputs["x"])
        np.testing.assert_array_equal(np.load(f"output_{runner}.npy"), inputs["x"])
    assert Femtodriver().compile("model_datas/LOOPBACK")[0] == str(META)


def test_methods_do_the_same_step_by_step() -> None:
    driver = Femtodriver()
    assert driver.compile("LOOPBACK", tree="1.3")[0] == str(META)
    assert not list(Path().glob("output_*"))
    driver.compare(driver.generate_audio_inputs(), "fqir,fmir")
    assert {path.name for path in Path().glob("output_*")} == {"output_fqir.npy", "output_fmir.npy"}
    assert set(unpickled("runner_outputs.pck")) == {"fqir", "fmir"}


def test_pictures_stand_beside_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_tree, "can_draw", lambda: True)
    monkeypatch.setattr(
        reference_tree, "draw", lambda outputs: {"output_hist.png": b"picture of " + repr([*outputs]).encode()}
    )
    Femtodriver().run("LOOPBACK", tree="1.3", runners="fqir,fmir")
    assert Path("output_hist.png").read_bytes() == b"picture of ['fqir', 'fmir']"


def test_one_runner_and_our_own_tree_leave_nothing_beside() -> None:
    driver = Femtodriver()
    driver.run("LOOPBACK", tree="1.3", runners="fqir")
    driver.run("LOOPBACK", runners="fqir,fmir", output_dir="ours")
    assert sorted(path.name for path in Path().iterdir()) == ["model_datas", "ours"]
    assert not list(Path().rglob("*.pck"))
    assert not Path("ours/LOOPBACK/meta_from_femtocrux").exists()


def test_a_file_that_is_read_is_not_written_over() -> None:
    np.save("output_fqir.npy", np.zeros((2, 16), int))
    with pytest.raises(UsageError, match=r"input_file: must not be output_fqir\.npy with the tree of 1\.3"):
        Femtodriver().run("LOOPBACK", tree="1.3", runners="fqir,fmir", input_file="output_fqir.npy")
    Femtodriver().run("LOOPBACK", runners="fqir,fmir", input_file="output_fqir.npy")


def test_other_versions_are_refused() -> None:
    with pytest.raises(UsageError, match=r"tree: must be 1\.3 or 2\.6, not '2'"):
        Femtodriver().compile("LOOPBACK", tree="2")
