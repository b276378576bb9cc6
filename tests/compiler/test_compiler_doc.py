"""docs/compiler.md: its tables are what the code says, and it tells of every pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from femtodriver.compiler.passes.pass_order import PASSES

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "compiler_doc.py"
DOCS = ROOT / "docs" / "compiler.md"
COMMAND = "python tools/compiler_doc.py docs/compiler.md"


def tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_the_tables_are_current() -> None:
    done = tool(str(DOCS), "--check")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^<!-- table: (\w+) -->$", DOCS.read_text("utf-8"), flags=re.MULTILINE) == ["stages", "options"]


@pytest.mark.slow
def test_a_stale_table_is_found_and_made_anew(tmp_path: Path) -> None:
    stale = tmp_path / "compiler.md"
    stale.write_text(DOCS.read_text("utf-8").replace("| `pack` | true |", "| `pack` | false |"), "utf-8")
    done = tool(str(stale), "--check")
    assert done.returncode == 1
    assert COMMAND in done.stderr
    assert tool(str(stale)).returncode == 0
    assert stale.read_text("utf-8") == DOCS.read_text("utf-8")


def test_every_pass_is_explained() -> None:
    """Beside its row in the table: why it is done, and why it is right."""
    text = DOCS.read_text("utf-8")
    missing = [entry.name for entry in PASSES if f"\n* `{entry.name}`. " not in text]
    assert missing == [], "explain these passes in docs/compiler.md under Passes"


def test_modules_that_are_named_exist() -> None:
    text = DOCS.read_text("utf-8")
    package = ROOT / "src" / "femtodriver"
    for name in re.findall(r"`([\w/]+\.py)`", text):
        places = (ROOT / name, package / name, package / "compiler" / name)
        assert any(place.is_file() for place in places), f"docs/compiler.md names {name}, which is not there"
