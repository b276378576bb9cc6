"""docs/profile.md: its program runs, and prints what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_program_of_the_page_prints_the_modules(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "profile.md").read_text("utf-8"), re.DOTALL)
    program = code.replace('"examples/', f'"{ROOT}/examples/')
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert lines[0].split()[0] == "listen.layers.0.linear_hh"
    assert {line.split()[-1] for line in lines} == {"0"}
    assert len(lines) == 5
