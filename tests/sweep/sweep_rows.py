"""Rows of a sweep, made by hand."""

from __future__ import annotations

from typing import Any

from femtodriver.sweep.sweep_result import SweepResult, SweepRow, marked


def row(latency: float | None = 1.0, power: float | None = 1.0, **other: Any) -> SweepRow:
    settings: dict[str, Any] = {
        "part": "spu001",
        "objective": None,
        "compiler_options": {},
        "clock_hz": 1e6,
        "voltage_v": 0.8,
        "input_period_s": 0.016,
        "temperature_c": 25.0,
        "figures": {"latency": latency, "power": power},
    }
    return SweepRow(**{**settings, **other})


def result(*rows: SweepRow) -> SweepResult:
    return SweepResult("net", "ab", 2, 0, (), marked(rows))
