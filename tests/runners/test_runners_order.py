"""The order of life is the same for every runner: reset, frames, finish; out of it, the same error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import FemtoError, InputError, MachineFault, UsageError
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.runners.fasmir_runner import FasmirRunner
from femtodriver.runners.femtocrux_runner import FemtocruxRunner
from femtodriver.runners.runner import Runner
from femtodriver.runners.runner_table import RUNNERS, create
from tests.board_bench import alarm, board_here

X = {"x": np.arange(16)}
ROWS = {"x": np.arange(32).reshape(2, 16)}
Frame = Callable[[Runner, Any], object]
BOTH = pytest.mark.parametrize("frame", [Runner.step, Runner.run], ids=["step", "run"])


class EchoModel:
    """A vendor's simulator of LOOPBACK."""

    def simulate(self, inputs: Any, period_s: float) -> tuple[Any, str]:
        """What goes in comes out."""
        return {"%x.4": inputs["x"]}, ""


@pytest.fixture(params=[*RUNNERS, "hw on a fake"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    """A runner of LOOPBACK of every kind, never reset."""
    np.save(tmp_path / "rows.npy", np.arange(64).reshape(4, 16))
    vendor: Any = EchoModel()
    model = replace(Encryption().applied(build(load_source("LOOPBACK"))), vendor=vendor)
    name = request.param.split()[0]
    with alarm(), board_here() as server:
        board: dict[str, Any] = {"hardware": "zynq", "address": server.endpoint} if request.param == "hw" else {}
        yield create(name, model, RunnerRequest(dummy_output_file=tmp_path / "rows.npy", **board))


def inputs_of(frame: Frame) -> Any:
    return X if frame is Runner.step else ROWS


@BOTH
def test_frames_before_a_reset_are_refused(runner: Runner, frame: Frame) -> None:
    with pytest.raises(UsageError, match=rf"^{runner.name}: reset\(\) must come first\.$"):
        getattr(runner, frame.__name__)(inputs_of(frame))


@BOTH
def test_frames_after_the_end_are_refused_until_the_next_reset(runner: Runner, frame: Frame) -> None:
    runner.reset()
    runner.finish()
    with pytest.raises(UsageError, match=rf"^{runner.name}: the runner has finished; reset\(\) starts it again\.$"):
        getattr(runner, frame.__name__)(inputs_of(frame))
    runner.finish()
    runner.reset()
    getattr(runner, frame.__name__)(inputs_of(frame))
    runner.finish()


@BOTH
def test_after_a_frame_that_failed_only_reset_goes_on(
    runner: Runner, frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(inputs: object) -> None:
        raise MachineFault("core 0: on purpose.")

    runner.reset()
    with monkeypatch.context() as patch:
        patch.setattr(runner, "_step", fail)
        if isinstance(runner, FasmirRunner):  # it gives its machine many frames at once
            patch.setattr(runner._machine, "run", fail)
        if isinstance(runner, FemtocruxRunner):  # it gives the vendor's simulator all of them at once
            patch.setattr(runner, "_run_block", fail)
        with pytest.raises(MachineFault):
            getattr(runner, frame.__name__)(inputs_of(frame))
    with pytest.raises(UsageError, match=rf"^{runner.name}: a frame failed; reset\(\) must come first\.$"):
        getattr(runner, frame.__name__)(inputs_of(frame))
    runner.reset()
    getattr(runner, frame.__name__)(inputs_of(frame))
    runner.finish()


@pytest.mark.parametrize(
    "wrong", [None, 5, "x", [1, 2], {}, {"y": X["x"]}, {"x": None}, {"x": "abc"}, {"x": [1, [2]]}, {"x": np.zeros(3)}]
)
@BOTH
def test_inputs_of_wrong_types_are_refused_and_change_nothing(runner: Runner, frame: Frame, wrong: Any) -> None:
    runner.reset()
    with pytest.raises(InputError) as found:
        getattr(runner, frame.__name__)(wrong)
    assert isinstance(found.value, FemtoError)
    getattr(runner, frame.__name__)(inputs_of(frame))
    runner.finish()
