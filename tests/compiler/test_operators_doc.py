"""docs/operators.md is what the code says, and tells of every operator."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from femtodriver.fqir.registry import OPERATORS

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "operators_doc.py"
DOCS = ROOT / "docs" / "operators.md"
COMMAND = "python tools/operators_doc.py docs/operators.md"


def tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_the_file_is_current() -> None:
    done = tool(str(DOCS), "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_stale_file_is_found_and_made_anew(tmp_path: Path) -> None:
    stale = tmp_path / "operators.md"
    stale.write_text(DOCS.read_text("utf-8").replace("Sum: ", "Some: "), "utf-8")
    done = tool(str(stale), "--check")
    assert done.returncode == 1
    assert COMMAND in done.stderr
    assert tool(str(stale)).returncode == 0
    assert stale.read_text("utf-8") == DOCS.read_text("utf-8")
    assert tool(str(tmp_path / "nothing.md"), "--check").returncode == 1


def test_every_operator_has_a_section_with_its_rules() -> None:
    text = DOCS.read_text("utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL))
    assert set(sections) == {*OPERATORS, "call"}
    for name, operator in OPERATORS.items():
        assert all(f"| `{constant}` |" in sections[name] for constant in operator.constants)
        assert all(f"* {rule.text}\n" in sections[name] for rule in operator.rules.values())
        assert ("**Refused**" in sections[name]) == (operator.refusal is not None)


def test_every_operator_that_is_compiled_has_its_cost() -> None:
    text = DOCS.read_text("utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL))
    told = {name for name, section in sections.items() if re.search(r"^\| size \| cycles", section, flags=re.MULTILINE)}
    without = {name for name, operator in OPERATORS.items() if operator.refusal is not None or operator.host_only}
    assert told == set(sections) - without
