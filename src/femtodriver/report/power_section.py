"""What the part takes: over the input period, by what it is spent on, and between frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from femtodriver.metrics.energy_text import ACCOUNT_LABELS, origin_text, other_costs
from femtodriver.metrics.power_curve import PowerPoint
from femtodriver.metrics.text_cells import factor_text, percent_text, quantity
from femtodriver.report.page_blocks import Curve, FigureTable, Mark, PageBlock, Section, Sentence, Tick
from femtodriver.report.report_facts import ReportFacts

_CORNERS = ("typical", "low", "high")
_MOST_TICKS = 7


def power_section(facts: ReportFacts) -> Section:
    """The curve of power over the period with the point that was chosen, and the lines of the power of that point."""
    band = facts.doc["power_w"]["total"]
    low, typical, high = (quantity(band[corner], "W") for corner in ("low", "typical", "high"))
    lead = f"{typical} typical, from {low} (all rows of the energy table low) to {high} (all rows high)."
    return Section("power", "Power and energy", lead, tuple(_blocks(facts)))


def _blocks(facts: ReportFacts) -> Iterator[PageBlock]:
    yield _curve(facts)
    yield _accounts(facts)
    yield _components(facts)
    for key, title, text in other_costs(facts.doc):
        yield Sentence(f"{title}: {text}.", sources=(key,))


def _accounts(facts: ReportFacts) -> FigureTable:
    power, kinds = facts.doc["power_w"], facts.doc["power_kinds"]
    whole = power["total"]["typical"]
    rows = [
        (
            label,
            *(quantity(power[account][corner], "W") for corner in _CORNERS),
            percent_text(power[account]["typical"] / whole if whole else None),
            factor_text(power[account]),
            origin_text(kinds[account]),
        )
        for account, label in {**ACCOUNT_LABELS, "total": "all"}.items()
        if power[account]["high"]
    ]
    head = ("what for", *_CORNERS, "share", "factor", "comes from rows that are")
    return FigureTable("Power at the chosen period", head, tuple(rows), left=(0, 6), sources=("power_w", "power_kinds"))


def _components(facts: ReportFacts) -> FigureTable:
    energy = facts.doc["energy_j"]
    whole = energy["total"]["typical"]
    known = sorted(
        ((name, band) for name, band in energy["by_component"].items() if band["high"]),
        key=lambda entry: -entry[1]["typical"],
    )
    rows = [
        (
            name.replace("_", " "),
            *(quantity(band[corner], "J") for corner in _CORNERS),
            percent_text(band["typical"] / whole if whole else None),
        )
        for name, band in (*known, ("all", energy["total"]))
    ]
    head = ("component", *_CORNERS, "share")
    return FigureTable("Energy of the work of a frame", head, tuple(rows), sources=("energy_j.total",))


def _curve(facts: ReportFacts) -> Curve:
    points, chosen = facts.curve, facts.chosen
    x = _Axis([point.period_s for point in points])
    y = _Axis([watts for point in points for watts in (point.watts.low, point.watts.high)])
    at = x.share(chosen.period_s)
    fits = next((point.period_s for point in points if point.met), points[-1].period_s)
    mark = Mark(at, y.share(chosen.watts.typical), _chosen_text(chosen), before=at > 0.5)
    return Curve(
        "Power over the input period, both on logarithmic scales: typical, with the band from low to high",
        line=_line(points, x, y, "typical"),
        low=_line(points, x, y, "low"),
        high=_line(points, x, y, "high"),
        x_ticks=x.ticks("s"),
        y_ticks=y.ticks("W"),
        x_title="input period",
        y_title="power",
        marks=(mark,),
        shaded=x.share(fits),
        shade_text="too short for the slowest frame",
        sources=("power_w", "Input Period (s)"),
    )


def _chosen_text(chosen: PowerPoint) -> str:
    return f"{quantity(chosen.watts.typical, 'W')} at {quantity(chosen.period_s, 's')}"


def _line(points: Sequence[PowerPoint], x: _Axis, y: _Axis, corner: str) -> tuple[tuple[float, float], ...]:
    return tuple((x.share(point.period_s), y.share(getattr(point.watts, corner))) for point in points)


class _Axis:
    """A logarithmic axis that holds these positive values."""

    def __init__(self, values: Sequence[float]) -> None:
        self.first, self.last = math.log10(min(values)), math.log10(max(values))
        if self.last - self.first < 1:
            middle = (self.first + self.last) / 2
            self.first, self.last = middle - 0.5, middle + 0.5

    def share(self, value: float) -> float:
        """Where a value stands, from 0 to 1."""
        return (math.log10(value) - self.first) / (self.last - self.first)

    def ticks(self, unit: str) -> tuple[Tick, ...]:
        """Powers of ten, or every second or third of them if they are many."""
        decades = range(math.ceil(self.first), math.floor(self.last) + 1)
        apart = -(-len(decades) // _MOST_TICKS)
        return tuple(Tick(self.share(10.0**decade), _round_text(decade, unit)) for decade in decades[:: apart or 1])


def _round_text(decade: int, unit: str) -> str:
    """A power of ten without places behind the point, as in "10 ms"."""
    number, _, rest = quantity(10.0**decade, unit).partition(" ")
    return f"{float(number):g} {rest}"
