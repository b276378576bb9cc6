"""Inspecting ``.femto`` containers."""

from __future__ import annotations

from typing import Any

from femtodriver.errors import ProgramError
from femtodriver.inspection.findings import Findings
from femtodriver.inspection.programs import program_facts
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.binary_reader import BinaryReader
from femtodriver.program.femto.femto_records import CHUNK, part_geometry
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.femto.layout_a import MAGIC as MAGIC_A
from femtodriver.program.femto.pages import MAX_PAGES
from femtodriver.program.femto.specifications import specifications
from femtodriver.program.femto.user_data import with_unchecked_user_data
from femtodriver.program.metadata import NOT_ENCRYPTED


def inspect_femto(findings: Findings, content: bytes) -> None:
    """Header, model, part, cores, vectors, sequences, banks; and what the program in it says."""
    problems: list[str] = []
    file = None
    try:
        file = FemtoFile.parse(content, findings.where, problems)
    except ProgramError as error:
        problems.append(str(error))
    for text in problems:
        findings.error(text)
    if file is None:
        _damaged(findings, content)
        return
    for text in file.notes:
        findings.note(text)
    findings.sections.update(specifications(file.header, file.model, file.spu, file.banks))
    findings.encrypted = file.spu.key_index != NOT_ENCRYPTED
    with findings.collecting():
        data = with_unchecked_user_data(CompiledData.from_femto(file, findings.where), findings.where)
        program_facts(findings, data, file.spu.geometry)


def _damaged(findings: Findings, content: bytes) -> None:
    """What can still be told of a file that cannot be read to its end: header, and the pages where it puts them."""
    if len(content) < CHUNK:
        return
    layout_a = content.startswith(MAGIC_A)
    flag = content[16 if layout_a else 5]
    reader = BinaryReader(content, findings.where, "<" if flag == 1 else ">")
    model_at, spu_at = (48, 176) if layout_a else (reader.u16(80), reader.u16(84))
    pages_at = CHUNK if layout_a else reader.u32(90)
    findings.sections["header"] = {
        "layout": "A" if layout_a else "B",
        "byte_order": "little" if flag == 1 else "big",
        "model_offset": model_at,
        "spu_offset": spu_at,
        "page_offset": pages_at,
        "page_bytes": reader.u32(37 if layout_a else 86),
    }
    with findings.collecting():
        geometry = part_geometry(reader.u8(spu_at), f"{findings.where}: offset {spu_at:#x}")
        findings.sections["pages"] = [
            _page(reader, at, geometry) for at in range(pages_at, len(content) - CHUNK + 1, CHUNK)
        ][:MAX_PAGES]


def _page(reader: BinaryReader, at: int, geometry: Any) -> dict[str, Any]:
    address = reader.u32(at + 4)
    try:
        core, bank, offset = geometry.locate(address)
    except ProgramError:
        core, bank, offset = None, None, None
    return {
        "offset": at,
        "id": reader.u16(at),
        "halves": reader.u16(at + 2),
        "address": address,
        "core": core,
        "bank": bank.name if bank else None,
        "word": None if offset is None else offset // 8,
    }
