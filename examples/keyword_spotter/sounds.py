"""Four synthetic "words" made with NumPy, and the integer features that the keyword spotter listens to.

Nothing here is speech: a word is half a second of a whistle that rises ("up"), falls ("down"), stays ("hold") or
hops between two notes ("trill"), with a random pitch, loudness and overtone, over noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 8000
FRAME_SAMPLES = 128  # 16 ms: one network frame
WINDOW_SAMPLES = 256
BANDS = 32
WORD_FRAMES = 32
GAP_FRAMES = 24
LABELS = ("background", "up", "down", "hold", "trill")

# A feature is log2 of a band's mean power, centred and scaled to about -1..1; the network takes it times 2**15.
FEATURE_SCALE = 2**15
_LOG_CENTRE = -5.0
_LOG_SPAN = 16.0


def say(word: str, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """One word: (WORD_FRAMES * FRAME_SAMPLES,) float64 samples within -1..1."""
    count = WORD_FRAMES * FRAME_SAMPLES
    place = np.linspace(0.0, 1.0, count)
    low, high = rng.uniform(350, 700), rng.uniform(1500, 2600)
    if word == "up":
        pitch = low * (high / low) ** place
    elif word == "down":
        pitch = high * (low / high) ** place
    elif word == "hold":
        pitch = np.full(count, rng.uniform(low, high))
    elif word == "trill":
        hops = np.floor(place * WORD_FRAMES / 4) % 2
        pitch = np.where(hops == 0, low, high)
    else:
        raise ValueError(f"word must be one of {', '.join(LABELS[1:])}, not {word!r}.")
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    tone = np.sin(phase) + rng.uniform(0.0, 0.3) * np.sin(2 * phase)
    fade = np.minimum(1.0, 20 * np.minimum(place, 1 - place))
    return np.asarray(rng.uniform(0.15, 0.7) * fade * tone, dtype=np.float64)


def record(words: Sequence[str], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Noise with the words in it: each GAP_FRAMES of noise, then a word; at the end noise again. 1-D float64."""
    gap = np.zeros(GAP_FRAMES * FRAME_SAMPLES)
    parts = [part for word in words for part in (gap, say(word, rng))]
    sound = np.concatenate([*parts, gap])
    return sound + rng.uniform(0.003, 0.03) * rng.standard_normal(sound.size)


def labels(words: Sequence[str]) -> npt.NDArray[np.int64]:
    """(frames,) what the network should answer on each frame of ``record(words)``; -1 where any answer will do.

    The answer is a word from its 20th frame on (it must have been heard first) to its end, and
    background from 10 frames after a word.
    """
    after, heard = 10, 20
    gap = [-1] * after + [0] * (GAP_FRAMES - after)
    wanted = [label for word in words for label in gap + [-1] * heard + [LABELS.index(word)] * (WORD_FRAMES - heard)]
    return np.array(wanted + gap, dtype=np.int64)


def features(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """(frames, BANDS) int16 features of a 1-D sound within -1..1, one row for each FRAME_SAMPLES samples."""
    padded = np.concatenate([np.zeros(WINDOW_SAMPLES - FRAME_SAMPLES), sound])
    starts = np.arange(sound.size // FRAME_SAMPLES) * FRAME_SAMPLES
    windows = padded[starts[:, None] + np.arange(WINDOW_SAMPLES)] * np.hanning(WINDOW_SAMPLES)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    bands = np.maximum(power @ _bands().T, 2.0**-24)
    scaled: npt.NDArray[np.float64] = (np.log2(bands) - _LOG_CENTRE) / _LOG_SPAN * FEATURE_SCALE
    return np.clip(np.round(scaled), -32768, 32767).astype(np.int16)


def _bands() -> npt.NDArray[np.float64]:
    """(BANDS, WINDOW_SAMPLES // 2 + 1) triangular bands, evenly spaced on the mel scale, each of mean 1."""
    top = 2595 * np.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    edges = 700 * (10 ** (np.linspace(60.0, top, BANDS + 2) / 2595) - 1)
    hertz = np.linspace(0, SAMPLE_RATE_HZ / 2, WINDOW_SAMPLES // 2 + 1)
    rise = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.maximum(0.0, np.minimum(rise, fall)) + 1e-9
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)
