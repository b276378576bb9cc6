"""Inputs as a list of frames, through every entry that takes frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import InputError
from femtodriver.inputs import stacked_frames
from tests.driver.reference_models import WIDTH, two_ways

ROWS = {"a": np.arange(3 * WIDTH).reshape(3, WIDTH), "b": np.full((3, WIDTH), 7)}
FRAMES = [{"b": ROWS["b"][at], "a": ROWS["a"][at].tolist()} for at in range(3)]


def test_frames_become_rows_by_name() -> None:
    found = stacked_frames(FRAMES)
    assert list(found) == ["b", "a"]
    for name, rows in ROWS.items():
        np.testing.assert_array_equal(found[name], rows)


@pytest.mark.parametrize("other", [ROWS, [], [1, 2], [[1, 2], {"a": 1}], "file.npy", None])
def test_anything_else_stays_as_it_is(other: Any) -> None:
    assert stacked_frames(other) is other


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([{"a": [1]}, {"b": [1]}], 'frame 1: must have the inputs of frame 0, but they have "a" and "b"'),
        ([{"a": [1]}, {}], 'frame 1: must have the inputs of frame 0, but they have "a" and none'),
        ([{"a": [1]}, {"a": [1]}, {"a": [1, 2]}], r'frame 2: input "a" must have the shape \(1,\), .* not \(2,\)'),
        ([{"a": [[1], [1, 2]]}], 'frame 0: input "a": must be an array of numbers'),
    ],
)
def test_frames_that_do_not_belong_together(frames: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        stacked_frames(frames)


def test_every_entry_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    driver = Femtodriver()
    driver.compile(two_ways())
    wanted = {"less": ROWS["a"] - 7, "copy": ROWS["b"]}
    runner, _ = driver.create_runner("fmir")
    runner.reset()
    fake, _ = driver.create_runner("fakehw")
    fake.reset()
    assert fake.run(FRAMES)[0]["copy"].shape == (3, WIDTH)
    found = [
        driver.simulate(FRAMES)[0]["outputs"]["fasmir"],
        driver.execute_runner("fqir", FRAMES)[0]["outputs"]["fqir"],
        driver.compare(FRAMES, "fqir,fmir")["outputs"]["fmir"],
        driver.simulate(driver.generate_audio_inputs(FRAMES))[0]["outputs"]["fasmir"],
        runner.run(FRAMES)[0],
    ]
    for outputs in found:
        for name, rows in wanted.items():
            np.testing.assert_array_equal(outputs[name], rows)
    np.savez("recorded.npz", less=wanted["less"], copy=wanted["copy"])
    dummy, _ = driver.create_runner("dummy", dummy_output_file="recorded.npz")
    dummy.reset()
    np.testing.assert_array_equal(dummy.run(FRAMES)[0]["less"], wanted["less"])
    with pytest.raises(InputError, match="frame 1: must have the inputs of frame 0"):
        driver.simulate([FRAMES[0], {"a": FRAMES[0]["a"]}])
