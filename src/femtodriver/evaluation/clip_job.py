"""What workers are given: once the job, then clip by clip a task; and what they give back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from femtodriver.evaluation.label_rule import LabelRule
from femtodriver.metrics.energy import EnergyTable
from femtodriver.model.build_model import Built
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.part import Part


@dataclass(frozen=True, eq=False)
class ClipJob:
    """The same for all clips. ``identity``: a digest of everything that a result depends on, but for the clip.

    ``part`` and ``table``: at the clock, voltage and temperature in question; ``period_s``: seconds from one frame to
    the next, None for what the clip says. ``reading``: how clips are read, keywords of ``open_inputs``; ``hop``:
    samples from one frame of the first input to the next. ``rule``: None where no labels are asked for. ``factor``:
    from units of the output to those of the input, see ``signal_to_noise``.
    """

    identity: str
    model: Built
    runners: tuple[str, ...]
    request: RunnerRequest
    part: Part | None
    table: EnergyTable
    period_s: float | None
    reading: Mapping[str, Any]
    hop: int
    rule: LabelRule | None
    delay: int
    factor: float


@dataclass(frozen=True)
class ClipTask:
    """One clip: the path that the user means by it, and that of its reference; both start in ``folder``.

    ``outputs``: the file that the outputs go to, or None.
    """

    name: str
    folder: str
    reference_name: str | None = None
    outputs: str | None = None

    @property
    def path(self) -> str:
        """The clip, from the root of the file system on."""
        return os.path.join(self.folder, self.name)

    @property
    def reference(self) -> str | None:
        """The reference, likewise."""
        return None if self.reference_name is None else os.path.join(self.folder, self.reference_name)

    def as_given(self, text: str) -> str:
        """A message in which paths are as the user gave them."""
        return text.replace(os.path.join(self.folder, ""), "")


@dataclass(frozen=True)
class ClipResult:
    """What came of a clip: one row of the results, but for its label. None for what is not known.

    ``error``: why it failed, None if it did not. ``differences``: by runner, how its outputs first differ from those of
    the first runner; None for equal ones. ``outputs_sha256``: of the file that the outputs were kept in. The others
    are described in docs/evaluation.md.
    """

    name: str
    bytes: int | None = None
    sha256: str | None = None
    reference_sha256: str | None = None
    outputs_sha256: str | None = None
    frames: int | None = None
    predicted: int | str | None = None
    scores: tuple[float, ...] = ()
    differences: Mapping[str, str | None] = field(default_factory=dict)
    latency_cycles_mean: float | None = None
    latency_cycles_max: int | None = None
    energy_j: float | None = None
    energy_low_j: float | None = None
    energy_high_j: float | None = None
    power_w: float | None = None
    power_low_w: float | None = None
    power_high_w: float | None = None
    saturated: int | None = None
    snr_in_db: float | None = None
    snr_out_db: float | None = None
    error: str | None = None


DIED = "the process that ran it died, twice"


def died(task: ClipTask) -> ClipResult:
    """The result of a clip that ends the process that runs it."""
    return ClipResult(task.name, error=DIED)
