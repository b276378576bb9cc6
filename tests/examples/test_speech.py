"""The examples with speech: parts of their scripts, and all of them end to end in small."""

from __future__ import annotations

import contextlib
import importlib
import random
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from femtodriver.cli import main

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "speech"
PERSON = Path("/usr/share/asterisk/sounds/en_US_f_Allison/digits/0.wav")
SPEAKER = Path("/usr/share/codec2/wav/hts1a.wav")
MISSING = "needs Debian's packages: apt-get install espeak-ng flite asterisk-core-sounds-en-wav codec2-examples"
needs_speech = pytest.mark.skipif(
    shutil.which("espeak-ng") is None or shutil.which("flite") is None or not PERSON.is_file() or not SPEAKER.is_file(),
    reason=MISSING,
)

Import = Callable[[str], ModuleType]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """Imports the scripts of the folder, which import each other by bare name; they are gone after the test."""
    pytest.importorskip("scipy", reason="scipy is not installed; pip install '.[test]' brings it")
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    yield importlib.import_module
    for path in FOLDER.glob("*.py"):
        sys.modules.pop(path.stem, None)


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Around training, which wants one thread and torch's generator: both are as before afterwards."""
    torch = importlib.import_module("torch")
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)


def evaluate(arguments: str, folder: Path) -> None:
    """Run ``femtodrive evaluate`` in this process, with one worker."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed; pip install '.[test]' brings it")
    assert main(["evaluate", *arguments.split(), "--workers", "1", "--output-dir", str(folder)]) == 0


@pytest.mark.slow
def test_noise_is_as_loud_as_asked_for(script: Import) -> None:
    augment = script("augment")
    rng = np.random.default_rng(5)
    speech = (0.1 * rng.standard_normal(4000)).astype(np.float32)
    noise = augment.at_snr(speech, augment.noise(4000, rng), 7.0)
    assert 10 * np.log10(augment.power(speech) / augment.power(noise)) == pytest.approx(7.0, abs=1e-4)


@pytest.mark.slow
def test_words_keep_their_samples_where_they_are_put(script: Import) -> None:
    augment, digits = script("augment"), script("make_digits")
    word = np.arange(1, 1001, dtype=np.float32)
    for clip in (digits.centred(word), augment.place(word, digits.CLIP_SAMPLES, np.random.default_rng(1))):
        assert clip.shape == (digits.CLIP_SAMPLES,)
        assert np.array_equal(clip[clip > 0], word)
    assert digits.centred(np.ones(9000, np.float32)).sum() == digits.CLIP_SAMPLES


@pytest.mark.slow
def test_voices_of_the_evaluation_are_not_trained_on(script: Import) -> None:
    voices = script("voices")
    rng = random.Random(3)
    trained = {voices.trained_voice(rng).name.partition("+")[::2] for _ in range(2000)}
    variants = {variant for _, variant in trained}
    assert {name for name, variant in trained if not variant} == set(voices.FLITE)
    assert variants.isdisjoint(voices.unseen_voice(rng).name.partition("+")[2] for _ in range(300))
    assert len(variants) > 40
    assert voices.unseen_flite(rng).name not in voices.FLITE


@pytest.mark.slow
def test_a_missing_package_is_one_sentence(script: Import, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    voices = script("voices")
    monkeypatch.setenv("PATH", str(tmp_path))
    voice = voices.Voice("espeak-ng", "en-us+f3", 1.0, 50)
    with pytest.raises(SystemExit, match=r"^espeak-ng is not installed: apt-get install espeak-ng$"):
        voices.speak("seven", voice)
    with pytest.raises(SystemExit, match=r"gone is not there: apt-get install codec2-examples$"):
        voices.recordings(tmp_path / "gone", "codec2-examples")


@pytest.mark.slow
@needs_speech
def test_digits_end_to_end_in_small(
    script: Import,
    fmot: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    digits, training = script("make_digits"), script("train_digits")
    digits.main(tmp_path / "data", scale=1 / 60)
    made = capsys.readouterr().out
    for name, count in zip(("train", *digits.SETS), (40, 5, 1, 10, 50), strict=True):
        assert re.search(rf"/{name}: {count} (words|clips)$", made, re.M), name
    for constant in ("COPIES", "STEPS", "CALIBRATION"):
        monkeypatch.setattr(training, constant, 1)
    monkeypatch.setattr(training, "SETS", ("person",))
    models = [tmp_path / name / "spotter.pt" for name in ("once", "again")]
    for model in models:
        model.parent.mkdir()
        with single_threaded():
            training.main(tmp_path / "data", model)
    assert re.search(r"^person +n = +10: right .* same answer", capsys.readouterr().out, re.M)
    assert models[0].read_bytes() == models[1].read_bytes()
    person = tmp_path / "data" / "person"
    options = f"--inputs {person}/clips --labels {person}/labels.csv --classes {','.join(digits.WORDS)}"
    evaluate(f"{models[0]} {options}", tmp_path / "results")
    assert "of 10 clips with a label" in capsys.readouterr().out


@pytest.mark.slow
@needs_speech
def test_denoiser_end_to_end_in_small(
    script: Import,
    fmot: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    noisy, training = script("make_noisy_speech"), script("train_denoiser")
    monkeypatch.setattr(noisy, "PHRASES", 2)
    monkeypatch.setattr(noisy, "LONGEST_S", 0.5)
    monkeypatch.setattr(training, "CLIP_SAMPLES", 32 * training.HOP)
    noisy.main(tmp_path / "data", scale=1 / 40)
    for constant in ("COPIES", "STEPS", "CALIBRATION"):
        monkeypatch.setattr(training, constant, 1)
    monkeypatch.setattr(training, "SETS", ("person",))
    monkeypatch.setattr(training, "SNRS_DB", (5,))
    with single_threaded():
        training.main(tmp_path / "data", tmp_path / "denoiser.pt")
    assert re.search(r"^person +5 dB, n = +2: SNR gain .* quantized$", capsys.readouterr().out, re.M)
    clips = tmp_path / "data" / "speakers" / "10db"
    evaluate(
        f"{tmp_path / 'denoiser.pt'} --inputs {clips}/noisy --references {clips}/clean --delay {training.HOP}",
        tmp_path / "results",
    )
    (before,) = re.findall(r"^ *SNR in +([\d.]+) dB", capsys.readouterr().out, re.M)
    assert float(before) == pytest.approx(10.0, abs=0.5)  # the samples after the last whole frame are left out
