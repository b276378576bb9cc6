"""Everything that a report is made of, as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from femtodriver.machine.frame_record import FrameRecord
from femtodriver.metrics.power_curve import PowerPoint
from femtodriver.part import Part
from femtodriver.profile.profile_rows import Profile
from femtodriver.quantization.quantization_rows import QuantizationReport
from femtodriver.trace.program_view import ProgramView


@dataclass(frozen=True)
class Agreement:
    """How far runners agreed. ``runners``: those that ran. ``passed``: None if one alone ran. ``status``: the verdict
    in words. ``partial``: what was done of a run that was stopped; "" for a whole one."""

    runners: tuple[str, ...]
    frames: int
    passed: bool | None
    status: str
    partial: str = ""


@dataclass(frozen=True, eq=False)
class ReportFacts:
    """``doc``: the metrics document of the run. ``curve``: its power over the period; ``chosen``: at its own.

    ``quantization``: how well values use their types, None where nobody watched them.
    ``frame``: number and record of the frame that is drawn, None where the run ended before it. ``command``: what
    repeats the run, ``notes``: what one has to know about it. ``hashes``: SHA-256 of what went in and came out.
    """

    doc: Mapping[str, Any]
    part: Part
    profile: Profile
    agreement: Agreement
    quantization: QuantizationReport | None
    curve: tuple[PowerPoint, ...]
    chosen: PowerPoint
    frame: tuple[int, FrameRecord] | None
    view: ProgramView
    command: str
    notes: tuple[str, ...]
    hashes: Mapping[str, str]
