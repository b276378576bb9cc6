"""README shows what its command really prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from femtodriver.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


def shown() -> tuple[list[str], str]:
    """The words of the command, and the block of output that follows it."""
    text = README.read_text("utf-8")
    found = re.search(r"^`femtodrive ([^`]+)`\n\n<!-- output -->\n```\n(.*?)```\n<!-- /output -->", text, re.M | re.S)
    assert found is not None
    return shlex.split(found.group(1)), found.group(2)


def test_the_output_in_the_readme_is_that_of_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words, output = shown()
    monkeypatch.chdir(tmp_path)
    paths = [str(ROOT / word) if word.startswith("examples/") else word for word in words]
    assert main(paths) == 0
    assert capsys.readouterr().out == output
