"""One run, checked, and the sums and means that the document is made of."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

from femtodriver.errors import ProgramError, UsageError
from femtodriver.machine.run_report import WAITING, RunReport
from femtodriver.metrics.energy import Band, EnergyTable
from femtodriver.metrics.tally import core_counts
from femtodriver.part import Part
from femtodriver.program.description import CoreMemory, Description

DEFAULT_PERIOD_S = 0.016
SIGNIFICANT_DIGITS = 9
MATRIX_EVENTS = ("matrix_dense", "matrix_stored", "matrix_executed")

Number = int | float


def digits(value: float) -> float:
    """Enough digits for every purpose, few enough to read."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def band_of(band: Band) -> dict[str, float]:
    return {"low": digits(band.low), "typical": digits(band.typical), "high": digits(band.high)}


@dataclass(frozen=True)
class Run:
    """The inputs of the document, checked, and the sums that several of its parts need."""

    report: RunReport
    description: Description | None
    part: Part
    period_s: float
    table: EnergyTable
    counts: tuple[Counter[str], ...]  # per core of the part
    all_counts: Counter[str]

    @classmethod
    def of(
        cls,
        report: RunReport,
        description: Description | None,
        part: Part,
        input_period_s: float | None,
        table: EnergyTable,
    ) -> Run:
        if not report.frames:
            raise UsageError("metrics: the run must have at least one frame, not 0. Simulate some input first.")
        if len(report.cores) > part.cores:
            raise UsageError(
                f"metrics: the part {part.name} must have the {len(report.cores)} cores of the run, not {part.cores}."
            )
        period_s = DEFAULT_PERIOD_S if input_period_s is None else input_period_s
        if isinstance(period_s, bool) or not isinstance(period_s, Real) or not 0 < period_s <= sys.float_info.max:
            raise UsageError(f"input period: must be a positive number of seconds, not {period_s!r}.")
        told = description if description and description.has_layers else None
        if told is not None:
            _check_fit(told, part)
        counts = [core_counts(core) for core in report.cores]
        counts += [Counter() for _ in range(part.cores - len(counts))]
        return cls(report, told, part, float(period_s), table, tuple(counts), sum(counts, Counter()))

    @property
    def frames(self) -> int:
        return self.report.frames

    @property
    def active_cycles(self) -> float:
        """Cycles from the inputs of a frame in the input buffer until all cores are at rest, mean over the frames."""
        return self.report.frame_cycles.mean

    def mean(self, total: int) -> Number:
        """Mean per frame of a total over the run: an int where it is whole."""
        quotient, rest = divmod(total, self.frames)
        return digits(total / self.frames) if rest else int(quotient)

    def cycles(self) -> dict[str, object]:
        per_core = []
        for number, counts in enumerate(self.counts):
            waiting = self._waiting(number)
            per_core.append({"busy": self.mean(counts["cycles"]), "waiting": waiting})
        return {"total": self.mean(self.report.frame_cycles.total), "per_core": per_core}

    def _waiting(self, number: int) -> dict[str, Number]:
        if number >= len(self.report.cores):  # a core that the machine did not even build
            return {**dict.fromkeys(WAITING, 0), "idle": self.mean(self.report.frame_cycles.total)}
        waiting = self.report.cores[number].waiting
        causes = (*WAITING, *sorted(set(waiting) - set(WAITING)))
        return {cause: self.mean(waiting.get(cause, 0)) for cause in causes}

    def core_uses(self) -> list[tuple[bool, int]]:
        """Per core of the part: whether it runs anything, and how many of its data memory banks are used."""
        uses = []
        for number, counts in enumerate(self.counts):
            banks = self._used_banks(number)
            memory = self.core_memory(number)
            loaded = memory is not None and memory.im_used_words > 0
            uses.append((bool(banks) or loaded or counts["cycles"] > 0, len(banks)))
        return uses

    def _used_banks(self, number: int) -> set[int]:
        """Banks that hold something of the program, or were read or written in the run."""
        memory = self.core_memory(number)
        used = {bank for bank, words in enumerate(memory.dm_used_words_per_bank) if words} if memory else set()
        if number < len(self.report.cores):
            core = self.report.cores[number]
            used |= {bank for bank, count in enumerate(core.bank_reads) if count}
            used |= {bank for bank, count in enumerate(core.bank_writes) if count}
        return used

    def core_memory(self, number: int) -> CoreMemory | None:
        """What the description says about the memory of a core, or None."""
        return (self.description.memory or {}).get(number) if self.description else None

    def matrix_busy_cycles(self) -> int:
        """Busy cycles of the cores that ran at least one matrix instruction."""
        return sum(counts["cycles"] for counts in self.counts if any(counts[event] for event in MATRIX_EVENTS))

    def macs(self, counts: Mapping[str, int], busy_cycles: int) -> dict[str, Number | None]:
        """Multiplications per frame; utilisation = executed / (busy cycles x lanes), None without matrix work."""
        dense, stored, executed = (counts.get(event, 0) for event in MATRIX_EVENTS)
        slots = busy_cycles * self.part.lanes if dense or stored or executed else 0
        return {
            "dense": self.mean(dense),
            "stored": self.mean(stored),
            "executed": self.mean(executed),
            "skipped_weight": self.mean(dense - stored),
            "skipped_activation": self.mean(stored - executed),
            "utilisation": digits(executed / slots) if slots else None,
        }


def _check_fit(description: Description, part: Part) -> None:
    """Raise ProgramError where the description names memory that the part does not have."""
    for core, memory in (description.memory or {}).items():
        banks = len(memory.dm_used_words_per_bank)
        fullest = max(memory.dm_used_words_per_bank, default=0)
        if core >= part.cores or banks > part.dm_banks or fullest > part.dm_bank_words:
            raise ProgramError(
                f"metadata.yaml: femtodriver: memory[{core}]: must fit the part {part.name} ({part.cores} cores, "
                f"{part.dm_banks} banks of {part.dm_bank_words} words), not {banks} banks of up to {fullest} words. "
                "Name the part that the program was compiled for (--hw-config)."
            )
