"""Reading a metrics document back from a file, or from the folder of a model."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import AnyPath, read_file, shown_path
from femtodriver.files.plain_json import load_json
from femtodriver.files.plain_yaml import load_yaml

METRICS_YAML = "metrics.yaml"
MAX_BYTES = 64 << 20
_SCHEMA = re.compile(r"femtodriver-metrics/([1-9][0-9]{0,5})")


def read_document(path: AnyPath) -> Mapping[str, Any]:
    """The metrics document in a file (.yaml, .yml or .json), or that of a model's folder.

    Raises ProgramError for a file that is not there or is no such document, and for a folder without one.
    """
    place = Path(path)
    if os.path.isdir(place):
        if not os.path.exists(place / METRICS_YAML):
            raise ProgramError(
                f"{shown_path(place)}: the folder must have a {METRICS_YAML}. Run the model with --runners fasmir."
            )
        place = place / METRICS_YAML
    content = read_file(place, MAX_BYTES)
    where = shown_path(place)
    if place.suffix.lower() == ".json":
        return checked_document(load_json(content, where, ProgramError), where)
    return checked_document(load_yaml(content, where, max_bytes=MAX_BYTES), where)


def checked_document(value: object, where: str) -> Mapping[str, Any]:
    """The value as a metrics document. ProgramError where it is none."""
    if isinstance(value, Mapping) and _SCHEMA.fullmatch(str(value.get("schema"))):
        return value
    raise ProgramError(
        f"{where}: must be a metrics document, whose schema is femtodriver-metrics/ and a number. A run with "
        f"--runners fasmir writes one, {METRICS_YAML}."
    )


def schema_number(doc: Mapping[str, Any]) -> int:
    """The number of the schema. UsageError for a mapping that is no metrics document."""
    found = _SCHEMA.fullmatch(str(doc.get("schema")))
    if found is None:
        raise UsageError("metrics: must be a document with the schema femtodriver-metrics/ and a number.")
    return int(found[1])
