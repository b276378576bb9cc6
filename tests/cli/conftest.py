"""For the tests of the command line: a place to work in, and the command in a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
Process = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def process(here: Path) -> Process:
    """``process(*words)``: femtodrive in a process of its own."""

    def run(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "femtodriver", *words]
        return subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=60, check=False, **options)

    return run


@pytest.fixture
def spotter() -> str:
    """The path of the shipped keyword spotter."""
    return str(TESTS.parent / "examples" / "keyword_spotter" / "keyword_spotter.pt")
