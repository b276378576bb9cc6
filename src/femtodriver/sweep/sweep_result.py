"""The rows of a sweep, which of them are worth a look, and their order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from femtodriver.errors import UsageError
from femtodriver.metrics.named_figures import FIGURES, is_number
from femtodriver.metrics.run_totals import Number
from femtodriver.metrics.text_cells import name_text, quantity
from femtodriver.notebook_html import html_table

SCHEMA = "femtodriver-sweep/1"
LATENCY, POWER = "latency", "power"
SETTINGS = ("part", "objective", "clock", "voltage", "input-period", "temperature")
UNITS = {"clock": "Hz", "voltage": "V", "input-period": "s", "temperature": "degC"}
Point = tuple[Number, Number]
"""Latency in s and power in W."""


@dataclass(frozen=True)
class SweepRow:
    """One variant. ``figures``: by the names of docs/diff.md; none where ``reason`` says why it is impossible.

    Hertz, volts, seconds and degC as in the metrics document; None where nothing ran to tell. ``deadline_met``: None
    where no period is known. ``optimal``: no other row that meets the deadline, of the same period and temperature, is
    better in latency or power and not worse in the other.
    """

    part: str
    objective: str | None
    compiler_options: Mapping[str, Any]
    clock_hz: float | None
    voltage_v: float | None
    input_period_s: float | None
    temperature_c: float | None
    figures: Mapping[str, Number | None]
    deadline_met: bool | None = None
    reason: str = ""
    optimal: bool = False

    @property
    def fits(self) -> bool:
        """Whether the variant is possible."""
        return not self.reason

    @property
    def settings(self) -> dict[str, Any]:
        """What was varied, or could have been, by the names of the options."""
        return {
            "part": self.part,
            "objective": self.objective,
            **self.compiler_options,
            "clock": self.clock_hz,
            "voltage": self.voltage_v,
            "input-period": self.input_period_s,
            "temperature": self.temperature_c,
        }

    def table(self) -> dict[str, Any]:
        """The row as plain data."""
        return {
            "part": self.part,
            "objective": self.objective,
            "compiler_options": dict(self.compiler_options),
            "clock_hz": self.clock_hz,
            "voltage_v": self.voltage_v,
            "input_period_s": self.input_period_s,
            "temperature_c": self.temperature_c,
            "fits": self.fits,
            "reason": self.reason or None,
            "deadline_met": self.deadline_met,
            "optimal": self.optimal,
            "figures": dict(self.figures),
        }


@dataclass(frozen=True)
class SweepResult:
    """All rows of a sweep, of ``frames`` frames; ``seed``: of frames made at random; ``notes``: about the inputs."""

    model: str
    sha256: str | None
    frames: int
    seed: int | None
    notes: tuple[str, ...]
    rows: tuple[SweepRow, ...]

    def __repr__(self) -> str:
        fit = sum(row.fits for row in self.rows)
        return f"<SweepResult of {self.model}: {len(self.rows)} variants, {fit} possible, {len(self.optimal)} optimal>"

    def _repr_html_(self) -> str:
        head = ("", *self.varied, LATENCY, POWER, "")
        rows = [
            (
                "*" if row.optimal else "",
                *(setting_text(name, row) for name in self.varied),
                *(FIGURES[name].text(row.figures.get(name)) for name in (LATENCY, POWER)),
                row.reason or ("deadline missed" if row.deadline_met is False else ""),
            )
            for row in self.rows
        ]
        return html_table(f"{self.model}: {len(self.rows)} variants", head, rows)

    @property
    def varied(self) -> tuple[str, ...]:
        """Names of the settings that have more than one value."""
        names = dict.fromkeys(name for row in self.rows for name in row.settings)
        return tuple(name for name in names if len({str(row.settings.get(name)) for row in self.rows}) > 1)

    @property
    def optimal(self) -> tuple[SweepRow, ...]:
        """The rows to choose from."""
        return tuple(row for row in self.rows if row.optimal)

    def sorted(self, by: str) -> SweepResult:
        """The same by a figure or a setting, smallest first; rows without it come last. UsageError for another name."""
        read = _reader(by, list(dict.fromkeys(name for row in self.rows for name in row.settings)))

        def key(row: SweepRow) -> tuple[bool, Any]:
            value = read(row)
            return value is None, 0 if value is None else value

        return replace(self, rows=tuple(sorted(self.rows, key=key)))

    def json(self) -> str:
        """The result as one JSON document; docs/sweep.md has its keys."""
        document = {
            "schema": SCHEMA,
            "model": {"name": self.model, "sha256": self.sha256},
            "frames": self.frames,
            "seed": self.seed,
            "rows": [row.table() for row in self.rows],
        }
        return json.dumps(document, indent=2)


def setting_text(name: str, row: SweepRow) -> str:
    """A setting with its unit; "-" where it is not known."""
    value = row.settings.get(name)
    if value is None:
        return "-"
    unit = UNITS.get(name)
    if unit is None or not is_number(value):
        return name_text(value)
    return quantity(value, unit) if unit in ("Hz", "s") else f"{value:g} {unit}"


def marked(rows: Sequence[SweepRow]) -> tuple[SweepRow, ...]:
    """The rows, with those marked that are Pareto-optimal among the rows of the same period and temperature."""
    points: dict[Any, list[Point]] = {}
    for row in rows:
        point = _point(row)
        if point is not None:
            points.setdefault((row.input_period_s, row.temperature_c), []).append(point)
    fronts = {key: front(found) for key, found in points.items()}
    return tuple(
        replace(row, optimal=_point(row) in fronts.get((row.input_period_s, row.temperature_c), ())) for row in rows
    )


def front(points: Sequence[Point]) -> set[Point]:
    """The points that no other beats: none is as good in both and better in one."""
    best: set[Point] = set()
    least: Number | None = None
    for latency, power in sorted(points):
        if least is None or power < least:
            best.add((latency, power))
            least = power
    return best


def _point(row: SweepRow) -> Point | None:
    """Latency and power of a row that can be chosen."""
    latency, power = row.figures.get(LATENCY), row.figures.get(POWER)
    if not row.fits or row.deadline_met is False or latency is None or power is None:
        return None
    return latency, power


def check_sort(name: str | None, settings: Sequence[str]) -> None:
    """UsageError for a name that is neither a figure nor one of the settings."""
    if name is not None:
        _reader(name, settings)


def _reader(name: str, settings: Sequence[str]) -> Callable[[SweepRow], Any]:
    for plain in (name, name.replace("_", "-"), name.replace("-", "_")):
        if plain in FIGURES:
            return lambda row: row.figures.get(plain)
        if plain in settings:
            return lambda row: _ordered(row.settings.get(plain))
    raise _unknown(name, settings)


def _ordered(value: Any) -> Any:
    """Numbers by size also where they came as text; names by themselves, after them."""
    if value is None:
        return None
    try:
        return False, float(value), ""
    except (TypeError, ValueError):
        return True, 0.0, str(value)


def _unknown(name: str, settings: Sequence[str]) -> UsageError:
    near = get_close_matches(name, [*FIGURES, *settings], 1, 0.5)
    advice = f"Did you mean {near[0]!r}?" if near else "docs/sweep.md lists them."
    return UsageError(f"sort: must be a figure or a setting, not {name!r:.60}. {advice}")
