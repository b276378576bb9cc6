"""The user data of a ``.femto`` of ours, read: JSON with what the container has no field for.

It is the description without what a ``.femto`` loses; in place of the widths it lists inputs and outputs with the ids
that the container gives them, their names and their widths. An encrypted program adds its entry and the salt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from femtodriver.errors import ProgramError
from femtodriver.files.plain_json import load_json
from femtodriver.isa.limits import ISA_FAMILY
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY, check_version, is_described, lasting_entries
from femtodriver.program.digest import check_digest
from femtodriver.program.encryption.cipher_entry import ENTRY


def with_user_data(data: CompiledData, where: str) -> CompiledData:
    """The program of a ``.femto`` with description, names and order of its variables; a foreign one as it is.

    Raises ProgramError for user data of ours that contradict the container or themselves, or that are of a program for
    another version of the instruction set, and for a program that has changed since its digest was made.
    """
    found = with_unchecked_user_data(data, where)
    check_digest(found.metadata, found.mems_per_core, where)
    return found


def with_unchecked_user_data(data: CompiledData, where: str) -> CompiledData:
    """The same without a check of the digest, for a look into a damaged file."""
    told = _parsed(data.metadata.get("userdata"), where)
    if told is None:
        return data
    check_version(told, f"{where}: user data")
    metadata = {key: value for key, value in data.metadata.items() if key != "userdata"}
    description = lasting_entries({KEY: told}) or {}
    for kind in ("input", "output"):
        listed = _entries(told, f"{kind}s", where)
        records, padding = metadata[f"{kind}s"], metadata.get(f"fqir_{kind}_padding", {})
        if sorted(listed) != sorted(records):
            raise ProgramError(
                f"{where}: user data: {kind}s must have the ids {sorted(records)}, not {sorted(listed)}."
            )
        metadata[f"{kind}s"] = {name: records[number] for number, (name, _) in listed.items()}
        metadata[f"fqir_{kind}_padding"] = {name: padding[number] for number, (name, _) in listed.items()}
        description[f"{kind}_bits"] = dict(listed.values())
        if len(metadata[f"{kind}s"]) != len(listed):
            raise ProgramError(f"{where}: user data: the names of {kind}s must differ.")
    metadata[KEY] = description
    if ENTRY in told:
        metadata.update(_secrecy(told[ENTRY], where))
    return CompiledData(metadata, data.mems_per_core, data.files)


def _secrecy(entry: object, where: str) -> dict[str, Any]:
    """What a container has no field for: the salt, and how the program was enciphered."""
    salt = entry.get("salt") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(salt, str) or not re.fullmatch("[0-9a-f]{16}", salt):
        raise ProgramError(f"{where}: user data: {ENTRY}: the salt must be 16 hexadecimal digits, not {salt!r:.60}.")
    rest = {key: value for key, value in entry.items() if key != "salt"}
    return {"encryption_key_salt": int(salt, 16), ENTRY: rest}


def _parsed(content: object, where: str) -> Mapping[str, Any] | None:
    """The document in user data, if it is one of ours. ProgramError for one of ours that is damaged."""
    if not isinstance(content, bytes):
        return None
    try:
        value = load_json(content.rstrip(b"\0"), f"{where}: user data", ProgramError)
    except ProgramError as error:
        if ISA_FAMILY.encode() in content:
            raise ProgramError(f"{error} The file is damaged; fetch it again or compile the model again.") from None
        return None  # of somebody else: any bytes may be there
    return value if isinstance(value, Mapping) and is_described({KEY: value}) else None


def _entries(told: Mapping[str, Any], key: str, where: str) -> dict[str, tuple[str, Any]]:
    """Number -> (name, bits), in the order of the list."""
    found: dict[str, tuple[str, Any]] = {}
    entries = told.get(key)
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, Mapping) or not all(isinstance(entry.get(part), str) for part in ("id", "name")):
            raise ProgramError(f"{where}: user data: {key} must be records with id, name and bits, not {entry!r:.60}.")
        if entry["id"] in found:
            raise ProgramError(f"{where}: user data: {key}: the id {entry['id']!r:.60} must appear once.")
        found[entry["id"]] = (entry["name"], entry.get("bits"))
    return found
