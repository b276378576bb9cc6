"""Everything that a report is made of, as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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


class MemoryFacts(Protocol):
    """What is known of a program before it runs: ``memory_bytes`` of ``doc``, for ``part``."""

    @property
    def doc(self) -> Mapping[str, Any]: ...

    @property
    def part(self) -> Part: ...


@dataclass(frozen=True, eq=False)
class OutputRange:
    """An output of a runner over a run, of shape (frames, elements): its smallest and largest value, and its zeros."""

    runner: str
    name: str
    frames: int
    elements: int
    low: int | float
    high: int | float
    zeros: int


@dataclass(frozen=True, eq=False)
class PlainFacts:
    """A run without the simulator, of which nothing was measured. ``doc``: its ``model`` and ``memory_bytes``, as in a
    metrics document; the rest as in ``ReportFacts``. ``outputs``: None where they were not kept.
    """

    doc: Mapping[str, Any]
    part: Part
    agreement: Agreement
    outputs: tuple[OutputRange, ...] | None
    quantization: QuantizationReport | None
    command: str
    notes: tuple[str, ...]
    hashes: Mapping[str, str]


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
