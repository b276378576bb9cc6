"""The frames that a run gets where no input is given."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import UsageError

LOW, HIGH = -(1 << 15), (1 << 15) - 1


def frames_of(folder: str = "model_datas/LOOPBACK") -> np.ndarray[Any, np.dtype[np.int64]]:
    """The input that a run of LOOPBACK has written, (frames, 16)."""
    with np.load(Path(folder, "outputs", "inputs.npz")) as archive:
        return np.asarray(archive["x"])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_comparison_reaches_the_limits_and_names_its_frames() -> None:
    said: list[str] = []
    with Femtodriver() as fd:
        fd.say = said.append
        fd.run("LOOPBACK", runners="fqir,fasmir")
        seen = frames_of()
        assert {LOW, HIGH} <= {int(rows[0]) for rows in seen if (rows == rows[0]).all()}
        assert any(set(rows) == {LOW, HIGH} for rows in seen)
        assert "note: inputs: 8 frames from seed 0 (2 full-range, 1 all-max, 1 all-min, " in said[0]
        outputs = fd.compare(None, "fqir,fasmir")["outputs"]["fqir"]["%x.4"]
        assert np.array_equal(outputs, seen)


def test_random_frames_of_a_single_runner_are_told() -> None:
    said: list[str] = []
    with Femtodriver() as fd:
        fd.say = said.append
        fd.run("LOOPBACK", runners="fasmir", seed=3)
        fd.run("LOOPBACK", runners="fasmir", input_file=np.zeros((2, 16), np.int64))
    notes = [line for text in said for line in text.splitlines() if line.startswith("note: inputs: ")]
    assert notes == ["note: inputs: random frames from seed 3; --input-file takes others"]


def test_random_frames_of_a_comparison_are_named_too(caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    with Femtodriver() as fd:
        fd.say = said.append
        fd.run("LOOPBACK", runners="fqir,fasmir", input_style="random", seed=3)
        assert np.abs(frames_of()).max() <= 2048
        assert "note: random frames of 12 bits from seed 3: they seldom reach the limits" in said[0]
        with caplog.at_level(logging.WARNING):
            fd.compare(None, "fqir,fasmir", input_style="random")
        assert "random frames of 12 bits from seed 0" in caplog.text


def test_one_runner_gets_random_frames_unless_others_are_asked_for() -> None:
    with Femtodriver() as fd:
        fd.run("LOOPBACK", runners="fasmir")
        assert frames_of().shape == (2, 16)
        assert np.abs(frames_of()).max() <= 2048
        fd.run("LOOPBACK", runners="fasmir", input_style="varied", n_frames=3)
        assert frames_of().shape == (3, 16)
        assert frames_of().max() == HIGH


@pytest.mark.corpus
def test_a_rate_for_several_inputs_is_said_to_do_nothing(corpus: Path) -> None:
    said: list[str] = []
    with Femtodriver() as fd:
        fd.say = said.append
        fd.run(corpus / "zoo" / "multi_io_double" / "graph.pt", runners="fqir", input_rate=16000)
    note = "input_rate: without effect, because the network has 2 inputs; --input-period says the period"
    assert f"note: {note}" in said[0]


def test_a_hop_in_vain_is_not_what_the_period_follows_from() -> None:
    said: list[str] = []
    with Femtodriver() as fd:
        fd.say = said.append
        fd.run("LOOPBACK", runners="fasmir", hop=4, input_rate=16000)
    assert "note: input period: 0.001 s, which follows from the sample rate and the width of the input" in said[0]


def test_the_environment_sets_style_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Femtodriver() as fd:
        fd.compile("LOOPBACK")
        half = fd.generate_audio_inputs(input_style="half-random", seed=5)["x"]
        monkeypatch.setenv("FS_FD_INPUT_SEED", "5")
        assert np.array_equal(fd.generate_audio_inputs()["x"], half)
        assert np.array_equal(fd.generate_audio_inputs(seed=5)["x"], fd.generate_audio_inputs(seed=5)["x"])
        assert np.abs(fd.generate_audio_inputs(seed=5)["x"]).max() <= 2048
        monkeypatch.setenv("FS_FD_INPUT_STYLE", "sawtooth")
        assert fd.generate_audio_inputs(n_frames=1)["x"].tolist() == [
            [(2 * at << 14) // 16 - (1 << 14) for at in range(16)]
        ]
        monkeypatch.setenv("FS_FD_INPUT_STYLE", "random")
        assert np.array_equal(fd.generate_audio_inputs()["x"], half)
        assert np.abs(fd.generate_audio_inputs(input_style="random")["x"]).max() <= 2048
        said: list[str] = []
        fd.say = said.append
        fd.run("LOOPBACK", runners="fqir,fasmir", n_frames=2)
        assert np.array_equal(frames_of(), half)
        assert "note: generated frames: seed 5, as FS_FD_INPUT_SEED says\n" in said[0] + "\n"
        assert "note: generated frames: style half-random, as FS_FD_INPUT_STYLE says" in said[0]
        assert "seed: 5\n" in Path("model_datas/LOOPBACK/metrics.yaml").read_text()
        monkeypatch.setenv("FS_FD_INPUT_STYLE", "sine")
        with pytest.raises(UsageError, match="FS_FD_INPUT_STYLE: must be one of random, varied, sawtooth, half-random"):
            fd.generate_audio_inputs()
        monkeypatch.setenv("FS_FD_INPUT_SEED", "9" * 30)
        with pytest.raises(UsageError, match="FS_FD_INPUT_SEED: must be a whole number"):
            fd.generate_audio_inputs()
        assert fd.generate_audio_inputs(input=np.zeros((1, 16), int))["x"].shape == (1, 16)
