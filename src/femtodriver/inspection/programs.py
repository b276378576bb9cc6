"""What metadata and images of a compiled program say, whatever file they came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from femtodriver.errors import FemtoError
from femtodriver.inputs import program_specs
from femtodriver.inspection.findings import Findings
from femtodriver.program.bank_usage import short_images, used_banks
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import Description, is_described, read_description
from femtodriver.program.digest import changed_parts
from femtodriver.program.encryption.cipher_entry import ENTRY, is_ours
from femtodriver.program.memory_map import OPEN_SPU, Geometry
from femtodriver.program.metadata import ProgramInfo, program_info


def program_facts(
    findings: Findings, data: CompiledData, geometry: Geometry | None = OPEN_SPU, in_files: bool = False
) -> ProgramInfo | None:
    """Adds the sections program, inputs and outputs; None for metadata that are not those of a program.

    ``geometry`` None: there are no images to compare with. ``in_files``: images are files of their own.
    """
    info = None
    with findings.collecting():
        info = program_info(data.metadata, "metadata")
    if info is None:
        return None
    told = None
    with findings.collecting():
        told = read_description(data.metadata, "metadata")
        program_specs(data, told, "metadata")
    findings.origin = "open-spu" if is_described(data.metadata) else "foreign"
    findings.encrypted = info.encrypted
    findings.sections["program"] = {**_sizes(info), **_secrecy(data, info), **(_origin(told) if told else {})}
    findings.sections["inputs"] = [
        {
            "name": record.name,
            "core": record.core,
            "pc": record.pc_val,
            "words": record.words,
            "bits": record.bits,
            "elements": record.usable,
        }
        for record in info.inputs
    ]
    findings.sections["outputs"] = [
        {
            "name": record.name,
            "core": record.core,
            "mailbox": record.mailbox_id,
            "words": record.words,
            "bits": record.bits,
            "elements": record.usable,
        }
        for record in info.outputs
    ]
    if is_described(data.metadata):
        _check_cipher(findings, data)
    if told is not None and not told.has_layers:
        findings.note("layers and source map are not in this file")
    if geometry is not None:
        _check_sizes(findings, data, info, geometry)
        with findings.collecting():
            for sentence in changed_parts(data.metadata, data.mems_per_core, "metadata", in_files):
                findings.error(sentence.removeprefix("metadata: "))
    return info


def bank_rows(data: CompiledData, info: ProgramInfo, geometry: Geometry = OPEN_SPU) -> list[dict[str, Any]]:
    """One row per bank that holds something: core, bank, address, words, capacity (64-bit words)."""
    try:
        return [
            {
                "core": core,
                "bank": bank.name,
                "address": geometry.address(core, bank.name),
                "words": len(words),
                "capacity": bank.size // 8,
            }
            for core, bank, words in used_banks(data.mems_per_core, info, geometry)
        ]
    except FemtoError:  # already reported as a problem
        return []


def _sizes(info: ProgramInfo) -> dict[str, Any]:
    return {
        "cores": len(info.inst_counts),
        "instruction_words": sum(info.inst_counts.values()),
        "data_words": sum(sum(banks.values()) for banks in info.data_bank_sizes.values()),
        "table_words": sum(sum(banks.values()) for banks in info.table_bank_sizes.values()),
    }


def _secrecy(data: CompiledData, info: ProgramInfo) -> dict[str, Any]:
    if info.encrypted is False:
        return {}
    entry = data.metadata.get(ENTRY)
    return {
        "key_index": info.key_index,
        "salt": f"{info.key_salt:#018x}" if info.key_salt else None,
        "scheme": entry.get("scheme") if isinstance(entry, Mapping) else None,
    }


def _origin(told: Description) -> dict[str, Any]:
    return {
        "isa": told.isa,
        "part": told.part,
        "model": told.model.name if told.model else None,
        "model_sha256": told.model.sha256 if told.model else None,
        "compiler": told.compiler.version if told.compiler else None,
        "layers": None if told.layers is None else len(told.layers),
    }


def _check_cipher(findings: Findings, data: CompiledData) -> None:
    if data.metadata.get("encrypted") is False:
        if ENTRY in data.metadata:
            findings.error(f"metadata: {ENTRY}: must not be there, because the program says that it is not encrypted.")
    elif not is_ours(data.metadata):
        findings.error(f"metadata: {ENTRY}: must name our scheme, because the program says that it is encrypted.")


def _check_sizes(findings: Findings, data: CompiledData, info: ProgramInfo, geometry: Geometry) -> None:
    """Every image that is too short for the metadata, or too long for the part."""
    for sentence in short_images(data.mems_per_core, info):
        findings.error(sentence)
    with findings.collecting():
        for _ in used_banks(data.mems_per_core, info, geometry, "program"):
            pass
