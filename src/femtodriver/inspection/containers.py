"""Inspecting ``.femto`` containers."""

from __future__ import annotations

from typing import Any

from femtodriver.errors import ProgramError
from femtodriver.inspection.findings import Findings
from femtodriver.inspection.programs import program_facts
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.binary_reader import BinaryReader
from femtodriver.program.femto.femto_records import CHUNK, PART_NAMES, model_type_name, part_geometry
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.femto.layout_a import MAGIC as MAGIC_A
from femtodriver.program.femto.pages import MAX_PAGES, WORDS_PER_PAGE
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
    _records(findings, file, content)
    findings.encrypted = file.spu.key_index != NOT_ENCRYPTED
    with findings.collecting():
        data = with_unchecked_user_data(CompiledData.from_femto(file, findings.where), findings.where)
        program_facts(findings, data, file.spu.geometry)


def _records(findings: Findings, file: FemtoFile, content: bytes) -> None:
    header, model, spu = file.header, file.model, file.spu
    pages = sum(-(-len(words) // WORDS_PER_PAGE) for words in file.banks.values())
    findings.sections["header"] = {
        "layout": header.layout,
        "byte_order": "little" if header.byte_order == 1 else "big",
        "format_version": f"{header.format_version:#06x}",
        "producer": header.producer,
        "checksum": header.checksum,
        "pages": pages,
    }
    findings.sections["model"] = {
        "name": model.name,
        "version": model.version,
        "type": model_type_name(model.type_code, header.layout),
        "type_code": model.type_code,
        "user_data_bytes": len(model.user_data),
        "reference_bytes": len(model.reference),
        **(
            {"audio_channels": model.audio_channels, "audio_rate_khz": model.audio_rate_khz}
            if header.layout == "A"
            else {}
        ),
    }
    findings.sections["spu"] = {
        "part": spu.part,
        "part_name": PART_NAMES.get(spu.part),
        "key_index": spu.key_index,
        "clock_mhz": spu.clock_mhz,
        "cores_used": list(spu.used_cores),
        "cores_listed": [core.core_id for core in spu.cores],
    }
    findings.sections["vectors"] = [
        {
            "id": vector.id,
            "kind": vector.kind,
            "core": vector.core,
            "bits": vector.bits,
            "usable": vector.usable,
            "padded": vector.padded,
            "parameter": vector.parameter,
        }
        for vector in model.vectors
    ]
    findings.sections["sequences"] = [
        {"id": entry.id, "inputs": list(entry.inputs), "outputs": list(entry.outputs)} for entry in model.sequences
    ]
    findings.sections["banks"] = _bank_rows(file)


def _bank_rows(file: FemtoFile) -> list[dict[str, Any]]:
    order = {bank.name: number for number, bank in enumerate(file.spu.geometry.banks)}
    return [
        {
            "core": core,
            "bank": name,
            "address": file.spu.geometry.address(core, name),
            "words": len(file.banks[core, name]) // 2,
            "capacity": file.spu.geometry.bank(name).size // 8,
            "pages": -(-len(file.banks[core, name]) // WORDS_PER_PAGE),
        }
        for core, name in sorted(file.banks, key=lambda place: (place[0], order[place[1]]))
    ]


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
