"""Files that a job must not write are told before a PyTorch module is converted, which takes a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver import Femtodriver
from femtodriver.errors import UsageError


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        ("clips.npy", "report: must be another file than calibration, not clips.npy."),
        ("gone.py", "report: must be another file than the model, not gone.py."),
        ("model_datas/gone/outputs/x.html", "report: must not be in a folder inside model_datas/gone, "),
    ],
)
def test_wrong_places_come_before_the_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: str, sentence: str
) -> None:
    """The file of Python is not there: to read it, as the conversion does first, would be another error."""
    monkeypatch.chdir(tmp_path)
    Path("model_datas/gone/outputs").mkdir(parents=True)
    with pytest.raises(UsageError) as told:
        Femtodriver().run("gone.py:build", calibration="clips.npy", runners="fqir,fasmir", report=report)
    assert sentence in str(told.value)
