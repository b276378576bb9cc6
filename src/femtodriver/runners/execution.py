"""Running the runners of a model, and their results."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver import __version__
from femtodriver.errors import UsageError
from femtodriver.metrics import ROOM_TEMPERATURE_C, build_document
from femtodriver.model.build_model import Built
from femtodriver.options.runner_requests import ExecuteRequest, MeasureRequest
from femtodriver.part import Part
from femtodriver.profile.profile_rows import Profile, profile_of
from femtodriver.program.bus.transactions import Transaction
from femtodriver.runners.compare_runs import Comparison, RunProgress, run_all
from femtodriver.runners.fasmir_runner import FasmirRunner
from femtodriver.runners.frame_tracer import check_trace, frame_range
from femtodriver.runners.hardware_runner import FAKE, HardwareRunner
from femtodriver.runners.runner import Runner
from femtodriver.runners.runner_table import check_names, create

SIMULATOR = "fasmir"
_log = logging.getLogger(__name__)
Inputs = Mapping[str, npt.ArrayLike]
Recordings = Mapping[str, Sequence[Transaction]]
Result = dict[str, Any]


@dataclass(frozen=True, eq=False)
class RunInputs:
    """``arrays``: (frames, elements) by input name. ``notes``: what users should know of them, one line each.

    ``period_s``: seconds between two frames where the source states them, as audio does. ``seed``: of frames that we
    made at random; None for others.
    """

    arrays: Inputs
    notes: tuple[str, ...] = ()
    period_s: float | None = None
    seed: int | None = None

    @property
    def frames(self) -> int:
        """Number of frames of the first input."""
        return len(np.asarray(next(iter(self.arrays.values()), ())))


@dataclass(frozen=True, eq=False)
class Execution:
    """What runners did with inputs.

    ``model`` and ``request``: what the runners were made of. ``runners``: by the names that were asked for.
    ``comparison``: outputs and internal values, and each run compared with the first; of one runner without verdicts.
    """

    model: Built
    request: ExecuteRequest
    inputs: RunInputs
    runners: Mapping[str, Runner]
    comparison: Comparison

    @property
    def compared(self) -> bool:
        """Whether there was something to compare."""
        return len(self.runners) > 1

    @property
    def lone_internals(self) -> bool:
        """Whether there are debug variables of one runner, with which no comparison is written."""
        return not self.compared and any(self.comparison.internals.values())

    @property
    def result(self) -> Result:
        """What methods of ``Femtodriver`` return: verdict, outputs and internal values."""
        found = self.comparison
        verdict: Result = {"compare_str": "Single Runner", "pass": "No Comparisons"}
        if self.compared:
            verdict = {"pass": found.passed, "status_str": found.status}
        return {**verdict, "outputs": dict(found.outputs), "internals": dict(found.internals)}

    @property
    def frames(self) -> int:
        """Number of frames of the longest output."""
        return max((len(rows) for values in self.comparison.outputs.values() for rows in values.values()), default=0)

    @property
    def recordings(self) -> Recordings:
        """The traffic with the board, else with its fake, else nothing."""
        for name in ("hw", FAKE):
            runner = self.runners.get(name)
            if isinstance(runner, HardwareRunner):
                return runner.ioplug.recordings
        return {}

    @property
    def simulator(self) -> FasmirRunner | None:
        """The runner that simulates the program, if it is one of them."""
        runner = self.runners.get(SIMULATOR)
        return runner if isinstance(runner, FasmirRunner) else None

    @property
    def board_runner(self) -> HardwareRunner | None:
        """The last of the runners that has a board, or the fake of one."""
        boards = [runner for runner in self.runners.values() if isinstance(runner, HardwareRunner)]
        return boards[-1] if boards else None

    def metrics(self, request: MeasureRequest, other_choice: Mapping[str, object] | None = None) -> dict[str, object]:
        """The metrics document of what the simulator ran. UsageError if it did not.

        ``other_choice``: what another objective of the compiler would cost, see ``metrics.summary_of``.
        Without a period in ``request``, it is that of the inputs, or else the usual one.
        """
        runner, part = self._simulator()
        compiler = self.model.description.compiler if self.model.description else None
        options = dict(compiler.options or {}) if compiler else {}
        return build_document(
            runner.report(),
            self.model.description,
            part,
            clock_hz=request.clock,
            voltage_v=request.voltage,
            input_period_s=self.inputs.period_s if request.input_period is None else request.input_period,
            temperature_c=ROOM_TEMPERATURE_C if request.temperature is None else request.temperature,
            battery_mwh=request.battery_mwh,
            other_choice=other_choice,
            model=self.model.model,
            tool={
                "version": __version__,
                "native": runner.native,
                "compiler_options": options,
                "seed": self.inputs.seed,
            },
        )

    def profile(self, doc: Mapping[str, Any]) -> Profile:
        """What each layer cost; ``doc`` is what ``metrics`` gave. UsageError if the simulator did not run."""
        return profile_of(self._simulator()[0].report(), self.model.description, doc)

    def _simulator(self) -> tuple[FasmirRunner, Part]:
        if self.simulator is None or self.model.part is None:
            raise UsageError(f"metrics: the runners must have {SIMULATOR} among them.")
        return self.simulator, self.model.part


def execute(
    names: Sequence[str],
    inputs: RunInputs,
    model: Built,
    request: ExecuteRequest,
    *,
    tolerance: float | None = None,
    records_dir: Path | None = None,
    progress: RunProgress | None = None,
) -> Execution:
    """Make the runners, run all frames in each, and compare each with the first.

    ``model``: as ``for_runners`` gives it. ``tolerance``, ``progress``: see ``run_all``. ``records_dir``: where runners
    write recordings if they are told to. UsageError for frames to trace that the run does not have.
    """
    check_trace(request)
    runners = {name: create(name, model, request, records_dir) for name in check_names(names)}
    simulator = runners.get(SIMULATOR)
    if request.trace is not None and isinstance(simulator, FasmirRunner):
        simulator.trace(frame_range(request.trace_frames, inputs.frames))
    _log.debug("running %s", ", ".join(runners))
    found = run_all(
        inputs.arrays,
        list(runners.values()),
        with_internals=len(runners) > 1 and bool(model.debug_names),
        error_tolerance=tolerance,
        progress=progress,
        makers=_makers(model),
    )
    return Execution(model, request, inputs, runners, found)


def _makers(model: Built) -> dict[str, str]:
    """The operator that makes each debug variable."""
    if not model.debug_names or model.source.network is None:
        return {}
    nodes = enumerate(model.source.network.frame.nodes)
    return {out.name: f"operator {node.op or 'call'}, node {index}" for index, node in nodes for out in node.outputs}
