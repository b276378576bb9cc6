"""What is told where a wheel, or a Python, is not as it should be."""

from __future__ import annotations

import sys
from pathlib import Path

import check_release
import pytest
from check_release import CheckError, find_pythons, main, run, version_of


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_command_that_fails_is_told_with_its_last_line(tmp_path: Path) -> None:
    failing = script(tmp_path / "failing", "echo first >&2; echo last >&2; exit 3")
    with pytest.raises(CheckError, match=r"failing --now: exit status 3: last$"):
        run([failing, "--now"], tmp_path)
    assert run([failing], tmp_path, status=3) == "first\nlast\n"


def test_pythons_are_found_where_they_are_installed_and_missing_ones_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script(tmp_path / "bin" / "python3.11", "exit 127")  # as pyenv's, for a version that is switched off
    works = [
        script(tmp_path / "bin" / "python3.10", "echo Python 3.10.1"),
        script(tmp_path / "pyenv" / "versions" / "3.11.9" / "bin" / "python", "echo Python 3.11.9"),
        script(tmp_path / ".local/share/uv/python/cpython-3.13.2-linux/bin/python3", "echo Python 3.13.2"),
    ]
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_pythons() == works
    assert capsys.readouterr().out == "Python 3.12: not found, so not tried\n"


def test_a_wheel_that_does_not_work_is_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path}: must have wheels in it, but has none; run make release\n"
    (tmp_path / "x-1-py3-none-any.whl").touch()

    def fail(*_: object) -> str:
        raise CheckError("must say 'a', but says 'b'")

    monkeypatch.setattr(check_release, "check_wheel", fail)
    assert main([str(tmp_path), "--python", sys.executable]) == 1
    told = f"x-1-py3-none-any.whl, {version_of(Path(sys.executable))}: FAILED: must say 'a', but says 'b'\n"
    assert capsys.readouterr().out == told
