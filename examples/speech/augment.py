"""What rooms, microphones and neighbours do to speech, with NumPy and a seed."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve, lfilter, resample_poly
from voices import RATE_HZ, Samples


def vary(speech: Samples, rng: np.random.Generator) -> Samples:
    """The same words by another throat, in another room, through another microphone: (samples,), another length."""
    return tilt(echo(warp(speech, rng), rng), rng)


def warp(speech: Samples, rng: np.random.Generator) -> Samples:
    """Played 0.8 to 1.25 times as fast: pitch, formants and length change together."""
    up = int(rng.integers(80, 126))
    return np.asarray(resample_poly(speech, up, 100), dtype=np.float32)


def tilt(speech: Samples, rng: np.random.Generator) -> Samples:
    """Up to 10 dB more or less treble than bass."""
    zero, pole = rng.uniform(-0.6, 0.6, size=2)
    return np.asarray(lfilter([1.0, zero], [1.0, pole], speech), dtype=np.float32)


def echo(speech: Samples, rng: np.random.Generator) -> Samples:
    """A room that takes 50 to 250 ms to fall silent, more or less far away."""
    count = int(rng.uniform(0.05, 0.25) * RATE_HZ)
    room = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    room *= rng.uniform(0.0, 0.6) / np.linalg.norm(room)
    room[0] = 1.0
    return np.asarray(fftconvolve(speech, room)[: speech.size], dtype=np.float32)


def noise(count: int, rng: np.random.Generator) -> Samples:
    """Noise between hiss and rumble that swells and fades, of power 1: (count,)."""
    bins = np.fft.rfftfreq(count, 1 / RATE_HZ)
    slope = rng.uniform(0.0, 1.0)  # 0: white, 0.5: pink, 1: red
    spectrum = np.fft.rfft(rng.standard_normal(count)) / np.maximum(bins, 60.0) ** slope
    turns = rng.uniform(0.2, 3.0) * np.arange(count) / RATE_HZ + rng.random()
    swell = 1 + rng.uniform(0.0, 0.6) * np.sin(2 * np.pi * turns)
    sound = np.fft.irfft(spectrum, count) * swell
    return np.asarray(sound / np.sqrt(np.mean(sound**2)), dtype=np.float32)


def power(sound: Samples) -> float:
    """Mean square of (samples,)."""
    return float(np.mean(np.square(sound, dtype=np.float64)))


def at_snr(speech: Samples, sound: Samples, snr_db: float) -> Samples:
    """The sound, as loud as it has to be for that ratio of the speech's power to its own."""
    return np.asarray(sound * np.sqrt(power(speech) / power(sound) / 10 ** (snr_db / 10)), dtype=np.float32)


def place(speech: Samples, count: int, rng: np.random.Generator) -> Samples:
    """(count,) samples with the speech somewhere in them; what does not fit is cut off."""
    speech = speech[:count]
    start = int(rng.integers(0, count - speech.size + 1))
    return np.pad(speech, (start, count - speech.size - start))
