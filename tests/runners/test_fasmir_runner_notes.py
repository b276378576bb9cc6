"""A native loop that was built and is not used is mentioned by every command that simulates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.native import choose_machine, library
from femtodriver.sweep import run_sweep

WHY = "it is of another version; install it again"


@pytest.mark.parametrize("built", [True, False])
def test_a_loop_that_is_not_used_is_mentioned(built: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed; pip install '.[test]' brings it")
    monkeypatch.chdir(tmp_path)
    np.save("clip.npy", np.zeros((2, 16), np.int16))
    if built:
        (tmp_path / library.BASELINE).touch()
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    monkeypatch.setattr(library, "find_library", lambda: WHY)
    monkeypatch.setattr(choose_machine, "find_library", lambda: WHY)
    told: list[str] = []
    with Femtodriver() as driver:
        driver.say = told.append
        driver.run("LOOPBACK", runners="fasmir", input_file="clip.npy")
        driver.run("LOOPBACK", runners="fasmir", input_file="clip.npy", machine="numpy")
        driver.run("LOOPBACK", runners="fqir", input_file="clip.npy")
        driver.evaluate("LOOPBACK", inputs="clip.npy", workers=1)
    told += run_sweep("LOOPBACK", input_file="clip.npy").notes
    notes = [line.removeprefix("note: ") for text in told for line in text.splitlines() if "NumPy simulates" in line]
    assert notes == [f"machine: NumPy simulates, with the same results but slower, because {WHY}"] * (3 if built else 0)
