"""The memory of long runs: inputs, outputs and one block of frames; nothing that grows with what was run before."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from femtodriver.arrays import Int64Array
from femtodriver.inputs import InputSpec
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.native.library import find_library
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.runners.runner import Runner, Values
from femtodriver.runners.runner_table import create

WIDTH = 24
needs_loop = pytest.mark.skipif(isinstance(find_library(), str), reason=str(find_library()))


class Negative(Runner):
    """y = -x, one frame at a time."""

    def __init__(self) -> None:
        super().__init__("negative", [InputSpec("x", WIDTH, 16)])

    def _reset(self) -> None:
        return

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        return {"y": -inputs["x"]}, {}


def loopback() -> Runner:
    """The program LOOPBACK on the machine."""
    model = Encryption().applied(build(load_source("LOOPBACK")))
    return create("fasmir", model, RunnerRequest())


def peak_bytes(work: Callable[[], object]) -> int:
    """The most memory that a call holds beyond what was there before; what it returns counts too."""
    tracemalloc.start()
    try:
        kept = work()
        _, most = tracemalloc.get_traced_memory()
        del kept
    finally:
        tracemalloc.stop()
    return most


def frames_of(runner: Runner, frames: int, kind: type[np.signedinteger] = np.int64) -> dict[str, Int64Array]:
    return {spec.name: np.arange(frames * spec.length, dtype=kind).reshape(frames, -1) % 100 for spec in runner.inputs}


@pytest.mark.parametrize(
    ("make", "frames"), [(Negative, 3_000), pytest.param(loopback, 100_000, marks=[needs_loop, pytest.mark.slow])]
)
def test_a_long_run_takes_inputs_and_outputs_and_little_more(make: Callable[[], Runner], frames: int) -> None:
    runner = make()
    runner.reset()
    runner.run(frames_of(runner, 300))  # what is loaded late is loaded
    inputs = frames_of(runner, frames)
    outputs, _, _ = runner.run(inputs)
    needed = sum(values.nbytes for values in (*inputs.values(), *outputs.values()))
    del outputs
    given = sum(values.nbytes for values in inputs.values())
    assert given + peak_bytes(lambda: runner.run(inputs)) <= 1.2 * needed


@needs_loop
def test_block_after_block_takes_the_memory_of_one() -> None:
    runner = loopback()
    runner.reset()
    block = frames_of(runner, runner.frames_at_once)

    def blocks(count: int) -> None:
        for _ in range(count):
            runner.run(block)

    blocks(2)
    few, many = peak_bytes(lambda: blocks(2)), peak_bytes(lambda: blocks(60))
    assert many <= few + 4096


@pytest.mark.parametrize("make", [Negative, loopback])
def test_block_after_block_is_one_run(make: Callable[[], Runner]) -> None:
    runner = make()
    runner.reset()
    inputs = frames_of(runner, 700, np.int32)
    (whole,) = runner.run(inputs)[0].values()
    runner.reset()
    parts = []
    for first, end in ((0, 1), (1, 300), (300, 301), (301, 700)):
        (part,) = runner.run({name: values[first:end] for name, values in inputs.items()})[0].values()
        parts.append(part)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
