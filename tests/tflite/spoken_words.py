"""Speech for wake-word models, made by espeak-ng, and the features that their own front end makes of it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

from femtodriver.arrays import AnyArray

RATE_HZ = 16000
SPOKEN_RATE_HZ = 22050
FRONTEND_INSTALL = "pip install --no-deps pymicro-features==2.0.2"
NO_FRONTEND = f"pymicro-features is not installed; get it with: {FRONTEND_INSTALL}"
NO_VOICE = "espeak-ng is not installed; get it with: apt-get install espeak-ng"
needs_frontend = pytest.mark.skipif(find_spec("pymicro_features") is None, reason=NO_FRONTEND)
needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason=NO_VOICE)
_HOP_BYTES = 320
_PAUSE_S = 0.3


@cache
def speech(text: str, voice: str = "en-us", words_per_minute: int = 150) -> AnyArray:
    """A phrase between two pauses of faint noise: int16 samples at 16 kHz. Skips the test without espeak-ng."""
    if shutil.which("espeak-ng") is None:
        pytest.skip(NO_VOICE)
    command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "--stdout", text]
    said = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    # the header lies about the length, because standard output cannot be rewound
    stored = said[said.index(b"data") + 8 :]
    spoken = np.frombuffer(stored[: len(stored) // 2 * 2], "<i2").astype(np.float64)
    places = np.arange(0, len(spoken) - 1, SPOKEN_RATE_HZ / RATE_HZ)
    there = np.interp(places, np.arange(len(spoken)), spoken)
    noise = np.random.default_rng(7).normal(0, 6, len(there) + 2 * int(_PAUSE_S * RATE_HZ))
    pause = int(_PAUSE_S * RATE_HZ)
    noise[pause : pause + len(there)] += there
    return np.clip(np.rint(noise), -32768, 32767).astype(np.int16)


def micro_features(samples: AnyArray) -> AnyArray:
    """What the front end of the real models makes of int16 samples at 16 kHz: float64, (frames of 10 ms, 40)."""
    module = pytest.importorskip("pymicro_features", reason=NO_FRONTEND)
    frontend, rows = module.MicroFrontend(), []
    content = samples.astype("<i2").tobytes()
    for first in range(0, len(content) - _HOP_BYTES + 1, _HOP_BYTES):
        found = frontend.process_samples(content[first : first + _HOP_BYTES]).features
        if found:
            rows.append(found)
    return np.array(rows)


def steps_of(features: AnyArray, size: int, scale: float, zero: int) -> AnyArray:
    """Frames of a model's input, int8 (steps, size): so many features each, quantized."""
    steps = features.reshape(-1)[: features.size // size * size].reshape(-1, size)
    return np.clip(np.rint(steps / scale + zero), -128, 127).astype(np.int8)


def spoken_steps(phrases: Sequence[str], voices: Sequence[str], size: int, scale: float, zero: int) -> AnyArray:
    """All phrases in all voices, one after the other."""
    said = np.concatenate([speech(phrase, voice) for voice in voices for phrase in phrases])
    return steps_of(micro_features(said), size, scale, zero)
