"""Hashes of arrays, and what of a run from Python gets into the command of a report."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.output.report_file import arrays_digest


def test_the_hash_of_arrays_by_hand() -> None:
    content = b"a\x002,1\x00" + bytes([1]) + bytes(7) + bytes([255] * 8) + b"b\x001\x00" + bytes([2]) + bytes(7)
    found = arrays_digest({"b": np.array([2], np.int16), "a": [[1], [-1]]})
    assert found == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": [1, 2]}, {"a": [[1], [2]]}), ({"a": [1]}, {"b": [1]}), ({"a": [1], "b": [2]}, {"a": [2], "b": [1]})],
)
def test_other_arrays_have_other_hashes(one: Any, other: Any) -> None:
    assert arrays_digest(one) != arrays_digest(other)


def test_the_command_has_what_the_model_was_compiled_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    driver = Femtodriver()
    lines: list[str] = []
    driver.say = lines.append
    driver.load_model("LOOPBACK")
    driver.compile_metadata(hw_config="spu001x4", compiler_options=["cores=1", "pack=false"])
    driver.simulate({"x": np.arange(16)[np.newaxis]}, 0.01, report="report.html")
    text = Path("report.html").read_text("utf-8")
    assert (
        "femtodrive LOOPBACK --runners fasmir --input-file inputs.npz --hw-config spu001x4 --compiler-options cores=1 "
        "--compiler-options pack=false --report report.html --input-period 0.01"
    ) in text
    assert "with arrays as inputs" in text
    assert lines == [f"wrote report.html ({Path('report.html').stat().st_size:,} bytes); open it in any browser"]


def test_a_comparison_with_inputs_of_its_own_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    driver = Femtodriver()
    driver.load_model("LOOPBACK")
    driver.compile_metadata()
    driver.compare(None, "fqir,fasmir", n_frames=4, report="report.html")
    text = Path("report.html").read_text("utf-8")
    assert "femtodrive LOOPBACK --runners fqir,fasmir" in text
    assert "--n-frames 4" in text
    assert "with arrays as inputs" not in text


def test_a_program_that_keeps_debug_variables_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Femtodriver().run("LOOPBACK", runners="fqir,fasmir", debug_vars="all", report="report.html")
    text = Path("report.html").read_text("utf-8")
    assert "program that keeps debug variables (.femto)" in text
    assert "of the program that keeps the debug variables, which costs time and energy" in text
