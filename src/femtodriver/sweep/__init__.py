"""What if: one model on several parts, at several clocks, with several options, side by side."""

from femtodriver.sweep.sweep_result import SweepResult, SweepRow
from femtodriver.sweep.whole_sweep import run_sweep

__all__ = ["SweepResult", "SweepRow", "run_sweep"]
