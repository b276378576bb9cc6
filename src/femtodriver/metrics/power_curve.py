"""Power over the input period: what the same frames take if they come more or less often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from femtodriver.metrics.energy import Band
from femtodriver.metrics.energy_figures import period_energy, period_watts
from femtodriver.metrics.run_totals import Run

POINTS = 97
# How far the curve goes beyond the period that was chosen, and below the time of a frame.
LONGER, SHORTER = 30.0, 2.0


@dataclass(frozen=True)
class PowerPoint:
    """Watts at one input period; ``met``: whether the slowest frame fits it."""

    period_s: float
    watts: Band
    met: bool


def power_at(run: Run, period_s: float) -> PowerPoint:
    """The power of a run whose frames come every ``period_s`` seconds."""
    watts = period_watts(replace(run, period_s=period_s))
    return PowerPoint(period_s, watts, run.report.frame_cycles.most / run.part.clock_hz <= period_s)


def power_curve(run: Run) -> tuple[PowerPoint, ...]:
    """Periods from below the time of the slowest frame to far beyond the one of the run, evenly on a logarithmic scale.

    Two of them stand at either side of each jump, where parts of the chip begin to sleep.
    """
    slowest_s = run.report.frame_cycles.most / run.part.clock_hz
    first, last = min(slowest_s, run.period_s) / SHORTER, max(slowest_s, run.period_s) * LONGER
    step = math.log(last / first) / (POINTS - 1)
    periods = [first * math.exp(step * place) for place in range(POINTS)]
    return tuple(power_at(run, period) for period in sorted({*periods, *_jumps(run, first, last)}))


def _jumps(run: Run, first: float, last: float) -> Sequence[float]:
    """Just below and just above the periods from which on something sleeps in the pause."""
    whole = period_energy(run, run.part.clock_hz)
    at = [whole.period.active_s + nap.least_pause_s for nap in whole.period.naps]
    near = [period * factor for period in at for factor in (1 - 1e-6, 1 + 1e-6)]
    return [period for period in near if first < period < last]
