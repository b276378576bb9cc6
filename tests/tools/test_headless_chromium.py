"""A browser that does not start properly leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import headless_chromium
import pytest
from headless_chromium import Chromium


@pytest.mark.parametrize("body", ["exit 1", "exec sleep 600"])
def test_a_start_that_fails_leaves_no_process(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, pid = tmp_path / "chromium", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {pid}\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(headless_chromium, "find_chromium", lambda: str(program))
    monkeypatch.setattr(headless_chromium, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(headless_chromium, "PATIENCE_S", 0.05)
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "folder"))
    descriptors = set(os.listdir("/dev/fd"))
    with pytest.raises(RuntimeError, match="Chromium: must answer until it is closed"):
        Chromium()
    if pid.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)
    assert list((tmp_path / "folder").iterdir()) == []
    assert set(os.listdir("/dev/fd")) == descriptors
