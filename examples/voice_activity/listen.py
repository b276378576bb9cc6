"""Says when somebody speaks in a recording, and what it costs to know.

    python examples/voice_activity/listen.py RECORDING.wav      # mono, 16 bits, 8000 Hz

Every frame runs in the network's own arithmetic and on the simulated processor, which have to agree bit for bit. If
there is a file RECORDING.npy beside the recording, as talk.py writes it, the answers are compared with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from femtodriver import Femtodriver
from femtodriver.errors import FemtoError

MODEL = Path(__file__).with_name("voice_activity.pt")
RATE_HZ, HOP = 8000, 48
HOLD_FRAMES = 33  # an answer stays "speech" for another 0.2 s, so that pauses between words do not count


def held(answers: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(frames,) the answers, each held for HOLD_FRAMES."""
    last = np.maximum.accumulate(np.where(answers, np.arange(answers.size), -HOLD_FRAMES - 1))
    return np.asarray(np.arange(answers.size) - last <= HOLD_FRAMES)


def stretches(spoken: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """From when to when each stretch of speech lasts, in seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], spoken, [0]])))
    return [(start * HOP / RATE_HZ, end * HOP / RATE_HZ) for start, end in edges.reshape(-1, 2).tolist()]


def listen(recording: Path) -> tuple[npt.NDArray[np.bool_], float]:
    """(frames,) whether somebody speaks, as the network says frame by frame; and watts, typical, while it listens."""
    with Femtodriver() as driver:
        driver.load_model(MODEL)
        driver.compile_metadata()  # in memory; driver.compile() writes files too
        frames = driver.generate_audio_inputs(recording)
        simulated, metrics = driver.simulate(frames, input_period=HOP / RATE_HZ)
        expected, _ = driver.execute_runner("fqir", frames)
    (scores,) = simulated["outputs"]["fasmir"].values()
    if not np.array_equal(scores, next(iter(expected["outputs"]["fqir"].values()))):
        raise RuntimeError("the simulated processor and fqir must agree, but do not")
    return np.asarray(scores)[:, 0] > 0, float(yaml.safe_load(metrics)["Power (W)"])


def main(recording: Path) -> int:
    """Print the stretches of speech and the power; 1 for a recording that cannot be used."""
    try:
        answers, watts = listen(recording)
    except FemtoError as error:
        print(error, file=sys.stderr)
        return 1
    for start, end in stretches(held(answers)):
        print(f"  {start:5.2f} to {end:5.2f} s")
    known = recording.with_suffix(".npy")
    if known.exists():
        spoken = np.load(known)[: answers.size]
        missed, false = ~answers[spoken], answers[~spoken]
        print(
            f"frame by frame: {1 - missed.mean():.1%} of those with speech were heard, "
            f"{false.mean():.1%} of the others taken for speech"
        )
    print(f"{watts * 1e6:.1f} uW typical while it listens")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python listen.py RECORDING.wav")
    sys.exit(main(Path(sys.argv[1])))
