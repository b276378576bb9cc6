"""Speech that Debian's packages bring: synthesizers to train on, and recordings of people to evaluate on.

Everything is mono at RATE_HZ: samples are float32 within -1..1. Nothing is kept but what the caller writes.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.io import wavfile
from scipy.signal import resample_poly

Samples = npt.NDArray[np.float32]

RATE_HZ = 8000
PERSON = Path("/usr/share/asterisk/sounds/en_US_f_Allison")  # Debian's asterisk-core-sounds-en-wav
SPEAKERS = Path("/usr/share/codec2/wav")  # Debian's codec2-examples

ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-gb-x-gbclan", "en-029", "en-us-nyc")
_VARIANTS = (
    "Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Michael Mike "
    "Nguyen adam anika announcer antonio aunty belinda benjamin boris caleb david ed edward edward2 f1 f2 f3 "
    "f4 f5 grandma grandpa gustave iven iven2 iven3 john kaukovalta klatt klatt2 klatt3 klatt4 linda m1 m2 m3 "
    "m4 m5 m6 m7 m8 marcelo max michel miguel norbert pablo paul pedro quincy rob robert sandro shelby steph "
    "steph2 travis victor"
)
VARIANTS = tuple(_VARIANTS.split())  # those that sound like people
UNSEEN_VARIANTS = VARIANTS[4::5]  # kept for evaluation
TRAINED_VARIANTS = tuple(name for name in VARIANTS if name not in UNSEEN_VARIANTS)
FLITE = ("awb", "kal", "kal16", "rms")
UNSEEN_FLITE = "slt"


@dataclass(frozen=True)
class Voice:
    """A voice of a synthesizer, and how it speaks."""

    engine: str  # "espeak-ng" or "flite"
    name: str  # what the engine calls it
    pace: float  # 1.0 is the engine's own
    pitch: int  # 0 to 99, of espeak-ng only; 50 is the engine's own


def trained_voice(rng: random.Random) -> Voice:
    """A voice to train on, drawn at random: three of four are espeak-ng's."""
    if rng.random() < 0.25:
        return Voice("flite", rng.choice(FLITE), rng.uniform(0.6, 1.2), 50)
    return _espeak(rng.choice(TRAINED_VARIANTS), rng)


def unseen_voice(rng: random.Random) -> Voice:
    """A voice of espeak-ng's that `trained_voice` never draws."""
    return _espeak(rng.choice(UNSEEN_VARIANTS), rng)


def unseen_flite(rng: random.Random) -> Voice:
    """The voice of flite that `trained_voice` never draws."""
    return Voice("flite", UNSEEN_FLITE, rng.uniform(0.85, 1.15), 50)


def _espeak(variant: str, rng: random.Random) -> Voice:
    return Voice("espeak-ng", f"{rng.choice(ACCENTS)}+{variant}", rng.uniform(0.5, 1.1), rng.randint(30, 75))


def speak(text: str, voice: Voice) -> Samples:
    """What the synthesizer makes of the text, without silence at both ends: (samples,)."""
    program = _installed(voice.engine, voice.engine)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        if voice.engine == "flite":
            options: list[str | Path] = [
                "-voice",
                voice.name,
                "--setf",
                f"duration_stretch={1 / voice.pace:.3f}",
                "-t",
                text,
                "-o",
                path,
            ]
        else:
            options = ["-v", voice.name, "-s", str(round(175 * voice.pace)), "-p", str(voice.pitch), "-w", path, text]
        subprocess.run([program, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return trim(read(path))


def read(path: Path) -> Samples:
    """A 16-bit mono WAV file of any rate: (samples,)."""
    rate, samples = wavfile.read(path)
    real = samples.astype(np.float32) / 32768
    common = gcd(rate, RATE_HZ)
    return np.asarray(resample_poly(real, RATE_HZ // common, rate // common), dtype=np.float32)


def write(path: Path, samples: Samples) -> None:
    """Write (samples,) as 16-bit PCM; what is beyond full scale is clipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, RATE_HZ, np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16))


def trim(samples: Samples, floor: float = 0.02) -> Samples:
    """Without what is below ``floor`` of the peak at both ends."""
    loud = np.flatnonzero(np.abs(samples) > floor * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def recordings(folder: Path, package: str) -> Path:
    """The folder, which a Debian package brings; ends the script where it is missing."""
    if not folder.is_dir():
        sys.exit(f"{folder} is not there: apt-get install {package}")
    return folder


def _installed(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        sys.exit(f"{program} is not installed: apt-get install {package}")
    return found
