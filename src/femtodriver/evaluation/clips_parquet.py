"""The results as a Parquet file, one row for each clip in the order of their paths; docs/evaluation.md has the schema.

The file is written from the journal, in groups of rows, and takes the place of the one before in one step. It depends
on nothing but the rows: neither on who computed them nor in which order.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from femtodriver.errors import UsageError
from femtodriver.evaluation.clip_job import ClipResult
from femtodriver.evaluation.known_labels import KnownLabels
from femtodriver.files.file_access import replaced

SCHEMA = "femtodriver-evaluation/1"
ROWS_OF_A_GROUP = 1024
Row = dict[str, Any]

# Columns and their types; those of runners come after ``scores``.
_COLUMNS: Mapping[str, str] = {
    "path": "string",
    "bytes": "int64",
    "sha256": "string",
    "frames": "int64",
    "label": "string",
    "predicted": "string",
    "correct": "bool",
    "scores": "list<double>",
    "latency_cycles_mean": "double",
    "latency_cycles_max": "int64",
    "energy_j": "double",
    "energy_low_j": "double",
    "energy_high_j": "double",
    "power_w": "double",
    "power_low_w": "double",
    "power_high_w": "double",
    "saturated": "int64",
    "reference": "string",
    "snr_in_db": "double",
    "snr_out_db": "double",
    "snr_gain_db": "double",
    "error": "string",
}
_DIFFERENCE = "differs_"


def columns(runners: Sequence[str]) -> dict[str, str]:
    """Names and types of the columns, with one for each runner that is compared with the first."""
    found: dict[str, str] = {}
    for name, kind in _COLUMNS.items():
        found[name] = kind
        if name == "scores":
            found |= {f"equal_{runner}": "bool" for runner in runners[1:]}
            found |= {f"{_DIFFERENCE}{runner}": "string" for runner in runners[1:]}
    return found


def row_of(result: ClipResult, labels: KnownLabels, references: Mapping[str, str]) -> Row:
    """The row of a clip: its result, with what is known about it."""
    values = vars(result)
    predicted, label = _plain(labels.name(result.predicted)), labels.of.get(result.name)
    equal = {f"equal_{name}": found is None for name, found in result.differences.items()}
    both = result.snr_in_db is not None and result.snr_out_db is not None
    return {
        **{name: values.get(name) for name in _COLUMNS},
        **equal,
        **{f"{_DIFFERENCE}{name}": found for name, found in result.differences.items()},
        "path": _text(result.name),
        "label": label,
        "predicted": predicted,
        "correct": None if label is None or predicted is None else label == predicted,
        "scores": list(result.scores) or None,
        "error": _plain(result.error),
        "reference": _text(references[result.name]) if result.name in references else None,
        "snr_gain_db": (result.snr_out_db or 0.0) - (result.snr_in_db or 0.0) if both else None,
    }


def _text(path: str) -> str:
    """A path as text that every file can hold."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _plain(text: str | None) -> str | None:
    """The same of a text that a function of the user made."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def check_pyarrow() -> None:
    """UsageError where the package pyarrow is missing."""
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError("evaluate: the package pyarrow must be installed: pip install 'open-femtodriver[evaluate]'")


def write_parquet(path: Path, rows: Iterable[Row], runners: Sequence[str], about: Mapping[str, object]) -> None:
    """Replaces the file in one step. ``about``: what its rows depend on, kept in the metadata of the file.

    ProgramError where it cannot be written.
    """
    import pyarrow.parquet

    schema = _schema(runners, about)
    with replaced(path) as temporary, pyarrow.parquet.ParquetWriter(str(temporary), schema) as writer:
        for group in _groups(rows):
            writer.write_table(pyarrow.Table.from_pylist(group, schema), row_group_size=ROWS_OF_A_GROUP)


def _schema(runners: Sequence[str], about: Mapping[str, object]) -> Any:
    import pyarrow

    kinds = {
        "string": pyarrow.string(),
        "int64": pyarrow.int64(),
        "bool": pyarrow.bool_(),
        "double": pyarrow.float64(),
        "list<double>": pyarrow.list_(pyarrow.float64()),
    }
    told = json.dumps({"schema": SCHEMA, **about}, sort_keys=True)
    fields = [pyarrow.field(name, kinds[kind]) for name, kind in columns(runners).items()]
    return pyarrow.schema(fields, metadata={"femtodriver": told})


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while group := list(islice(left, ROWS_OF_A_GROUP)):
        yield group
