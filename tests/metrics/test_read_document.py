"""Metrics documents from files and folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from femtodriver.errors import ProgramError, UsageError
from femtodriver.metrics.read_document import read_document, schema_number

TEXT = "schema: femtodriver-metrics/3\ncycles: {total: 5}\n"


def test_files_and_folders(tmp_path: Path) -> None:
    wanted = {"schema": "femtodriver-metrics/3", "cycles": {"total": 5}}
    (tmp_path / "metrics.yaml").write_text(TEXT)
    (tmp_path / "x.json").write_text(json.dumps(wanted))
    for path in (tmp_path, tmp_path / "metrics.yaml", str(tmp_path / "x.json")):
        assert read_document(path) == wanted
    assert schema_number(wanted) == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a: 1", "must be a metrics document, whose schema is femtodriver-metrics/ and a number"),
        ("schema: femtodriver-metrics/0", "must be a metrics document"),
        ("schema: [femtodriver-metrics/3]", "must be a metrics document"),
        ("- 3", "must be a metrics document"),
        ("{", "must be YAML"),
    ],
)
def test_other_files(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(content)
    with pytest.raises(ProgramError) as found:
        read_document(path)
    assert str(found.value).startswith(f"{path}: ")
    assert sentence in str(found.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match=r"gone\.yaml: the file must exist"):
        read_document(tmp_path / "gone.yaml")
    with pytest.raises(ProgramError, match=r"the folder must have a metrics\.yaml\. Run the model with --runners"):
        read_document(tmp_path)
    with pytest.raises(UsageError):
        schema_number({})
