"""Calibration: every form that is taken, and what is refused with a sentence."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import FemtoError, InputError, UsageError
from femtodriver.pytorch.calibration import check_counts, read_calibration

CLIPS = np.ones((4, 10, 3), np.float32)


class Tensor:
    """Something with the way of a tensor to an array."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._array = array

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray[Any, Any]:
        return self._array


def test_an_archive_has_inputs_labels_and_targets(tmp_path: Path) -> None:
    path = tmp_path / "clips.npz"
    np.savez(path, x=CLIPS, z=CLIPS + 1, labels=np.arange(4), targets=CLIPS * 2)
    found = read_calibration(path)
    assert list(found.inputs) == ["x", "z"]
    assert (found.clips, found.where) == (4, str(path))
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2, 3]
    assert found.targets is not None
    assert found.targets.shape == CLIPS.shape
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_arrays_and_tensors_in_memory_and_npy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", CLIPS)
    one, two, three = (read_calibration(given) for given in (str(tmp_path / "x.npy"), CLIPS, Tensor(CLIPS)))
    for found in (one, two, three):
        assert [array.shape for array in found.inputs.values()] == [CLIPS.shape]
        assert found.labels is None
    assert two.sha256 == three.sha256
    assert read_calibration({"x": Tensor(CLIPS)}).sha256 != two.sha256  # the name counts


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"x": CLIPS, "z": CLIPS[:2]}, '"z": must have 4 clips like the first array, not 2'),
        ({"x": CLIPS, "labels": np.arange(3)}, '"labels": must have 4 clips like the first array, not 3'),
        ({"x": CLIPS, "targets": np.float32(1)}, '"targets": must have 4 clips like the first array, not 0'),
    ],
)
def test_there_are_equally_many_clips_of_everything(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as told:
        check_counts(read_calibration(given))
    assert sentence in str(told.value)


@pytest.mark.parametrize(
    ("given", "kind", "sentence"),
    [
        (None, UsageError, "must be given for a PyTorch module"),
        ("clips.wav", UsageError, "must be a .npz or .npy file"),
        ("gone.npz", InputError, "the file must exist"),
        ({}, InputError, "must have an array of inputs besides labels and targets"),
        ({"labels": np.arange(4)}, InputError, "must have an array of inputs besides labels and targets"),
        (np.ones(5), InputError, "must have the axes (clips, frames, features)"),
        (np.ones((0, 3, 4)), InputError, "not be empty"),
        (np.ones((2, 3, 4), complex), InputError, "must hold numbers, not complex128"),
        (np.full((2, 3), np.nan), InputError, "must hold finite numbers only"),
        (np.full((2, 3), 1 << 15), InputError, "integers must have at most 16 bits"),
        ({"x": CLIPS, "labels": np.ones(4)}, InputError, "labels: must be whole numbers"),
        ({"x": CLIPS, "labels": np.ones((4, 2, 2), int)}, InputError, "labels: must be whole numbers"),
        ({"x": CLIPS, "targets": np.full((4, 2), np.inf)}, InputError, "targets: must hold finite numbers"),
        ([[1, 2], [3]], InputError, "must be an array of numbers with rows of equal length"),
    ],
)
def test_what_is_no_calibration_is_refused(
    given: object, kind: type[FemtoError], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind) as told:
        read_calibration(given)
    assert sentence in str(told.value)
