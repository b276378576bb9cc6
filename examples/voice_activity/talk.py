"""Speech with pauses in noise, and in which frames somebody speaks: to train on, and to evaluate on.

    python examples/voice_activity/talk.py [talk.wav]

writes eleven seconds in which people speak (Debian's codec2-examples), or synthesizers where that is not installed, in
noise 10 dB below them, and prints from when to when they do.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

SPEECH = Path(__file__).resolve().parents[1] / "speech"
sys.path.append(str(SPEECH))

import augment  # noqa: E402
import voices  # noqa: E402

HOP = 48  # samples of a frame: 6 ms
SPEAKERS = ("hts1a", "forig", "hts2a", "morig")
SENTENCES = (
    "the window of the kitchen is open",
    "seven people wait under the bridge",
    "call me again after the summer",
    "a quick answer would help my brother",
)
SNR_DB = 10.0
SECONDS = 11
LEVEL = 0.05  # root mean square of what is spoken
QUIET_DB, CALM_FRAMES = -24.0, 16  # below the loudest frame; a gap of up to 0.1 s in a word is still speech
SHOWN_FRAMES = 60  # shorter gaps are not shown: 0.36 s
SEED = 5

Clip = tuple[voices.Samples, npt.NDArray[np.bool_]]
"""Samples, and for each frame of HOP samples whether somebody speaks in it."""


def spoken_frames(speech: voices.Samples) -> npt.NDArray[np.bool_]:
    """(frames,) whether each frame of clean speech is loud enough to be speech, or between two that are."""
    frames = speech[: speech.size // HOP * HOP].reshape(-1, HOP).astype(np.float64)
    energy = np.square(frames).mean(axis=1)
    return closed(np.asarray(energy > energy.max(initial=1e-12) * 10 ** (QUIET_DB / 10)), CALM_FRAMES)


def closed(spoken: npt.NDArray[np.bool_], frames: int) -> npt.NDArray[np.bool_]:
    """The same without gaps of fewer frames than that."""
    whole = np.array(spoken)
    for start, end in pairwise(np.flatnonzero(spoken).tolist()):
        if end - start <= frames:
            whole[start:end] = True
    return whole


def loud(speech: voices.Samples) -> voices.Samples:
    """The same at LEVEL."""
    return np.asarray(speech * LEVEL / np.sqrt(augment.power(speech)), dtype=np.float32)


def in_pauses(parts: Iterable[voices.Samples], count: int, rng: np.random.Generator) -> voices.Samples:
    """(count,) samples: the parts one after the other, with 0.3 to 1.2 s of silence before each."""
    pieces: list[voices.Samples] = []
    for part in parts:
        pieces += [np.zeros(int(rng.uniform(0.3, 1.2) * voices.RATE_HZ), np.float32), part]
    whole = np.concatenate(pieces)[:count]
    return np.pad(whole, (0, count - whole.size))


def in_noise(clean: voices.Samples, speech: voices.Samples, snr_db: float, rng: np.random.Generator) -> Clip:
    """Noise over a clip with pauses, so much below the speech alone; and the frames in which there is speech."""
    noise = augment.at_snr(speech, augment.noise(clean.size, rng), snr_db)
    return np.clip(clean + noise, -1.0, 1.0).astype(np.float32), spoken_frames(clean)


def talk_of(parts: Sequence[voices.Samples], seconds: float, snr_db: float, seed: int) -> Clip:
    """A clip of these parts with pauses between them, in noise."""
    rng = np.random.default_rng(seed)
    parts = [loud(part) for part in parts]
    clean = in_pauses(parts, int(seconds * voices.RATE_HZ) // HOP * HOP, rng)
    return in_noise(clean, np.concatenate(parts), snr_db, rng)


def speakers() -> tuple[str, list[voices.Samples]]:
    """Who speaks, and two seconds of what each says: people, or synthesizers where there are no recordings."""
    if voices.SPEAKERS.is_dir():
        said = [voices.trim(voices.read(voices.SPEAKERS / f"{name}.wav")) for name in SPEAKERS]
        who = "four people"
    else:
        rng = random.Random(SEED)
        said = [voices.speak(sentence, voices.unseen_voice(rng)) for sentence in SENTENCES]
        who = "four synthesized voices"
    return who, [part[: 2 * voices.RATE_HZ] for part in said]


def stretches(spoken: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """From when to when each stretch of speech lasts, in seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], spoken, [False]]).astype(np.int8)))
    return [(start * HOP / voices.RATE_HZ, end * HOP / voices.RATE_HZ) for start, end in edges.reshape(-1, 2).tolist()]


def main(path: Path) -> None:
    """Write the clip, and beside it as .npy in which frames there is speech."""
    who, parts = speakers()
    samples, spoken = talk_of(parts, SECONDS, SNR_DB, SEED)
    voices.write(path, samples)
    np.save(path.with_suffix(".npy"), spoken)
    print(f"wrote {path}: {who} in noise {SNR_DB:g} dB below them")
    for start, end in stretches(closed(spoken, SHOWN_FRAMES)):
        print(f"  {start:5.2f} to {end:5.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("talk.wav"))
