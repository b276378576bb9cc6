"""The example on the virtual board ends with 1 where the board differs; its page has what it prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from femtodriver.runners.fqir_runner import FqirRunner

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "virtual_board"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The program, as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import step_by_step

    yield step_by_step
    sys.modules.pop("step_by_step", None)


@pytest.mark.slow
def test_the_words_are_heard_on_the_board(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert example.main() == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in told[:-1]] == ["up", "hold", "trill", "down"]
    assert told[-1] == "248 frames, 0 of them different from fqir"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_board_that_differs_is_the_exit_status(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = FqirRunner._step

    def wrong(self: FqirRunner, inputs: dict[str, object]) -> object:
        outputs, inside = step(self, inputs)  # type: ignore[arg-type]
        return {name: values + 1 for name, values in outputs.items()}, inside

    monkeypatch.setattr(FqirRunner, "_step", wrong)
    assert example.main() == 1
    assert "248 of them different" in capsys.readouterr().out
