"""Features of audio: the package's own, whoever reads them in which pieces."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs import InputSpec, open_inputs
from femtodriver.inputs.micro_frontend import BANDS, HOP, MicroFrontend, feature_array, feature_hop
from tests.inputs.wav_bytes import chunk, fmt, riff

SPEC = InputSpec("audio", 120, 8, (1, 3, 40), -3.29, -128)


@pytest.fixture
def package() -> Any:
    return pytest.importorskip("pymicro_features", reason="pymicro-features is not installed")


def noise(samples: int) -> AnyArray:
    return np.random.default_rng(5).integers(-4000, 4000, samples).astype(np.int16)


def wav(samples: AnyArray, rate: int = 16000) -> bytes:
    return riff(fmt(16, rate=rate), chunk(b"data", samples.tobytes()))


def wanted(package: Any, samples: AnyArray) -> AnyArray:
    """What the package gives for hops of 10 ms."""
    frontend = package.MicroFrontend()
    content = samples.astype("<i2").tobytes()
    pieces = [content[first : first + 320] for first in range(0, len(content) - 319, 320)]
    return np.array([one for piece in pieces for one in frontend.process_samples(piece).features])


def test_features_do_not_depend_on_how_they_are_read(package: Any) -> None:
    samples = noise(8123)
    array = feature_array(lambda first, last: samples[first:last], len(samples), (), "x")
    whole = wanted(package, samples)
    assert array.shape == whole.shape
    np.testing.assert_array_equal(array.whole(), whole)
    pieces = [array.read(first, min(first + 70, array.size)) for first in range(0, array.size, 70)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    np.testing.assert_array_equal(array.read(40, 90), whole[40:90])


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(
        InputError, match="clip: must have at least 480 samples, which make the first features, not 479"
    ):
        feature_array(lambda first, last: np.zeros(last - first), 479, (), "clip")


def test_frames_of_a_wav_file_are_quantized_features(package: Any, tmp_path: Path) -> None:
    samples = noise(16000)
    (tmp_path / "a.wav").write_bytes(wav(samples))
    with open_inputs(tmp_path / "a.wav", [SPEC], frontend="micro") as reader:
        found = reader.read(0, reader.n_frames)["audio"]
        assert (reader.period_s, reader.rate_hz) == (0.03, 4000.0)
        notes = " ".join(reader.notes)
    features = wanted(package, samples)
    rows = features[: len(features) // 120 * 120].reshape(-1, 120)
    steps = np.clip(np.floor(rows.astype(np.float32) / np.float32(SPEC.step) + 0.5) - 128, -128, 127)
    np.testing.assert_array_equal(found, steps)
    assert "98 groups of 40 features, one every 10 ms (frontend micro)" in notes


def test_a_hop_counts_samples(package: Any, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(noise(4800)))
    with open_inputs(tmp_path / "a.wav", [SPEC], frontend="micro", hop=160) as reader:
        rows = reader.read(0, reader.n_frames)["audio"]
        assert reader.period_s == 0.01
    np.testing.assert_array_equal(rows[1:, :80], rows[:-1, 40:])
    with pytest.raises(UsageError, match="hop: must be a multiple of 160 samples with --frontend micro, not 100"):
        feature_hop(100)
    assert feature_hop(3 * HOP) == 3 * BANDS


def test_what_it_cannot_hear_is_refused(package: Any, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(noise(4800), 8000))
    with pytest.raises(UsageError, match=r"micro hears 16000 Hz, but .*a.wav has 8000 Hz. Add --resample 16000"):
        open_inputs(tmp_path / "a.wav", [SPEC], frontend="micro")
    (tmp_path / "b.wav").write_bytes(wav(noise(4800)))
    with pytest.raises(InputError, match='input "x" must have a multiple of 40 elements, not 64'):
        open_inputs(tmp_path / "b.wav", [InputSpec("x", 64, 16)], frontend="micro")
    with pytest.raises(UsageError, match="frontend: must be given for a WAV file, not for arrays"):
        open_inputs(np.zeros((2, 120)), [SPEC], frontend="micro")
    with pytest.raises(UsageError, match="frontend: must be micro, not 'mel'"):
        MicroFrontend("mel")


def test_without_the_package_a_sentence_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "pymicro_features":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        UsageError, match=r"pymicro-features must be installed; pip install 'open-femtodriver\[wakeword\]'"
    ):
        MicroFrontend()
