"""Running the runners of a model, and their results."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver import __version__
from femtodriver.errors import UsageError
from femtodriver.inputs.frame_list import FrameList
from femtodriver.inputs.frame_stream import FrameSource
from femtodriver.metrics import ROOM_TEMPERATURE_C, build_document
from femtodriver.model.build_model import Built
from femtodriver.options.runner_requests import ConditionsRequest, ExecuteRequest, MeasureRequest
from femtodriver.part import Part
from femtodriver.profile.profile_rows import Profile, profile_of
from femtodriver.program.bus.transactions import Transaction
from femtodriver.quantization.quantization_rows import QuantizationReport, report_of
from femtodriver.runners.compare_runs import Comparison, RunProgress, run_all
from femtodriver.runners.fasmir_runner import FasmirRunner
from femtodriver.runners.femtocrux_runner import NAME as VENDOR_SIMULATOR
from femtodriver.runners.femtocrux_runner import FemtocruxRunner
from femtodriver.runners.fqir_runner import FqirRunner
from femtodriver.runners.frame_tracer import check_trace, frame_range
from femtodriver.runners.hardware_runner import FAKE, HardwareRunner
from femtodriver.runners.observed_values import REFERENCE, observed_values
from femtodriver.runners.run_result import RunResult
from femtodriver.runners.runner import Runner
from femtodriver.runners.runner_table import check_names, create
from femtodriver.runners.stream_runs import Give, stream_all
from femtodriver.stop_signals import Stop

SIMULATOR = "fasmir"
_log = logging.getLogger(__name__)
Inputs = Mapping[str, npt.ArrayLike]
Given = Inputs | FrameList
Recordings = Mapping[str, Sequence[Transaction]]
Result = dict[str, Any]


@dataclass(frozen=True, eq=False)
class RunInputs:
    """``arrays``: (frames, elements) by input name. ``notes``: what users should know of them, one line each.

    ``period_s``: seconds between two frames where the source states them, as audio does. ``seed``: of frames that we
    made at random; None for others. ``stream``: where frames come from that memory does not hold; then ``arrays`` is
    empty, and outputs are not kept either.
    """

    arrays: Inputs
    notes: tuple[str, ...] = ()
    period_s: float | None = None
    seed: int | None = None
    stream: FrameSource | None = None

    @property
    def n_frames(self) -> int | None:
        """How many frames there are; None where only the end of a stream will tell."""
        return self.stream.n_frames if self.stream else max(map(len, map(np.asarray, self.arrays.values())), default=0)

    @property
    def late_notes(self) -> tuple[str, ...]:
        """Notes that a stream has added since it was opened: what was clipped, what was left over at its end."""
        return tuple(note for note in self.stream.notes if note not in self.notes) if self.stream else ()

    def close(self) -> None:
        """Close the stream, if there is one. May be called twice."""
        if self.stream is not None:
            self.stream.close()


@dataclass(frozen=True)
class PartialRun:
    """What was done of a run that was stopped. ``frames``: of each runner; ``planned``: None where nobody knew;
    ``reason``: such as "interrupted"; ``number``: of the signal.
    """

    frames: Mapping[str, int]
    planned: int | None
    reason: str
    number: int

    @property
    def done(self) -> int:
        """Frames that every runner that had begun has done."""
        return min(self.frames.values(), default=0)

    @property
    def text(self) -> str:
        """What was done, and why not more."""
        of = f" of {self.planned:,}" if self.planned is not None else ""
        counts = sorted(set(self.frames.values()))
        if len(counts) < 2:
            return f"frames {self.done:,}{of}, {self.reason}"
        each = ", ".join(f"{name} {count:,}" for name, count in self.frames.items())
        return f"frames {each}{of}, {self.reason}"

    @property
    def table(self) -> dict[str, object]:
        """The same as data, for documents."""
        return {"frames": self.done, "planned": self.planned, "reason": self.reason}

    @property
    def document(self) -> dict[str, object]:
        """What ``partial.yaml`` holds: the same, and the frames of each runner."""
        return {"schema": "femtodriver-partial/1", **self.table, "runners": dict(self.frames)}


@dataclass(frozen=True, eq=False)
class Execution:
    """What runners did with inputs.

    ``model`` and ``request``: what the runners were made of. ``runners``: by the names that were asked for.
    ``comparison``: outputs and internal values, and each run compared with the first; of one runner without verdicts.
    ``partial``: where the run was stopped before its end; None for a whole one.
    """

    model: Built
    request: ExecuteRequest
    inputs: RunInputs
    runners: Mapping[str, Runner]
    comparison: Comparison
    partial: PartialRun | None = None

    @property
    def compared(self) -> bool:
        """Whether there was something to compare."""
        return len(self.runners) > 1 and len(self.comparison.frames) > 1

    @property
    def streamed(self) -> bool:
        """Whether inputs and outputs were not kept in memory."""
        return self.comparison.streamed is not None

    @property
    def keeps_outputs(self) -> bool:
        """Whether there are outputs to write as arrays, and that is wanted."""
        return not self.streamed and not self.request.no_outputs

    @property
    def lone_internals(self) -> bool:
        """Whether there are debug variables of one runner, with which no comparison is written."""
        return not self.compared and any(self.comparison.internals.values())

    @property
    def result(self) -> RunResult:
        """What methods of ``Femtodriver`` return: verdict, outputs and internal values."""
        found = self.comparison
        verdict: Result = {"compare_str": "Single Runner", "pass": "No Comparisons"}
        if self.compared:
            verdict = {"pass": found.passed, "status_str": found.status}
        return RunResult(verdict, outputs=dict(found.outputs), internals=dict(found.internals))

    def __repr__(self) -> str:
        return f"<Execution of {self.model.source.name}, {self.frames:,} frames: {self.result!r}>"

    def _repr_html_(self) -> str:
        return self.result._repr_html_()

    @property
    def frames(self) -> int:
        """Number of frames of the longest output."""
        return max(self.comparison.frames.values(), default=0)

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
    def simulated(self) -> bool:
        """Whether the simulator ran a frame: a run that is stopped may not have come so far."""
        return bool(self.comparison.frames.get(SIMULATOR))

    @property
    def vendor_report(self) -> str:
        """What the vendor's simulator told, as it came; "" if it did not run."""
        runner = self.runners.get(VENDOR_SIMULATOR)
        return runner.report if isinstance(runner, FemtocruxRunner) else ""

    @property
    def board_runner(self) -> HardwareRunner | None:
        """The last of the runners that has a board, or the fake of one."""
        boards = [runner for runner in self.runners.values() if isinstance(runner, HardwareRunner)]
        return boards[-1] if boards else None

    @property
    def board_metrics(self) -> dict[str, Any] | None:
        """What a board measured; None if none took part, or a fake."""
        board = self.runners.get("hw")
        if not isinstance(board, HardwareRunner) or board.is_fake:
            return None
        asked = self.request.input_period if isinstance(self.request, ConditionsRequest) else None
        return board.hardware_metrics(self.inputs.period_s if asked is None else asked)

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
            partial=self.partial.table if self.partial else None,
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

    @property
    def quantization(self) -> QuantizationReport | None:
        """How well the values of the network use their types; None if nobody has watched them."""
        runner = self.runners.get(REFERENCE)
        observer = runner.observer if isinstance(runner, FqirRunner) else None
        if observer is None:
            return None
        return report_of(self.model.source.name, observer, self.model.description)

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
    stop: Stop | None = None,
    give: Give | None = None,
) -> Execution:
    """Make the runners, run all frames in each, and compare each with the first.

    ``model``: as ``for_runners`` gives it. ``tolerance``, ``progress``: see ``run_all``. ``records_dir``: where runners
    write recordings if they are told to. ``stop``: whether to end before the end; with it, signals only ask, unless
    the vendor's simulator is among the runners. ``give`` gets the outputs of streamed inputs, see ``stream_all``.
    UsageError for frames to trace that the run does not have.
    """
    check_trace(request)
    runners = {name: create(name, model, request, records_dir) for name in check_names(names)}
    simulator = runners.get(SIMULATOR)
    if request.asks_for_record and isinstance(simulator, FasmirRunner):
        simulator.trace(frame_range(request.trace_frames, inputs.n_frames))
    _log.debug("running %s", ", ".join(runners))
    asked = stop or Stop()
    # The vendor's simulator does all frames at once: whoever ends it has nothing to keep.
    held = asked.on_signals() if stop and VENDOR_SIMULATOR not in runners else nullcontext()
    with held, observed_values(runners, model, request):
        found = _found(runners, inputs, model, tolerance, progress, asked, give)
    partial = None
    if asked.asked:
        partial = PartialRun(found.frames, inputs.n_frames, asked.reason, asked.number)
    return Execution(model, request, inputs, runners, found, partial)


def _found(
    runners: Mapping[str, Runner],
    inputs: RunInputs,
    model: Built,
    tolerance: float | None,
    progress: RunProgress | None,
    stop: Stop,
    give: Give | None,
) -> Comparison:
    makers = _makers(model)
    if inputs.stream is not None:
        return stream_all(
            inputs.stream, runners, give, stop=stop, tolerance=tolerance, progress=progress, makers=makers
        )
    return run_all(
        inputs.arrays,
        list(runners.values()),
        with_internals=len(runners) > 1 and bool(model.debug_names),
        error_tolerance=tolerance,
        progress=progress,
        makers=makers,
        stop=lambda: stop.asked,
    )


def _makers(model: Built) -> dict[str, str]:
    """The operator that makes each debug variable."""
    if not model.debug_names or model.source.network is None:
        return {}
    nodes = enumerate(model.source.network.frame.nodes)
    return {out.name: f"operator {node.op or 'call'}, node {index}" for index, node in nodes for out in node.outputs}
