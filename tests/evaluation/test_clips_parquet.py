"""The Parquet file: rows, groups, metadata, and one step from the old to the new."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet
import pytest

from femtodriver.errors import ProgramError
from femtodriver.evaluation import clips_parquet
from femtodriver.evaluation.clip_job import ClipResult
from femtodriver.evaluation.clips_parquet import columns, row_of, write_parquet
from femtodriver.evaluation.known_labels import KnownLabels

RESULT = ClipResult(
    "b.wav",
    9,
    "d",
    frames=3,
    predicted=1,
    scores=(1.0, 2.0),
    differences={"fqir": "here"},
    snr_in_db=1.0,
    snr_out_db=4.5,
)
LABELS = KnownLabels({"b.wav": "no"}, ("yes", "no"))


def test_a_row_joins_what_is_known(here: Path) -> None:
    row = row_of(RESULT, LABELS, {"b.wav": "clean/b.wav"})
    assert (row["predicted"], row["label"], row["correct"], row["scores"]) == ("no", "no", True, [1.0, 2.0])
    assert (row["equal_fqir"], row["differs_fqir"]) == (False, "here")
    assert (row["snr_gain_db"], row["reference"]) == (3.5, "clean/b.wav")
    bare = row_of(ClipResult("a.wav", error="no"), LABELS, {})
    assert {name for name, value in bare.items() if value is not None} == {"path", "error"}


def test_texts_of_functions_are_texts_that_a_file_can_hold(here: Path) -> None:
    row = row_of(ClipResult("a.wav", predicted="l\udcff", error="e\udcff"), LABELS, {})
    assert (row["predicted"], row["error"]) == ("l\\udcff", "e\\udcff")
    write_parquet(Path("c.parquet"), [row], ["fasmir"], {})


def test_the_file_has_groups_types_and_what_it_is_of(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips_parquet, "ROWS_OF_A_GROUP", 2)
    rows = [row_of(ClipResult(name, differences={"fqir": None}), LABELS, {}) for name in "abc\udcff"]
    write_parquet(Path("c.parquet"), rows, ["fasmir", "fqir"], {"model": "m"})
    found = pyarrow.parquet.ParquetFile("c.parquet")
    assert [found.metadata.row_group(index).num_rows for index in range(found.num_row_groups)] == [2, 2]
    assert found.schema_arrow.names == [*columns(["fasmir", "fqir"])]
    about = json.loads(found.schema_arrow.metadata[b"femtodriver"])
    assert about == {"schema": "femtodriver-evaluation/1", "model": "m"}
    assert found.read().column("path").to_pylist() == ["a", "b", "c", "\\xff"]
    assert [path.name for path in here.iterdir()] == ["c.parquet"]


def test_a_file_that_cannot_be_written_is_one_sentence(here: Path) -> None:
    with pytest.raises(ProgramError, match=r"^gone/c\.parquet: cannot be written: "):
        write_parquet(Path("gone/c.parquet"), [], ["fasmir"], {})
