"""The user data of a ``.femto`` of ours, written; ``user_data.py`` says what they are, and reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from femtodriver.program.description import read_description
from femtodriver.program.encryption.cipher_entry import ENTRY, is_ours
from femtodriver.program.femto.femto_from_program import StoredProgram, vector_names


def write_user_data(data: StoredProgram) -> bytes:
    """The user data of the program's ``.femto``; nothing for a foreign program. ProgramError for a malformed one."""
    told = read_description(data.metadata, "metadata")
    if told is None:
        return b""
    content = told.short().table()
    inputs, outputs = vector_names(data)
    content["inputs"] = _listed(data.metadata["inputs"], inputs, content.pop("input_bits"))
    content["outputs"] = _listed(data.metadata["outputs"], outputs, content.pop("output_bits"))
    if is_ours(data.metadata):
        content[ENTRY] = {**data.metadata[ENTRY], "salt": f"{data.info().key_salt:016x}"}
    return json.dumps(content, separators=(",", ":")).encode("ascii")


def _listed(records: Mapping[str, Any], names: Mapping[str, str], bits: Mapping[str, int]) -> list[dict[str, Any]]:
    numbers = {name: number for number, name in names.items()}
    return [{"id": numbers[name], "name": name, "bits": bits[name]} for name in records]
