"""The voice activity detector: its programs in small, and the shipped network on voices and on noise alone."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.examples.test_speech import SPEAKER, needs_speech, single_threaded

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "voice_activity"
SPEECH = FOLDER.with_name("speech")
needs_voices = pytest.mark.skipif(
    not SPEAKER.is_file() and shutil.which("espeak-ng") is None,
    reason="needs one of Debian's packages: apt-get install codec2-examples, or espeak-ng",
)

Import = Callable[[str], ModuleType]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """Imports the programs of the folder; they and what they take from examples/speech are gone after the test."""
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    yield importlib.import_module
    for path in (*FOLDER.glob("*.py"), *SPEECH.glob("*.py")):
        sys.modules.pop(path.stem, None)


@pytest.fixture
def talk(script: Import) -> ModuleType:
    """The program that makes clips; it needs scipy."""
    pytest.importorskip("scipy", reason="scipy is not installed; pip install '.[test]' brings it")
    return script("talk")


def test_an_answer_is_held_over_the_pauses_between_words(script: Import) -> None:
    listen = script("listen")
    answers = np.zeros(200, bool)
    answers[[10, 11, 30, 100]] = True
    held = listen.held(answers)
    ends = [30 + listen.HOLD_FRAMES + 1, 100 + listen.HOLD_FRAMES + 1]
    assert np.flatnonzero(np.diff(held.astype(int))).tolist() == [9, ends[0] - 1, 99, ends[1] - 1]
    found = np.array(listen.stretches(held))
    assert found == pytest.approx(0.006 * np.array([[10, ends[0]], [100, ends[1]]]))
    assert not listen.held(np.zeros(50, bool)).any()


@pytest.mark.slow
def test_frames_with_speech_are_those_that_are_loud_and_what_is_between_them(talk: ModuleType) -> None:
    clean = np.zeros(40 * talk.HOP, np.float32)
    for frame in (5, 12, 30):
        clean[frame * talk.HOP : (frame + 1) * talk.HOP] = 0.5
    clean[20 * talk.HOP : 21 * talk.HOP] = 0.001
    assert np.flatnonzero(talk.spoken_frames(clean)).tolist() == [5, 6, 7, 8, 9, 10, 11, 12, 30]
    assert not talk.spoken_frames(np.zeros(640, np.float32)).any()


@pytest.mark.slow
def test_noise_alone_and_silence_are_no_speech(script: Import, talk: ModuleType, tmp_path: Path) -> None:
    listen, augment, voices = (script(name) for name in ("listen", "augment", "voices"))
    for number, level in enumerate((0.0, 0.03)):
        path = tmp_path / f"{number}.wav"
        voices.write(path, level * augment.noise(16000, np.random.default_rng(number)))
        answers, watts = listen.listen(path)
        assert answers.shape == (16000 // listen.HOP,)
        assert answers.mean() < 0.1
        assert watts > 0


@pytest.mark.slow
@needs_voices
def test_voices_are_heard(script: Import, talk: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk.main(tmp_path / "talk.wav")
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("in noise 10 dB below them")
    assert len(told) >= 5
    assert script("listen").main(tmp_path / "talk.wav") == 0
    heard, false = map(float, re.findall(r"([\d.]+)%", capsys.readouterr().out))
    assert heard > 80
    assert false < 20


@pytest.mark.slow
def test_what_is_no_recording_is_one_sentence(
    script: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script("listen").main(tmp_path / "gone.wav") == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
@needs_speech
def test_training_in_small_gives_the_same_file_twice(
    script: Import,
    talk: ModuleType,
    fmot: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    training = script("train_activity")
    small = {
        "VOICES": 2,
        "CLIPS": 2,
        "STEPS": 1,
        "CALIBRATION": 1,
        "SNRS_DB": (10.0,),
        "EVALUATED_S": 0.5,
        "SECONDS": 1.0,
    }
    for constant, value in small.items():
        monkeypatch.setattr(training, constant, value)
    noisy = script("make_noisy_speech")
    monkeypatch.setattr(noisy, "PHRASES", 0)
    monkeypatch.setattr(noisy, "SPEAKERS", ("hts1a", "forig"))
    models = [tmp_path / name / "voice_activity.pt" for name in ("once", "again")]
    for model in models:
        model.parent.mkdir()
        with single_threaded():
            training.main(model)
    assert models[0].read_bytes() == models[1].read_bytes()
    assert len(re.findall(r"^(?:floats|quantized) +10 dB: ", capsys.readouterr().out, re.M)) == 4
