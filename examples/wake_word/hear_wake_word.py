"""From a spoken wake word to its probability, microwatts, and the same numbers from a virtual board.

    python examples/wake_word/hear_wake_word.py [MODEL.tflite "a phrase" "another phrase" ...]

espeak-ng speaks the phrases. Without a model it is the one for "alexa" of the package pymicro-wakeword, which has to be
installed. The exit status is 1 if the board's answers are not those of the network's own arithmetic (the runner fqir),
bit for bit.
"""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from femtodriver import Femtodriver

PHRASES = ("good morning", "alexa", "what time is it")
FEATURES_S = 0.01 / 40  # the front end gives 40 features every 10 ms
HEARING: dict[str, Any] = {"frontend": "micro", "resample": 16000.0}
PACKAGE = "pip install --no-deps pymicro-wakeword==2.5.0"


def packaged_model() -> Path:
    """The model for "alexa", where it is installed."""
    found = importlib.util.find_spec("pymicro_wakeword")
    if found is None or not found.submodule_search_locations:
        sys.exit(f"no model: name a .tflite file, or install some with {PACKAGE}")
    return Path(found.submodule_search_locations[0]) / "models" / "alexa.tflite"


def speak(phrase: str, path: Path) -> None:
    """The phrase as a WAV file of 22,050 Hz."""
    try:
        subprocess.run(["espeak-ng", "-w", str(path), "-g", "5", phrase], check=True, timeout=60)
    except FileNotFoundError:
        sys.exit("espeak-ng is not installed; on Debian: apt install espeak-ng")


@contextmanager
def virtual_board() -> Iterator[str]:
    """Serves one in a process of its own, at a free port of this machine; gives its address."""
    command = [sys.executable, "-m", "femtodriver", "board", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as board:
        try:
            assert board.stdout is not None
            told = next(line for line in board.stdout if line.startswith("serving"))
            yield told.partition(" at ")[2].split()[0]
        finally:
            board.send_signal(signal.SIGINT)  # as Ctrl-C in its terminal


def main(model: Path, phrases: Sequence[str]) -> int:
    """Say each phrase, and hear it on the reference, the simulator and the board; 1 if a frame differs."""
    different = frames = 0
    with tempfile.TemporaryDirectory() as folder, virtual_board() as address, Femtodriver() as driver:
        driver.load_model(model)
        driver.compile_metadata()  # in memory; driver.compile() writes files too
        board, _ = driver.create_runner("hw", hardware="zynq", address=address)
        reference, _ = driver.create_runner("fqir")
        network = driver.fqir
        assert network is not None
        (output,), frame_s = network.outputs, FEATURES_S * network.inputs[0].size
        scale, zero_point = 2.0 ** (output.quanta or 0), output.zero_point or 0
        for phrase in phrases:
            said = Path(folder) / "said.wav"
            speak(phrase, said)
            inputs = driver.generate_audio_inputs(said, **HEARING)
            reference.reset()
            board.reset()  # the first time it connects, loads the program, and reads it back
            ours, theirs = reference.run(inputs)[0], board.run(inputs)[0]
            heard = ours[output.name].reshape(-1)
            different += int(np.count_nonzero(theirs[output.name].reshape(-1) != heard))
            frames += len(heard)
            best = int(heard.argmax())
            print(f"{phrase}: {(heard[best] - zero_point) * scale:.2f} after {frame_s * (best + 1):.2f} s")
        metrics = yaml.safe_load(driver.simulate(inputs, input_period=frame_s)[1])
        board.finish()
    watts, latency = metrics["Power (W)"], metrics["Latency (s)"]
    print(f"{1e6 * watts:.1f} uW: {1e6 * latency:.1f} us of work every {1e3 * frame_s:.0f} ms")
    print(f"{frames} frames, {different} of them different on the board")
    return int(different > 0)


if __name__ == "__main__":
    chosen = sys.argv[1:]
    sys.exit(main(Path(chosen[0]) if chosen else packaged_model(), chosen[1:] or PHRASES))
