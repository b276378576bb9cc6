"""Many frames through the TCP link on the virtual board: outputs equal, memory flat.

    python -m tests.device.soak 100000

The board runs in a process of its own; both processes' memory is looked at after the first tenth and at the end.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from femtodriver.device import make_runner, serve
from tests.device.networks import compiled, expected, random_inputs

ROUND = 500


@dataclass
class Soak:
    """Seconds of the run, and growth in KiB of the client's and the board's memory."""

    frames: int
    seconds: float
    client_growth: int
    board_growth: int


def resident_kib(pid: int | str = "self") -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ValueError("no VmRSS")


def _board(pipe: Connection) -> None:
    stop = threading.Event()

    def watch() -> None:
        pipe.recv()
        stop.set()

    threading.Thread(target=watch, daemon=True).start()
    serve("127.0.0.1:0", ready=pipe.send, stop=stop)


def soak(frames: int, name: str = "accumulator") -> Soak:
    """Run so many frames (in rounds of ``ROUND`` different ones); AssertionError when an output differs."""
    data = compiled(name)
    inputs = random_inputs(data, ROUND)
    wanted = expected(data, inputs)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    board = multiprocessing.get_context("spawn").Process(target=_board, args=(theirs,))
    board.start()
    try:
        with make_runner(data, "zynq", address=ours.recv(), timeout=20) as runner:
            started, done, before = time.monotonic(), 0, (0, 0)
            while done < frames:
                runner.reset()
                outputs, _, _ = runner.run(inputs)
                for key, values in wanted.items():
                    np.testing.assert_array_equal(outputs[key], values)
                done += ROUND
                if done <= max(frames // 10, ROUND):
                    before = (resident_kib(), resident_kib(board.pid or 0))
            seconds = time.monotonic() - started
            after = (resident_kib(), resident_kib(board.pid or 0))
    finally:
        ours.send("stop")
        board.join(10)
        if board.is_alive():
            board.kill()
    return Soak(done, seconds, after[0] - before[0], after[1] - before[1])


if __name__ == "__main__":
    result = soak(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    print(
        f"{result.frames} frames in {result.seconds:.1f} s, all outputs equal; memory of the client grew by "
        f"{result.client_growth} KiB, of the board by {result.board_growth} KiB"
    )
