"""Inputs that every runner makes for itself, as the reference 2.x does; boards keep those of 1.3.0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import UsageError


@pytest.fixture
def fd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Femtodriver:
    monkeypatch.chdir(tmp_path)
    driver = Femtodriver()
    driver.load_model("LOOPBACK")
    driver.compile_metadata()
    return driver


def test_every_runner_makes_frames_that_it_can_run(fd: Femtodriver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fqir", "fasmir"):
        runner, _ = fd.create_runner(name)
        runner.reset()
        for style in ("sawtooth", "random", "sine"):
            frames = runner.make_fake_inputs(3, style)
            assert np.array_equal(runner.run(frames)[0]["%x.4"], frames["x"])
        assert runner.make_fake_inputs(1, scale=8)["x"].tolist() == [list(range(-8, 8))]
        with monkeypatch.context() as changed:
            changed.setenv("FS_FD_INPUT_STYLE", "sine")
            assert runner.make_fake_inputs(1)["x"][0, 0] == 0
            changed.setenv("FS_FD_INPUT_STYLE", "cosine")
            with pytest.raises(UsageError, match="FS_FD_INPUT_STYLE: must be one of sawtooth, random, sine"):
                runner.make_fake_inputs(1)


def test_boards_keep_those_of_1_3_0(fd: Femtodriver) -> None:
    runner, _ = fd.create_runner("fakehw")
    assert runner.make_fake_inputs(2)["x"].ravel().tolist() == list(range(32))
    assert runner.make_fake_inputs(1, scale=8)["x"].tolist() == [list(range(-8, 8))]
    assert runner.make_fake_inputs(1, "sine")["x"][0, 4] == 1 << 14
