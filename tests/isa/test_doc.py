"""docs/isa.md is what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver.errors import UsageError
from femtodriver.isa import ISA
from femtodriver.isa.doc import EXAMPLES, TABLES, main, refresh

DOCUMENT = Path(__file__).parents[2] / "docs" / "isa.md"


def test_the_committed_document_is_up_to_date() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert refresh(text) == text, "renew it with: python -m femtodriver.isa.doc docs/isa.md"


def test_the_document_has_every_table_once() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert [name for name in TABLES if text.count(f"<!-- table: {name} -->") != 1] == []
    assert text.count("<!-- end -->") == len(TABLES)


def test_the_document_names_every_instruction() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert [spec.name for _, specs in ISA.table for spec in specs if f"| `{spec.name}` |" not in text] == []


def test_the_examples_are_in_the_form_that_we_print() -> None:
    assert [ISA.parse(line).text() for line in EXAMPLES] == [
        line.replace("weights=0x800", "weights=2048") for line in EXAMPLES
    ]


def test_a_stale_table_is_renewed_and_the_prose_is_left_alone() -> None:
    text = "before\n<!-- table: clips -->\nold\n<!-- end -->\nafter\n"
    fresh = refresh(text)
    assert fresh.startswith("before\n<!-- table: clips -->\n")
    assert fresh.endswith("<!-- end -->\nafter\n")
    assert "old" not in fresh
    assert "saturate" in fresh
    assert refresh(fresh) == fresh


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^table: must be one of reach, .*, not 'tides'\.$"):
        refresh("<!-- table: tides -->\n<!-- end -->")


def test_the_command_rewrites_the_file(tmp_path: Path) -> None:
    file = tmp_path / "isa.md"
    file.write_text("<!-- table: clips -->\n<!-- end -->\n", "utf-8")
    assert main([str(file)]) == 0
    assert "low_bits" in file.read_text("utf-8")


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "must be given the file" in capsys.readouterr().err
    assert main([str(tmp_path / "none.md")]) == 1
    assert "none.md: cannot be rewritten" in capsys.readouterr().err
