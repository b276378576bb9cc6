"""Inspecting archives and folders of compiled programs, and single images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from femtodriver.arrays import Words
from femtodriver.errors import FemtoError
from femtodriver.files.plain_yaml import load_yaml
from femtodriver.inspection.findings import MOST_PROBLEMS, Findings
from femtodriver.inspection.programs import bank_rows, program_facts
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.images import (
    MAX_BITGROUPS,
    MAX_CORES,
    MEMORIES,
    METADATA_FILE,
    Memories,
    parse_image_name,
    parse_queue_length_name,
    read_hex,
    read_queue_length,
)

_BAD_LINE = re.compile(rb"(?m)^(?!(?:[ \t\r]*0*[0-9a-fA-F]{1,16})?[ \t\r]*$).*$")


def inspect_files(findings: Findings, contents: Mapping[str, bytes]) -> None:
    """The files of an archive or folder: program, inputs, outputs, banks, images, other files."""
    memories, rows = _images(findings, contents)
    metadata: object = None
    with findings.collecting():
        metadata = load_yaml(contents[METADATA_FILE], METADATA_FILE) if METADATA_FILE in contents else None
    if METADATA_FILE not in contents:
        findings.error(f"the file {METADATA_FILE} is missing; this is not a compiled program.")
    elif isinstance(metadata, dict):
        data = CompiledData(metadata, memories)
        info = program_facts(findings, data, in_files=True)
        if info is not None:
            findings.sections["banks"] = bank_rows(data, info)
    elif metadata is not None:
        findings.error(f"{METADATA_FILE}: must be a mapping.")
    _queue_lengths(findings, contents, memories)
    findings.sections["images"] = rows
    known = {str(row["file"]) for row in rows} | {METADATA_FILE}
    others = [name for name in contents if name not in known and parse_queue_length_name(name) is None]
    findings.sections["other_files"] = [{"file": name, "bytes": len(contents[name])} for name in sorted(others)]


def inspect_image(findings: Findings, name: str, content: bytes) -> None:
    """One hex image."""
    words = _words(findings, content)
    parsed = parse_image_name(name)
    place: dict[str, Any] = {"core": None, "memory": None, "bit_group": None}
    if parsed is not None:
        place = {"core": parsed.core, "memory": parsed.memory, "bit_group": parsed.bitgroup}
    findings.sections["image"] = {**place, **_image_facts(words, content)}


def _images(findings: Findings, contents: Mapping[str, bytes]) -> tuple[Memories, list[dict[str, Any]]]:
    groups: dict[tuple[int, str], dict[int, Words]] = {}
    rows = []
    for name, content in contents.items():
        parsed = parse_image_name(name)
        if parsed is None:
            continue
        words = _words(findings, content, f"{name}: ")
        rows.append({"file": name, "core": parsed.core, "memory": parsed.memory, **_image_facts(words, content)})
        if parsed.core >= MAX_CORES or parsed.bitgroup >= MAX_BITGROUPS:
            findings.error(f"{name}: the core must be below {MAX_CORES}, the bit group below {MAX_BITGROUPS}.")
            continue
        if parsed.bitgroup in groups.setdefault((parsed.core, parsed.memory), {}):
            findings.error(f"{name}: core {parsed.core}'s {parsed.memory} image must be there once.")
        groups[parsed.core, parsed.memory][parsed.bitgroup] = words
    memories: Memories = {}
    for (core, memory), found in sorted(groups.items()):
        if sorted(found) != list(range(len(found))):
            findings.error(f"core {core}'s {memory} bit groups must be 0, 1, ..., not {sorted(found)}.")
        memories.setdefault(core, {})[memory] = [found[index] for index in sorted(found)]
    rows.sort(key=lambda row: (row["core"], MEMORIES.index(str(row["memory"])), str(row["file"])))
    return memories, rows


def _words(findings: Findings, content: bytes, where: str = "") -> Words:
    """The words of an image, with every bad line reported; bad lines count as zero, so that sizes stay comparable."""
    try:
        return read_hex(content, "image")
    except FemtoError:
        good, at = bytearray(), 0
        for number, found in enumerate(_BAD_LINE.finditer(content)):
            if number < MOST_PROBLEMS:
                line = content.count(b"\n", 0, found.start()) + 1
                shown = found.group().decode("latin-1")[:24]
                findings.error(f"{where}line {line}: must be one hexadecimal number below 2^64, not {shown!r}.")
            good += content[at : found.start()] + b"0"
            at = found.end()
        return read_hex(bytes(good + content[at:]), "image")


def _image_facts(words: Words, content: bytes) -> dict[str, Any]:
    widths = {len(line) for line in content.split()[:100_000]}
    return {
        "words": len(words),
        "nonzero": int(np.count_nonzero(words)),
        "bits": int(words.max()).bit_length() if len(words) else 0,
        "digits": max(widths, default=0),
    }


def _queue_lengths(findings: Findings, contents: Mapping[str, bytes], memories: Memories) -> None:
    for name, content in contents.items():
        core = parse_queue_length_name(name)
        if core is None:
            continue
        with findings.collecting():
            length = read_queue_length(content, name)
            have = len(memories.get(core, {}).get("RQ", [()])[0])
            if length > have:
                findings.error(f"{name}: must be at most {have}, the words of that image, not {length}.")
