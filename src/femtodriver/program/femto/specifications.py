"""What a ``.femto`` container states, as plain tables by section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from femtodriver.program.femto.femto_records import (
    PART_NAMES,
    FemtoHeader,
    FemtoModel,
    FemtoSpu,
    model_type_name,
)
from femtodriver.program.femto.pages import WORDS_PER_PAGE, Banks


def specifications(header: FemtoHeader, model: FemtoModel, spu: FemtoSpu, banks: Banks) -> dict[str, Any]:
    """Sections ``header``, ``model`` and ``spu``, and lists of ``vectors``, ``sequences`` and ``banks``."""
    return {
        "header": _header(header, banks),
        "model": _model(header, model),
        "spu": _spu(spu),
        "vectors": [vars(vector) for vector in model.vectors],
        "sequences": [
            {"id": entry.id, "inputs": list(entry.inputs), "outputs": list(entry.outputs)} for entry in model.sequences
        ],
        "banks": _bank_rows(spu, banks),
    }


def specifications_text(sections: Mapping[str, Any]) -> str:
    """The same for people: a line for each entry, and for each row of a list."""
    lines = []
    for section, content in sections.items():
        lines.append(f"{section}:")
        rows = content if isinstance(content, list) else [{key: value} for key, value in content.items()]
        lines += ["  " + ", ".join(f"{key} {value}" for key, value in row.items()) for row in rows]
    return "\n".join(lines)


def _header(header: FemtoHeader, banks: Banks) -> dict[str, Any]:
    return {
        "layout": header.layout,
        "byte_order": "little" if header.byte_order == 1 else "big",
        "format_version": f"{header.format_version:#06x}",
        "producer": header.producer,
        "checksum": header.checksum,
        "pages": sum(-(-len(words) // WORDS_PER_PAGE) for words in banks.values()),
    }


def _model(header: FemtoHeader, model: FemtoModel) -> dict[str, Any]:
    audio = {"audio_channels": model.audio_channels, "audio_rate_khz": model.audio_rate_khz}
    return {
        "name": model.name,
        "version": model.version,
        "type": model_type_name(model.type_code, header.layout),
        "type_code": model.type_code,
        "user_data_bytes": len(model.user_data),
        "reference_bytes": len(model.reference),
        **(audio if header.layout == "A" else {}),
    }


def _spu(spu: FemtoSpu) -> dict[str, Any]:
    return {
        "part": spu.part,
        "part_name": PART_NAMES.get(spu.part),
        "key_index": spu.key_index,
        "clock_mhz": spu.clock_mhz,
        "cores_used": list(spu.used_cores),
        "cores_listed": [core.core_id for core in spu.cores],
    }


def _bank_rows(spu: FemtoSpu, banks: Banks) -> list[dict[str, Any]]:
    order = {bank.name: number for number, bank in enumerate(spu.geometry.banks)}
    return [
        {
            "core": core,
            "bank": name,
            "address": spu.geometry.address(core, name),
            "words": len(banks[core, name]) // 2,
            "capacity": spu.geometry.bank(name).size // 8,
            "pages": -(-len(banks[core, name]) // WORDS_PER_PAGE),
        }
        for core, name in sorted(banks, key=lambda place: (place[0], order[place[1]]))
    ]
