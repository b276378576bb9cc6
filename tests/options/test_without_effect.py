"""What was asked for and changes nothing is said in a line."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def notes(**options: Any) -> str:
    """What a run of LOOPBACK says first."""
    said: list[str] = []
    with Femtodriver() as fd:
        fd.say = said.append
        fd.run("LOOPBACK", **options)
    return said[0]


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"no_verify": True}, "no_verify: without effect, because only hw uses it, which does not run"),
        ({"input_style": "varied", "input_file": "x.npy"}, "input_style: without effect, because the frames come from"),
    ],
)
def test_options_without_effect(options: dict[str, Any], note: str) -> None:
    np.save("x.npy", np.zeros((2, 16), np.int16))
    assert f"note: {note}" in notes(runners="fqir", **options)


def test_a_period_without_a_run_is_the_deadline_of_the_objective_energy() -> None:
    assert "input_period: without effect" in notes(input_period=1e-3, objective="cycles")
    for energy in ({"objective": "energy"}, {"compiler_options": {"objective": "energy"}}):
        assert "without effect" not in notes(input_period=1e-3, clock=1e6, **energy)


@pytest.mark.parametrize("options", [{"compiler_options": {"cores": 1}}, {"dump_ir": "ir"}])
def test_options_of_the_compiler_for_a_compiled_program(
    options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    (name,) = options
    with Femtodriver() as fd, caplog.at_level(logging.WARNING):
        fd.compile("LOOPBACK", **options)
        assert "without effect" not in caplog.text
        fd.compile("model_datas/LOOPBACK", output_dir="again", **options)
    assert f"{name}: without effect, because a compiled program is not compiled again" in caplog.text


@pytest.mark.parametrize(
    ("content", "told"), [("other: {type: kws}", True), ("DEFAULT: {type: kws}", False), ("", True)]
)
def test_a_file_of_options_for_other_models(content: str, told: bool, caplog: pytest.LogCaptureFixture) -> None:
    Path("options.yaml").write_text(content)
    with Femtodriver() as fd, caplog.at_level(logging.WARNING):
        fd.compile("LOOPBACK", model_options_file="options.yaml")
    sentence = "options.yaml: without effect, because it has neither an entry 'LOOPBACK' nor one named DEFAULT"
    assert (sentence in caplog.text) is told


@pytest.mark.slow
def test_recorded_frames_that_nothing_is_compared_with(caplog: pytest.LogCaptureFixture) -> None:
    rows = np.arange(80).reshape(5, 16)
    np.save("x.npy", rows)
    with Femtodriver() as fd, caplog.at_level(logging.WARNING):
        fd.compile("LOOPBACK")
        fd.compare({"x": rows}, "fqir,dummy", dummy_output_file="x.npy")
        assert "dummy" not in caplog.text
        assert fd.compare({"x": rows[:2]}, "fqir,dummy", dummy_output_file="x.npy")["pass"]
    assert "dummy: 3 of 5 recorded frames are not used: the inputs end before" in caplog.text
