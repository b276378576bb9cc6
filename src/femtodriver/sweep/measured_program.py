"""Compiling one program of a sweep, running it once, and measuring the run at all conditions. Runs in any process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from femtodriver.errors import CapacityError, UnsupportedError, UsageError
from femtodriver.job.compiled_model import DriverSettings, compile_model
from femtodriver.metrics.named_figures import FIGURES
from femtodriver.metrics.run_totals import Number
from femtodriver.model.load_model import Source
from femtodriver.options.runner_requests import ExecuteRequest
from femtodriver.runners.execution import SIMULATOR, RunInputs
from femtodriver.sweep.variants import Conditions, ProgramChoice

# What says that this variant is impossible, while others may be possible.
_REASONS = (CapacityError, UnsupportedError, UsageError)


@dataclass(frozen=True)
class Job:
    """One program, and what its run is measured at."""

    source: Source
    settings: DriverSettings
    inputs: RunInputs
    program: ProgramChoice
    conditions: tuple[Conditions, ...]


@dataclass(frozen=True)
class Measured:
    """Figures by name, with the part and the conditions that the document states; or the reason why there are none."""

    figures: Mapping[str, Number | None]
    part: str = ""
    conditions: Conditions | None = None
    deadline_met: bool | None = None
    reason: str = ""


def measure(job: Job) -> Sequence[Measured]:
    """One for each of the conditions. Errors that are not about this variant alone are raised."""
    network = job.source.network is not None
    period_s, clock_hz = job.program.deadline or (None, None)
    try:
        compiled = compile_model(job.source, job.program.request(network), job.settings, period_s, clock_hz)
    except _REASONS as error:
        reason = str(error).removeprefix(f"{job.source.where}: ")
        return [Measured({}, reason=reason)] * len(job.conditions)
    done = compiled.execute((SIMULATOR,), job.inputs, ExecuteRequest(no_outputs=True), None)
    return [_measured(done.metrics(conditions.request)) for conditions in job.conditions]


def _measured(doc: Mapping[str, Any]) -> Measured:
    part = doc["hardware"]
    return Measured(
        {figure.name: figure.of(doc) for figure in FIGURES.values()},
        part["name"],
        Conditions(part["clock_hz"], part["voltage_v"], doc["Input Period (s)"], part["temperature_c"]),
        doc["deadline"]["met"],
    )
