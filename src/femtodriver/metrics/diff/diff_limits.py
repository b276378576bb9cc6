"""Limits for a comparison of two documents, as text: ``power>+5%``, ``cycles>12000``, ``latency>10ms``.

::

    limit  = name ("<" | ">") value
    value  = sign number "%"         how much B differs from A, in percent of A
           | sign number [unit]      how much B differs from A
           | number [unit]           B itself
    name   = a figure of ``named_figures``, or "layer." and cycles, energy, macs-executed or saturations: each layer
    unit   = s, W, J, Hz or B after one of p n u m k M G; Ki or Mi before B; h; "%" of a share; counts have none

A limit names what must not be: ``power>+5%`` is exceeded where B takes more than 5 % more than A.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from femtodriver.errors import UsageError
from femtodriver.metrics.named_figures import BYTES, COUNT, FIGURES, HOURS, SHARE, NamedFigure, figure_text
from femtodriver.metrics.run_totals import Number

LAYER = "layer."
LAYER_FIGURES = (
    NamedFigure(f"{LAYER}cycles", COUNT, "cycles", "busy cycles of a layer"),
    NamedFigure(f"{LAYER}energy", "J", "energy_j", "energy of a layer, typical", 2),
    NamedFigure(f"{LAYER}macs-executed", COUNT, "macs.executed", "multiplications that a layer executes"),
    NamedFigure(f"{LAYER}saturations", COUNT, "saturations", "elements that a layer clips", 4),
)
_KNOWN = {**FIGURES, **{row.name: row for row in LAYER_FIGURES}}
_LIMIT = re.compile(
    r"\s*([a-z][a-z0-9_.-]*)\s*([<>])\s*([+-]?)(\d{1,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,2})?)\s*([%a-zA-Zµ]*)\s*"
)
_PREFIXES = {"": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}
_BINARY = {"KiB": 1024.0, "MiB": 1024.0**2}
_WANTED = "a limit must be a figure, > or <, and a value, as in power>+5%, cycles>12000 or latency>10ms"


@dataclass(frozen=True)
class Limit:
    """``above``: too much is what is refused. ``value``: in the figure's base unit, or a share of A if ``relative``.

    ``change``: the value is about the difference of B and A, else about B.
    """

    text: str
    figure: NamedFigure
    above: bool
    value: float
    change: bool
    relative: bool

    @property
    def of_layers(self) -> bool:
        """Whether it holds for each layer."""
        return self.figure.name.startswith(LAYER)

    def measured(self, before: Number | None, after: Number | None) -> float | None:
        """What is compared with the value; None where it cannot be known."""
        if not self.change:
            return after
        if before is None or after is None:
            return None
        if not self.relative:
            return after - before
        if before == 0:
            return 0.0 if after == 0 else float("inf") if after > 0 else float("-inf")
        return (after - before) / abs(before)

    def exceeded(self, measured: float) -> bool:
        """Whether what was measured is beyond the value."""
        return measured > self.value if self.above else measured < self.value

    def shown(self, measured: float) -> str:
        """What was measured, in words of the limit."""
        sign = "+" if self.change and measured > 0 else ""
        if self.relative:
            return f"{sign}{100 * measured:.4g} %"
        return sign + figure_text(measured, self.figure.unit)


def parse_limit(text: str) -> Limit:
    """The limit that a text means. UsageError, in one sentence, for a text that means none."""
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise UsageError(f"limit {text!r:.60}: {_WANTED}.")
    name, sense, sign, digits, unit = found.groups()
    name = name.replace("_", "-")
    figure = _KNOWN.get(name)
    if figure is None:
        near = get_close_matches(name, list(_KNOWN), 1, 0.5)
        advice = f"Did you mean {near[0]!r}?" if near else "docs/diff.md lists them."
        raise UsageError(f"limit {text!r:.60}: the figure must be one that has a name, not {name!r:.40}. {advice}")
    relative = bool(sign) and unit == "%"
    scale = 0.01 if relative else _scale(text, figure, unit)
    value = float(digits) * scale * (-1 if sign == "-" else 1)
    return Limit(text.strip(), figure, sense == ">", value, bool(sign), relative)


def _scale(text: str, figure: NamedFigure, unit: str) -> float:
    """What one of the unit is in the figure's base unit."""
    base = figure.unit
    if base == SHARE:
        known = {"%": 0.01}
    elif base == COUNT:
        known = {"": 1.0}
    elif base == HOURS:
        known = {HOURS: 1.0}
    else:
        known = {prefix + base: factor for prefix, factor in _PREFIXES.items()}
        known.update(_BINARY if base == BYTES else {})
    if unit in known:
        return known[unit]
    wanted = {SHARE: "a percentage", COUNT: "a number without a unit", HOURS: "a time in h"}.get(
        base, f"a value in {base}, also with a prefix, as in m{base}" if base != BYTES else "a value in B, kB or KiB"
    )
    of_a = " A percentage of A has a sign, as in +5%." if unit == "%" else ""
    raise UsageError(
        f"limit {text!r:.60}: {figure.name} must be compared with {wanted}, "
        f"not {repr(unit) if unit else 'a bare number'}.{of_a}"
    )
