"""What a board measured, under the names of the reference 2.x."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from femtodriver.metrics.run_totals import DEFAULT_PERIOD_S

VCO = "PLL VCO frequency (MHz)"
LATENCY = "Latency (s)"
NOT_MEASURED = "not measured on hardware"


def hardware_metrics(
    latencies_us: Sequence[int], period_s: float | None = None, vco_hz: float | None = None
) -> dict[str, Any]:
    """The metrics of a run on a board.

    ``latencies_us``: microseconds that each frame took, -1 where the board could not tell. ``period_s`` None: the usual
    one. ``vco_hz``: of the PLL, None where nobody knows. ``Latency (s)`` is the mean. What was not measured is None, or
    says so.
    """
    known = {number: latency / 1e6 for number, latency in enumerate(latencies_us) if latency >= 0}
    seconds = list(known.values())
    mean = sum(seconds) / len(seconds) if seconds else None
    return {
        VCO: None if vco_hz is None else vco_hz / 1e6,
        "Frames Simulated": len(latencies_us),
        "Input Period (s)": DEFAULT_PERIOD_S if period_s is None else period_s,
        LATENCY: mean,
        "Power (W)": NOT_MEASURED,
        "Frames": {number: {LATENCY: latency} for number, latency in known.items()},
        "Frame Statistics": {
            LATENCY: {
                "min": min(seconds, default=None),
                "mean": mean,
                "max": max(seconds, default=None),
                "values": seconds,
            }
        },
    }
