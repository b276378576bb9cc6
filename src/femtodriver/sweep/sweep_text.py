"""A sweep as a table for people and as CSV."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from femtodriver.metrics.named_figures import FIGURES
from femtodriver.metrics.spreadsheet_cells import spreadsheet_text
from femtodriver.metrics.text_cells import WIDTH, name_text, table_lines
from femtodriver.safe_text import plain_name
from femtodriver.sweep.sweep_result import UNITS, SweepResult, SweepRow, setting_text

SHOWN = ("latency", "period-share", "cycles", "power", "energy-period", "memory", "cores-used")
MARK = "*"
MEANING = "no row of the same period and temperature is as good in latency and in power, and better in one of them"
_ENDINGS = {"s": "_s", "W": "_w", "J": "_j", "Hz": "_hz", "B": "_bytes", "h": "_h"}


def sweep_text(result: SweepResult) -> str:
    """What was the same in all rows, the rows, and what the marks mean."""
    lines = [_head(result), *(f"note: {note}" for note in result.notes)]
    same = [f"{name} {setting_text(name, result.rows[0])}" for name in _stated(result) if name not in result.varied]
    lines += [f"the same in all: {', '.join(same)}"]
    head = ("", *result.varied, *SHOWN, "deadline")
    rows = [_row(row, result.varied) for row in result.rows if row.fits]
    left = tuple(place for place, name in enumerate(head) if name not in (*UNITS, *SHOWN))
    lines += ["", *table_lines(head, rows, left=left)] if rows else []
    if result.optimal:
        lines.append(f"  {MARK} {MEANING}")
    lines += _reasons(result)
    return "\n".join(lines)


def _head(result: SweepResult) -> str:
    seed = "" if result.seed is None else f" from seed {result.seed}"
    return (
        f"{plain_name(result.model, 60)}: {_counted(len(result.rows), 'variant')}, "
        f"{_counted(result.frames, 'frame')}{seed}"
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _stated(result: SweepResult) -> list[str]:
    return [name for name, value in result.rows[0].settings.items() if value is not None]


def _row(row: SweepRow, varied: tuple[str, ...]) -> tuple[str, ...]:
    figures = (FIGURES[name].text(row.figures.get(name)) for name in SHOWN)
    deadline = {True: "met", False: "MISSED", None: "-"}[row.deadline_met]
    return (MARK if row.optimal else "", *(setting_text(name, row) for name in varied), *figures, deadline)


def _reasons(result: SweepResult) -> list[str]:
    """The variants that are impossible, each reason once."""
    reasons: dict[str, list[str]] = {}
    for row in result.rows:
        if not row.fits:
            compiled = [name for name in result.varied if name not in UNITS]
            told = ", ".join(f"{name} {setting_text(name, row)}" for name in compiled) or "all"
            reasons.setdefault(name_text(row.reason, len(row.reason)), []).append(told)
    lines = []
    for reason, variants in reasons.items():
        lines += ["", f"impossible: {'; '.join(dict.fromkeys(variants))}"]
        lines += textwrap.wrap(reason, WIDTH, initial_indent="  ", subsequent_indent="  ")
    return lines


def sweep_csv(result: SweepResult) -> str:
    """One line per row, with every setting and every figure in its base unit; empty where there is none."""
    options = dict.fromkeys(name for row in result.rows for name in row.compiler_options)
    settings = ("part", "objective", *options, "clock_hz", "voltage_v", "input_period_s", "temperature_c")
    facts = ("fits", "deadline_met", "optimal")
    rows = []
    for row in result.rows:
        known: Mapping[str, Any] = {**row.table(), **row.compiler_options}
        figures = [row.figures.get(name) for name in FIGURES]
        rows.append([*(known[name] for name in (*settings, *facts)), *figures, row.reason])
    return spreadsheet_text([*settings, *facts, *map(column, FIGURES), "reason"], rows).rstrip("\n")


def column(name: str) -> str:
    """What a figure's column is called: ``latency`` in seconds is ``latency_s``."""
    return name.replace("-", "_") + _ENDINGS.get(FIGURES[name].unit, "")


FORMS: Mapping[str, Callable[[SweepResult], str]] = {"text": sweep_text, "csv": sweep_csv, "json": SweepResult.json}
