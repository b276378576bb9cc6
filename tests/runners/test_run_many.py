"""Many clips on several runners."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs import InputSpec
from femtodriver.runners.run_many import run_many
from femtodriver.runners.runner import Runner, Values


class Sums(Runner):
    """y = the sum of x so far; ``threads``: who has run it."""

    def __init__(self, barrier: threading.Barrier | None = None) -> None:
        super().__init__("sums", [InputSpec("x", 2, 16)])
        self.barrier = barrier
        self.threads: set[int] = set()

    def _reset(self) -> None:
        self.sum = np.zeros(2, np.int64)

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        self.threads.add(threading.get_ident())
        if self.barrier is not None:
            self.barrier.wait(30)
        self.sum = self.sum + inputs["x"]
        return {"y": self.sum}, {}


def clip(number: int, frames: int = 3) -> dict[str, Int64Array]:
    return {"x": np.full((frames, 2), number)}


def test_outputs_come_in_the_order_of_the_clips_each_from_the_initial_state() -> None:
    clips = [clip(number, 1 + number % 4) for number in range(25)]
    for runners in ([Sums()], [Sums(), Sums(), Sums()]):
        made = [outputs["y"][-1].tolist() for outputs in run_many(runners, clips)]
        assert made == [[number * (1 + number % 4)] * 2 for number in range(25)]


def test_runners_run_at_the_same_time() -> None:
    """Each frame waits until the other runner is in one, too."""
    barrier = threading.Barrier(2)
    runners = [Sums(barrier), Sums(barrier)]
    assert len(list(run_many(runners, [clip(1), clip(2)]))) == 2
    assert all(len(runner.threads) == 1 for runner in runners)


def test_clips_are_taken_as_they_are_needed() -> None:
    taken = 0

    def endless() -> Iterator[Mapping[str, Int64Array]]:
        nonlocal taken
        while True:
            taken += 1
            yield clip(taken)

    results = run_many([Sums(), Sums()], endless())
    for number in range(1, 6):
        assert next(results)["y"][0].tolist() == [number, number]
        assert taken <= number + 4
    results.close()  # type: ignore[attr-defined]


def test_a_clip_that_fails_ends_the_run_behind_those_before_it() -> None:
    results = run_many([Sums(), Sums()], [clip(1), clip(1 << 20), clip(3)])
    assert next(results)["y"].shape == (3, 2)
    with pytest.raises(InputError, match="must be between -32768 and 32767"):
        next(results)


def test_without_runners_nothing_can_run() -> None:
    with pytest.raises(UsageError, match="run_many: runners must be at least one, not none"):
        run_many([], [])
