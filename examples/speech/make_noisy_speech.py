"""Noisy speech and the clean speech in it: synthesizers to train on, and others and people to evaluate on.

    python make_noisy_speech.py [FOLDER]      # default: noisy_speech

    train/*.wav                             clean speech of synthesizers; noise is added while training
    unseen_espeak/{0,5,10}db/noisy/*.wav    voices of espeak-ng that are not in train, in noise of that SNR
    unseen_espeak/{0,5,10}db/clean/*.wav    the same without noise
    person/...                              a person: phrases of Debian's asterisk-core-sounds-en-wav
    speakers/...                            four more people, of Debian's codec2-examples

Clips are at most LONGEST_S long. Their noise was not heard in training, but comes from the same generator.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import augment
import numpy as np
import voices

VOCABULARY = (
    "about after again all and before between blue bread bring brother call chair cheese city cold come could country "
    "day dinner door early every father finger first fish food friend garden green hand happy have house hundred if "
    "ice it job jump keep kitchen language large letter little long make money morning mother mountain music never "
    "north number of often open orange other paper people picture please purple question quick rain ready river school "
    "seven she should six small something street summer table thank the there thing think three through tomorrow under "
    "up usually very village voice wait water weather when which white window with word work world yellow yes you zoo"
)
TRAIN, UNSEEN_ESPEAK, PHRASES = 400, 40, 60
SPEAKERS = ("forig", "hts1a", "hts2a", "morig")
SETS = ("person", "speakers", "unseen_espeak")
SNRS_DB = (0, 5, 10)
LONGEST_S = 4.0
LEVEL = 0.05  # root mean square of the clean speech
SEED = 11


def sentence(rng: random.Random) -> str:
    """Five to nine words that make no sense."""
    return " ".join(rng.choices(VOCABULARY.split(), k=rng.randint(5, 9))) + rng.choice(".?!")


def loud(speech: voices.Samples) -> voices.Samples:
    """At most LONGEST_S of it, at LEVEL."""
    speech = speech[: round(LONGEST_S * voices.RATE_HZ)]
    return np.asarray(speech * LEVEL / np.sqrt(augment.power(speech)), dtype=np.float32)


def unseen(count: int) -> list[voices.Samples]:
    """Sentences of voices that are not in train."""
    rng = random.Random(SEED + 1)
    return [loud(voices.speak(sentence(rng), voices.unseen_voice(rng))) for _ in range(count)]


def person() -> list[voices.Samples]:
    """The first PHRASES recordings of the person that are longer than 1.5 s."""
    folder = voices.recordings(voices.PERSON, "asterisk-core-sounds-en-wav")
    phrases = (voices.trim(voices.read(path)) for path in sorted(folder.glob("*.wav")))
    return [loud(phrase) for phrase in phrases if phrase.size > 1.5 * voices.RATE_HZ][:PHRASES]


def speakers() -> list[voices.Samples]:
    """A sentence by each of the SPEAKERS."""
    folder = voices.recordings(voices.SPEAKERS, "codec2-examples")
    return [loud(voices.trim(voices.read(folder / f"{name}.wav"))) for name in SPEAKERS]


def write_set(folder: Path, clean: list[voices.Samples]) -> None:
    """Each clip at each SNR, and its clean reference."""
    rng = np.random.default_rng(SEED)
    for number, speech in enumerate(clean, 1):
        for snr_db in SNRS_DB:
            noise = augment.at_snr(speech, augment.noise(speech.size, rng), snr_db)
            voices.write(folder / f"{snr_db}db" / "noisy" / f"{number:03d}.wav", speech + noise)
            voices.write(folder / f"{snr_db}db" / "clean" / f"{number:03d}.wav", speech)
    print(f"{folder}: {len(clean)} clips at {', '.join(map(str, SNRS_DB))} dB")


def main(folder: Path, scale: float = 1.0) -> None:
    """Write everything; ``scale`` is the share of the synthesized clips that is made."""
    for name, clips in zip(SETS, (person(), speakers(), unseen(round(UNSEEN_ESPEAK * scale))), strict=True):
        write_set(folder / name, clips)
    rng = random.Random(SEED)
    for number in range(round(TRAIN * scale)):
        voices.write(
            folder / "train" / f"{number:04d}.wav", loud(voices.speak(sentence(rng), voices.trained_voice(rng)))
        )
    print(f"{folder / 'train'}: {round(TRAIN * scale)} clips")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("noisy_speech"))
