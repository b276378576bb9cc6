"""Programs a virtual board with the keyword spotter, and goes through a recording on it, frame by frame.

    python examples/virtual_board/step_by_step.py

Every frame goes over TCP, as to a real ZCU104. Its scores must be those of the network's own arithmetic (the runner
fqir), bit for bit; the exit status is 1 if one is not.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from femtodriver import Femtodriver

SPOTTER = Path(__file__).resolve().parents[1] / "keyword_spotter"
WORDS = ("background", "up", "down", "hold", "trill")
FRAME_S = 0.016
SURE_FRAMES = 12  # a word counts once it has been the answer for so many frames


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


def main() -> int:
    """Step board and reference side by side; 1 if a frame differs."""
    with np.load(SPOTTER / "words.npz") as recording:
        frames = recording["features"]
    with virtual_board() as address, Femtodriver() as driver:
        driver.load_model(SPOTTER / "keyword_spotter.pt")
        driver.compile_metadata()  # in memory; driver.compile() writes files too
        board, _ = driver.create_runner("hw", hardware="zynq", address=address)
        reference, _ = driver.create_runner("fqir")
        board.reset()  # connects, loads the program, and reads it back
        reference.reset()
        last, same, different = "", 0, 0
        for number, frame in enumerate(frames):
            scores, _ = board.step({"features": frame})
            expected, _ = reference.step({"features": frame})
            different += any(not np.array_equal(scores[name], expected[name]) for name in expected)
            answer = WORDS[int(np.argmax(scores["output.0"]))]
            last, same = answer, same + 1 if answer == last else 1
            if same == SURE_FRAMES and answer != "background":
                print(f"{number * FRAME_S:.2f} s  {answer}")
        board.finish()
    print(f"{len(frames)} frames, {different} of them different from fqir")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
