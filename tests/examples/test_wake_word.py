"""The example of the wake word, where a voice, the front end and a model are installed."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.tflite.real_models import real_models
from tests.tflite.spoken_words import needs_frontend, needs_voice

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "wake_word"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The program, as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import hear_wake_word

    yield hear_wake_word
    sys.modules.pop("hear_wake_word", None)


@needs_frontend
@needs_voice
@pytest.mark.slow
def test_only_its_word_wakes_the_model_and_the_board_agrees(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("soxr", reason="soxr is not installed")
    real_models()
    monkeypatch.chdir(tmp_path)
    assert example.main(example.packaged_model(), example.PHRASES) == 0
    lines = capsys.readouterr().out.splitlines()
    said = dict(line.split(": ", 1) for line in lines if ": " in line)
    probabilities = {phrase: float(said[phrase].split()[0]) for phrase in example.PHRASES}
    assert probabilities["alexa"] > 0.9
    assert max(probabilities["good morning"], probabilities["what time is it"]) < 0.5
    (watts,) = (float(key.removesuffix(" uW")) for key in said if key.endswith(" uW"))
    assert 1 < watts < 200
    assert re.fullmatch(r"\d+ frames, 0 of them different on the board", lines[-1])


def test_the_page_shows_its_phrases(example: ModuleType) -> None:
    page = (FOLDER / "README.md").read_text("utf-8")
    assert [line.split(":")[0] for line in page.splitlines() if " after " in line] == list(example.PHRASES)


def test_without_a_model_the_way_to_one_is_told(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="pip install --no-deps pymicro-wakeword"):
        example.packaged_model()
