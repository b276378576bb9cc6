"""Spoken digits: synthesizers to train on, and others and a person to evaluate on.

    python make_digits.py [FOLDER]      # default: spoken_digits

    train/seven/00017.wav ...           words as they come from the synthesizers
    unseen_espeak/clips/*.wav           voices of espeak-ng that are not in train
    unseen_flite/clips/*.wav            a voice of flite that is not in train
    person/clips/*.wav                  recordings of a person
    person_20db/clips/*.wav             the same, in noise
    */labels.csv                        what is said in each clip

Clips to evaluate on are CLIP_SAMPLES long, with the word in the middle and its peak at half of full scale.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import augment
import numpy as np
import voices

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SETS = ("unseen_espeak", "unseen_flite", "person", "person_20db")
CLIP_SAMPLES = 64 * 128
TRAIN, UNSEEN_ESPEAK, UNSEEN_FLITE = 2400, 300, 60
NOISES = 5  # in which each of the person's recordings is heard
ENDINGS = ("", ".", ",", "!", "?")  # change the melody
SEED = 1

Word = tuple[str, voices.Samples]


def spoken(draw: Callable[[random.Random], voices.Voice], count: int, seed: int) -> Iterable[Word]:
    """``count`` digits in turn, each by a voice drawn anew."""
    rng = random.Random(seed)
    for number in range(count):
        word = WORDS[number % len(WORDS)]
        yield word, voices.speak(word + rng.choice(ENDINGS), draw(rng))


def recorded() -> list[Word]:
    """The ten digits, said by the person of the asterisk recordings."""
    folder = voices.recordings(voices.PERSON / "digits", "asterisk-core-sounds-en-wav")
    return [(word, voices.trim(voices.read(folder / f"{digit}.wav"))) for digit, word in enumerate(WORDS)]


def in_noise(words: Iterable[Word], snr_db: float, seed: int) -> Iterable[Word]:
    """Each word NOISES times in other noise."""
    rng = np.random.default_rng(seed)
    for word, speech in words:
        for _ in range(NOISES):
            clip = centred(speech)
            noise = augment.at_snr(speech, augment.noise(clip.size, rng), snr_db)
            yield word, clip + noise


def centred(speech: voices.Samples) -> voices.Samples:
    """(CLIP_SAMPLES,) with the speech in the middle; what does not fit is cut off."""
    speech = speech[:CLIP_SAMPLES]
    before = (CLIP_SAMPLES - speech.size) // 2
    return np.pad(speech, (before, CLIP_SAMPLES - speech.size - before))


def write_set(folder: Path, words: Iterable[Word]) -> None:
    """Write the clips and labels.csv."""
    lines = ["path,label"]
    for number, (word, speech) in enumerate(words):
        clip = centred(speech)
        name = f"clips/{number:03d}_{word}.wav"
        voices.write(folder / name, clip * (0.5 / np.abs(clip).max()))
        lines.append(f"{name},{word}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{folder}: {len(lines) - 1} clips")


def main(folder: Path, scale: float = 1.0) -> None:
    """Write everything; ``scale`` is the share of the synthesized words that is made."""
    person = recorded()
    for number, (word, speech) in enumerate(spoken(voices.trained_voice, round(TRAIN * scale), SEED)):
        voices.write(folder / "train" / word / f"{number:05d}.wav", speech * (0.9 / np.abs(speech).max()))
    print(f"{folder / 'train'}: {round(TRAIN * scale)} words")
    sets = (
        spoken(voices.unseen_voice, round(UNSEEN_ESPEAK * scale), SEED + 1),
        spoken(voices.unseen_flite, round(UNSEEN_FLITE * scale), SEED + 2),
        person,
        in_noise(person, 20.0, SEED + 3),
    )
    for name, words in zip(SETS, sets, strict=True):
        write_set(folder / name, words)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("spoken_digits"))
