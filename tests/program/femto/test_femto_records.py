"""Model types and versions of containers."""

from __future__ import annotations

from femtodriver.program.femto.femto_records import (
    model_type_code,
    model_type_name,
    version_code,
    version_text,
)


def test_model_types_and_versions() -> None:
    texts = ("wwd", "GSC", "SLU", "ainr", "clara", "kws", "else")
    assert [model_type_code(text, "A") for text in texts] == [10, 20, 30, 40, 0, 0, 0]
    assert [model_type_code(text, "B-packed") for text in texts] == [1, 1, 2, 3, 3, 1, 10]
    assert [model_type_name(code, "A") for code in (40, 7)] == ["AINR", "unknown"]
    assert [model_type_name(code, "B-aligned") for code in (3, 0xFFFF, 7)] == ["AINR", "invalid", "custom"]
    assert [version_code(text) for text in ("1.0", "2.6.0", "1.999.999", "v1", "", "300.1")] == [
        0x100,
        0x206,
        0x100,
        0x100,
        0x100,
        0x100,
    ]
    assert version_text(version_code("12.34")) == "12.34"
