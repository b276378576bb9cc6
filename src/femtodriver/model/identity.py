"""What a program for the open SPU says about itself beside its images: names, widths, part, origin.

It stands under the key ``femtodriver`` of ``metadata.yaml`` and, without layers and source map, as JSON in the user
data of a ``.femto``. A program without it is foreign: it can be converted, but nobody here knows what it means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from femtodriver.errors import ProgramError
from femtodriver.inputs import InputSpec
from femtodriver.isa.limits import ISA_NAME
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.encryption.program_cipher import ENTRY, is_ours
from femtodriver.program.femto.convert import vector_names

KEY = "femtodriver"
SCHEMA = 1
MOST_BITS = 32
# What a program is bound to; clock and voltage only change what it costs.
_GEOMETRY = tuple(entry.name for entry in fields(Part) if entry.name not in ("name", "sha256", "clock_hz", "voltage_v"))
_COPIED = ("schema", "isa", "part", "part_sha256", "part_geometry", "compiler", "model")


@dataclass(frozen=True, eq=False)
class Identity:
    """A program for the open SPU, as it tells: inputs and outputs (without padding), part, model."""

    inputs: tuple[InputSpec, ...]
    outputs: tuple[InputSpec, ...]
    part_name: str
    part_geometry: Mapping[str, Any]
    model: Mapping[str, Any]
    compiler: Mapping[str, Any]


def completed(data: CompiledData, part: Part, model: Mapping[str, Any], compiler: Mapping[str, Any]) -> CompiledData:
    """The compiler's program with what it does not know itself: part, model, compiler, that it is not encrypted."""
    told = {
        **data.metadata[KEY],
        "part": part.name,
        "part_sha256": part.sha256,
        "part_geometry": geometry(part),
        "compiler": dict(compiler),
        "model": dict(model),
    }
    metadata = {**data.metadata, "encrypted": False, KEY: told}
    return CompiledData(metadata, data.mems_per_core, data.files)


def geometry(part: Part) -> dict[str, int]:
    """The sizes of a part that a program depends on."""
    return {name: getattr(part, name) for name in _GEOMETRY}


def identity(data: CompiledData, where: str) -> Identity | None:
    """What the program tells about itself; None for a foreign one.

    Raises ProgramError where it claims to be ours but contradicts itself.
    """
    told = data.metadata.get(KEY)
    if not isinstance(told, Mapping) or told.get("isa") != ISA_NAME:
        return None
    info = data.info()
    bits = [_mapping(told, key, where) for key in ("input_bits", "output_bits")]
    return Identity(
        inputs=tuple(_spec(record.name, record.usable, bits[0], where) for record in info.inputs),
        outputs=tuple(_spec(record.name, record.usable, bits[1], where) for record in info.outputs),
        part_name=str(told.get("part", "")),
        part_geometry=_mapping(told, "part_geometry", where),
        model=_mapping(told, "model", where),
        compiler=_mapping(told, "compiler", where),
    )


def check_part(told: Identity, part: Part, where: str) -> None:
    """ProgramError unless the part has the sizes that the program was compiled for."""
    for name, size in geometry(part).items():
        if told.part_geometry.get(name) != size:
            raise ProgramError(
                f"{where}: the part must have {name} {told.part_geometry.get(name)!r}, as {told.part_name!r} has, for "
                f"which this program was compiled, not {size} as {part.name!r} has. Give its part with --hw-config."
            )


def user_data(data: CompiledData) -> bytes:
    """The user data of the program's ``.femto``: JSON with the names that the container cannot hold.

    Nothing for a foreign program.
    """
    told = data.metadata.get(KEY)
    if not isinstance(told, Mapping) or told.get("isa") != ISA_NAME:
        return b""
    inputs, outputs = ({name: number for number, name in names.items()} for names in vector_names(data))
    content = {key: told[key] for key in _COPIED if key in told}
    content["inputs"] = _listed(data.metadata["inputs"], inputs, told["input_bits"])
    content["outputs"] = _listed(data.metadata["outputs"], outputs, told["output_bits"])
    if is_ours(data.metadata):
        content[ENTRY] = {**data.metadata[ENTRY], "salt": f"{data.info().key_salt:016x}"}
    return json.dumps(content, separators=(",", ":"), default=str).encode("ascii")


def with_names(data: CompiledData, where: str) -> CompiledData:
    """The program of a ``.femto`` with names and order of its variables restored; a foreign one as it is."""
    told = _parsed(data.metadata.get("userdata"))
    if told is None or told.get("isa") != ISA_NAME:
        return data
    metadata = {key: value for key, value in data.metadata.items() if key != "userdata"}
    description = {key: told[key] for key in _COPIED if key in told}
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
        metadata.update(_secrecy(_mapping(told, ENTRY, f"{where}: user data"), where))
    return CompiledData(metadata, data.mems_per_core, data.files)


def _secrecy(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What a container has no field for: the salt, and how the program was enciphered."""
    salt = entry.get("salt")
    if not isinstance(salt, str) or not re.fullmatch("[0-9a-f]{16}", salt):
        raise ProgramError(f"{where}: user data: {ENTRY}: the salt must be 16 hexadecimal digits, not {salt!r:.60}.")
    rest = {key: value for key, value in entry.items() if key != "salt"}
    return {"encryption_key_salt": int(salt, 16), ENTRY: rest}


def _listed(records: Mapping[str, Any], numbers: Mapping[str, str], bits: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"id": numbers[name], "name": name, "bits": bits[name]} for name in records]


def _parsed(content: object) -> Mapping[str, Any] | None:
    if not isinstance(content, bytes):
        return None
    try:
        value = json.loads(content.rstrip(b"\0").decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


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


def _spec(name: str, length: int, bits: Mapping[str, Any], where: str) -> InputSpec:
    width = bits.get(name)
    if isinstance(width, bool) or not isinstance(width, int) or not 1 <= width <= MOST_BITS:
        raise ProgramError(f"{where}: {KEY}: the bits of {name!r} must be in 1...{MOST_BITS}, not {width!r:.60}.")
    return InputSpec(name, length, width)


def _mapping(told: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = told.get(key)
    if not isinstance(value, Mapping):
        raise ProgramError(f"{where}: {KEY}: {key} must be a mapping, not {value!r:.60}. Compile the model again.")
    return value


def describes(told: Mapping[str, Any]) -> bool:
    """Whether layers and source map are there: a program from a ``.femto`` has lost them."""
    wanted: Sequence[str] = ("layers", "source_map", "memory")
    return all(key in told for key in wanted)
