"""An evaluation tells what is wrong with its options before a PyTorch module is converted, which takes a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver import Femtodriver
from femtodriver.errors import FemtoError

pytest.importorskip("pyarrow")


def test_clips_that_are_not_there_come_before_the_conversion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of Python is not there either: to read it, as the conversion does first, would be another error."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FemtoError, match="no_clips"):
        Femtodriver().evaluate("gone.py:build", "no_clips", calibration="clips.npy")
