"""What a run cost in a few figures, for those who have many runs: a document for each would take longer than the run.

The figures are those of the document (``document.py``), from the same code.
"""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.machine.run_report import RunReport
from femtodriver.metrics.energy import Band, EnergyTable
from femtodriver.metrics.energy_figures import frame_joules, period_watts
from femtodriver.metrics.run_totals import Run
from femtodriver.part import Part
from femtodriver.program.description import Description


@dataclass(frozen=True)
class RunCosts:
    """``latency_cycles_mean`` and ``latency_cycles_max``: over the frames. ``saturated``: elements clipped in the run.

    ``energy_j``: joules for the work of a frame. ``power_w``: watts over the input period.
    """

    latency_cycles_mean: float
    latency_cycles_max: int
    energy_j: Band
    power_w: Band
    saturated: int


def run_costs(
    report: RunReport, description: Description | None, part: Part, table: EnergyTable, input_period_s: float | None
) -> RunCosts:
    """The costs of a run, as ``build_document`` has them.

    ``part`` and ``table``: at the clock, voltage and temperature in question. Errors as of ``build_document``.
    """
    run = Run.of(report, description, part, input_period_s, table)
    return RunCosts(
        report.latency_cycles.mean,
        report.latency_cycles.most,
        frame_joules(run),
        period_watts(run),
        run.all_counts["saturated"],
    )
