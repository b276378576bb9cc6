"""Figures of the metrics document that have a name: limits, tables of variants and summaries all take them from here.

To add one, add a row to ``FIGURES``; docs/diff.md has the table of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from femtodriver.metrics.run_totals import Number
from femtodriver.metrics.text_cells import Doc, count_text, quantity

SHARE, HOURS, COUNT, BYTES = "share", "h", "", "B"
_ITEMS = "[]"


@dataclass(frozen=True)
class NamedFigure:
    """``unit``: s, W, J or Hz; h; B; "share"; "" for a count. ``path``: keys of the document, ``[]`` for all items of a
    list; ``reduced``: one number from those that the path reaches. ``since``: the number of the schema since which it
    means what it means now. ``headline``: one of the few that are always shown.
    """

    name: str
    unit: str
    path: str
    summary: str
    since: int = 1
    headline: bool = False
    reduced: Callable[[Sequence[Number]], Number] = sum

    def of(self, doc: Doc) -> Number | None:
        """The figure of a document; None where the document does not state it."""
        found = values_at(doc, self.path)
        numbers = [value for value in found if is_number(value)]
        return self.reduced(numbers) if found and len(numbers) == len(found) else None

    def text(self, value: Number | None) -> str:
        """The value with its unit; "-" for None."""
        return figure_text(value, self.unit)


def is_number(value: object) -> bool:
    """Whether a value of a document is a finite number, which a float can hold."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def figure_text(value: Number | None, unit: str) -> str:
    """A figure with its unit; "-" for None."""
    if value is None:
        return "-"
    if unit == SHARE:
        return f"{100 * value:.3g} %"
    if unit in (COUNT, BYTES):
        return f"{count_text(value)} {unit}".rstrip()
    return f"{value:,.1f} {unit}" if unit == HOURS else quantity(value, unit)


def values_at(doc: object, path: str) -> list[Any]:
    """Everything in a document that a path reaches; nothing where a key is missing."""
    reached: list[Any] = [doc]
    for part in path.split("."):
        key = part.removesuffix(_ITEMS)
        reached = [one[key] for one in reached if isinstance(one, Mapping) and key in one]
        if part != key:
            reached = [item for one in reached if isinstance(one, (list, tuple)) for item in one]
    return reached


def _at_work(busy: Sequence[Number]) -> int:
    return sum(cycles > 0 for cycles in busy)


_WATTS = "power_w.{}.typical"
_ROWS = (
    NamedFigure("latency", "s", "latency_s.mean", "mean latency, without the link", 3, headline=True),
    NamedFigure("latency-p99", "s", "latency_s.p99", "latency of the 99th percentile", 3),
    NamedFigure("latency-max", "s", "latency_s.max", "latency of the slowest frame", 3),
    NamedFigure("latency-link", "s", "link.latency_s.mean", "mean latency with the link to the host", 3),
    NamedFigure(
        "period-share",
        SHARE,
        "deadline.worst_fraction_of_period",
        "share of the period that the slowest frame takes",
        3,
    ),
    NamedFigure("cycles", COUNT, "cycles.total", "cycles per frame", 3, headline=True),
    NamedFigure("power", "W", _WATTS.format("total"), "power over the period, typical", headline=True),
    NamedFigure("power-high", "W", "power_w.total.high", "power over the period, high figure"),
    NamedFigure("power-dynamic", "W", _WATTS.format("dynamic"), "power of the work alone", 2),
    NamedFigure("power-link", "W", _WATTS.format("link"), "power of the link to the host", 2),
    NamedFigure("power-leakage", "W", _WATTS.format("leakage"), "leakage of memories and logic", 2),
    NamedFigure("power-waking", "W", _WATTS.format("waking"), "power of waking for each frame", 2),
    NamedFigure("power-pll", "W", _WATTS.format("pll"), "power of the PLL", 2),
    NamedFigure("power-always-on", "W", _WATTS.format("always_on"), "power of the always-on domain", 2),
    NamedFigure("energy", "J", "energy_j.total.typical", "energy of the work of a frame, typical", 2, headline=True),
    NamedFigure("energy-high", "J", "energy_j.total.high", "energy of the work of a frame, high figure", 2),
    NamedFigure("energy-period", "J", "energy_j.period.typical", "energy of everything in one period", 2),
    NamedFigure("lowest-clock", "Hz", "lowest_clock.clock_hz", "lowest clock that meets the deadline", 2),
    NamedFigure("start-up", "J", "start_up.energy_j.typical", "energy of loading the program, once", 2),
    NamedFigure("battery", HOURS, "battery.life_h.typical", "life of the battery of --battery-mwh", 2),
    NamedFigure("cores-used", COUNT, "cycles.per_core[].busy", "cores that do anything", reduced=_at_work),
    NamedFigure("memory", BYTES, "memory_bytes.per_core[].dm_used", "data memory used, all cores", headline=True),
    NamedFigure("tables", BYTES, "memory_bytes.per_core[].tm_used", "table memory used, all cores"),
    NamedFigure("instructions", BYTES, "memory_bytes.per_core[].im_used", "instruction memory used, all cores"),
    NamedFigure("weights", BYTES, "memory_bytes.weights", "weights that are stored"),
    NamedFigure("macs-stored", COUNT, "macs.stored", "multiplications of stored weights per frame"),
    NamedFigure("macs-executed", COUNT, "macs.executed", "multiplications executed per frame"),
    NamedFigure("utilisation", SHARE, "macs.utilisation", "share of lane cycles with a multiplication"),
    NamedFigure("messages", COUNT, "messages.count", "messages between cores per frame"),
    NamedFigure("message-words", COUNT, "messages.words", "words of these messages per frame"),
    NamedFigure("saturations", COUNT, "saturations", "elements clipped per frame", headline=True),
)
FIGURES: Mapping[str, NamedFigure] = {row.name: row for row in _ROWS}
