"""One clip through the runners, block by block, so that a clip of any length takes little memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from femtodriver.arrays import Int64Array
from femtodriver.errors import FemtoError, InputError
from femtodriver.evaluation.clip_job import ClipJob, ClipResult, ClipTask
from femtodriver.evaluation.clip_outputs import ClipOutputs
from femtodriver.evaluation.find_clips import content_digest
from femtodriver.evaluation.label_rule import AnyFault, Judgement
from femtodriver.evaluation.signal_to_noise import Ratios, SignalToNoise
from femtodriver.files.file_access import shown_path
from femtodriver.inputs import FrameReader, open_inputs
from femtodriver.metrics.run_costs import run_costs
from femtodriver.runners.difference import difference
from femtodriver.runners.fasmir_runner import FasmirRunner
from femtodriver.runners.runner import Runner, Values
from femtodriver.runners.runner_table import create

# Elements of inputs and outputs that are in memory at a time. Results of sums depend on where blocks end, in the last
# digits, so this is the same for everybody.
_BLOCK_ELEMENTS = 1 << 17


class ClipRunner:
    """Runs clip after clip. It holds the runners of the job, which start anew with every clip; not for several threads.

    UsageError or ProgramError where a runner cannot be made.
    """

    def __init__(self, job: ClipJob) -> None:
        self.job = job
        self._runners: dict[str, Runner] = {name: create(name, job.model, job.request) for name in job.runners}
        widths = [spec.length for spec in (*job.model.inputs, *job.model.outputs)]
        self._block = max(1, _BLOCK_ELEMENTS // max(1, sum(widths)))

    def run(self, task: ClipTask) -> ClipResult:
        """What comes of a clip; whatever goes wrong is in the result."""
        known: dict[str, Any] = {}
        caught = AnyFault()
        with caught:
            try:
                return self._run(task, known)
            except FemtoError as error:
                text = str(error)
            except MemoryError:
                text = "the memory of this computer does not suffice."
            finally:
                for runner in self._runners.values():
                    runner.finish()
            return _failed(task, known, text)
        return _failed(task, known, f"internal error: {caught.text}. Please report it.")

    def _run(self, task: ClipTask, known: dict[str, Any]) -> ClipResult:
        known["bytes"], known["sha256"] = content_digest(task.path)
        if task.reference is not None:
            known["reference_sha256"] = content_digest(task.reference)[1]
        with ExitStack() as files:
            reader = files.enter_context(open_inputs(task.path, self.job.model.inputs, **self.job.reading))
            known["frames"] = reader.n_frames
            ratio = self._ratio(task, reader, files)
            kept = None
            if task.outputs is not None:
                kept = files.enter_context(ClipOutputs(Path(task.outputs), reader.n_frames, self.job.model.outputs))
            found = {**self._blocks(reader, ratio, kept), **self._costs(reader.period_s)}
        if task.outputs is not None:
            found["outputs_sha256"] = content_digest(task.outputs)[1]
        return ClipResult(task.name, **known, **found)

    def _ratio(self, task: ClipTask, reader: FrameReader, files: ExitStack) -> _Cleaned | None:
        if task.reference is None:
            return None
        clean = files.enter_context(open_inputs(task.reference, self.job.model.inputs, **self.job.reading))
        if clean.n_frames != reader.n_frames:
            raise InputError(
                f"{shown_path(task.reference)}: the reference must have the {reader.n_frames} frames of its clip, not "
                f"{clean.n_frames}."
            )
        samples = reader.n_frames * self.job.hop
        return _Cleaned(clean, self.job.hop, SignalToNoise(samples, self.job.delay, self.job.factor))

    def _blocks(self, reader: FrameReader, cleaned: _Cleaned | None, kept: ClipOutputs | None) -> dict[str, Any]:
        """All frames in all runners; the entries of the result that come from outputs."""
        first = self.job.runners[0]
        judge = self.job.rule.judge() if self.job.rule else None
        differences: dict[str, str | None] = dict.fromkeys(self.job.runners[1:])
        for runner in self._runners.values():
            runner.reset()
        for low in range(0, reader.n_frames, self._block):
            high = min(low + self._block, reader.n_frames)
            inputs = reader.read(low, high)
            outputs = {name: runner.run(inputs)[0] for name, runner in self._runners.items()}
            for name, before in differences.items():
                differences[name] = before or _apart(first, outputs[first], name, outputs[name], low)
            if judge is not None:
                judge.see(outputs[first])
            if cleaned is not None:
                cleaned.see(low, high, inputs, outputs[first])
            if kept is not None:
                kept.add(outputs[first])
        judged = judge.judge() if judge is not None else Judgement(None)
        ratios = cleaned.ratio.ratios() if cleaned is not None else Ratios()
        return {**vars(judged), **vars(ratios), "differences": differences}

    def _costs(self, period_s: float | None) -> dict[str, Any]:
        """The entries that the simulator counts, if it is among the runners."""
        runner = next((one for one in self._runners.values() if isinstance(one, FasmirRunner)), None)
        if runner is None or self.job.part is None:
            return {}
        period_s = period_s if self.job.period_s is None else self.job.period_s
        costs = run_costs(runner.report(), self.job.model.description, self.job.part, self.job.table, period_s)
        return {
            "latency_cycles_mean": costs.latency_cycles_mean,
            "latency_cycles_max": costs.latency_cycles_max,
            "energy_j": costs.energy_j.typical,
            "energy_low_j": costs.energy_j.low,
            "energy_high_j": costs.energy_j.high,
            "power_w": costs.power_w.typical,
            "power_low_w": costs.power_w.low,
            "power_high_w": costs.power_w.high,
            "saturated": costs.saturated,
        }


class _Cleaned:
    """The clean signal of a clip, and how near the output comes to it."""

    def __init__(self, clean: FrameReader, hop: int, ratio: SignalToNoise) -> None:
        self._clean, self._hop, self.ratio = clean, hop, ratio

    def see(self, low: int, high: int, inputs: Values, outputs: Values) -> None:
        """Frames low to high - 1, of which the samples count that were not in the frame before."""
        clean, noisy, output = (next(iter(one.values())) for one in (self._clean.read(low, high), inputs, outputs))
        self.ratio.see(clean[:, -self._hop :], noisy[:, -self._hop :], output)


def _apart(first: str, a: Mapping[str, Int64Array], other: str, b: Mapping[str, Int64Array], low: int) -> str | None:
    """Where two runners first differ, in a block that begins with frame ``low``."""
    found = difference("output", first, a, other, b)
    if found is None:
        return None
    if found.frame < 0 or not found.values:
        return found.reason
    place = f"frame {low + found.frame}, element {', '.join(map(str, found.element))}"
    return f"output {found.variable!r}, {place}: {first} gives {found.values[0]}, {other} gives {found.values[1]}"


def _failed(task: ClipTask, known: Mapping[str, Any], text: str) -> ClipResult:
    return ClipResult(task.name, **known, error=task.as_given(text))


_made = threading.local()


def run_clip(job: ClipJob, task: ClipTask) -> ClipResult:
    """A clip, in whatever thread of whatever process: each keeps the runners of its last job."""
    runner: ClipRunner | None = getattr(_made, "runner", None)
    if runner is None or runner.job.identity != job.identity:
        runner = _made.runner = ClipRunner(job)
    return runner.run(task)
