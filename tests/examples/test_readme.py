"""README and pages of docs/ show what their commands really print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import readme_output

from femtodriver.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "page", [readme_output.PAGES[0], *(pytest.param(p, marks=pytest.mark.slow) for p in readme_output.PAGES[1:])]
)
def test_the_output_in_a_page_is_that_of_its_commands(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(words: Sequence[str]) -> str:
        assert main(words) in (0, 1)
        out, err = capsys.readouterr()
        assert err == ""
        return out

    text = (ROOT / page).read_text("utf-8")
    assert readme_output.STEP.search(text) is not None
    monkeypatch.chdir(tmp_path)
    assert readme_output.with_output(text, run) == text, "write it again: python tools/readme_output.py"
