"""The energy table: joules of one event, watts of a block, seconds of waking, as data with sources.

A figure is a band (low, typical, high). The rows are TOML (``tables/22nm.toml``); this module reads them, turns them
into SI units and scales them to another voltage and temperature. It knows nothing about events: see ``events.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources

from femtodriver.errors import UsageError
from femtodriver.files.plain_toml import load_toml

UNITS = {"pJ": 1e-12, "nJ": 1e-9, "uW": 1e-6, "us": 1e-6}
KINDS = ("measured on other chips", "computed", "assumed")
SCALINGS = ("dynamic", "leakage", "fixed")
COLDEST_C = -40.0


@dataclass(frozen=True)
class Band:
    """Low, typical and high value of one figure (joules, watts or seconds)."""

    low: float = 0.0
    typical: float = 0.0
    high: float = 0.0

    def times(self, factor: float) -> Band:
        """The band multiplied by ``factor`` >= 0."""
        return Band(self.low * factor, self.typical * factor, self.high * factor)

    def product(self, other: Band) -> Band:
        """Watts times seconds, corner by corner."""
        return Band(self.low * other.low, self.typical * other.typical, self.high * other.high)


def add(bands: Iterable[Band]) -> Band:
    """Sum of bands, each corner with one rounding (``math.fsum``)."""
    terms = list(bands)
    return Band(
        math.fsum(band.low for band in terms),
        math.fsum(band.typical for band in terms),
        math.fsum(band.high for band in terms),
    )


@dataclass(frozen=True)
class Row:
    """One row of the table; ``value`` is in joules (unit pJ, nJ), watts (unit uW) or seconds (unit us)."""

    name: str
    meaning: str
    unit: str
    value: Band
    scaling: str
    kind: str
    source: str


@dataclass(frozen=True)
class EnergyTable:
    """All rows at one voltage (volts) and temperature (degC). ``edition`` counts up when a figure changes."""

    name: str
    edition: int
    voltage_v: float
    temperature_c: float
    temperature_max_c: float
    bank_bytes: int
    rows: Mapping[str, Row]

    def value(self, row: str) -> Band:
        """Joules, watts or seconds of the row of that name."""
        return self.rows[row].value

    def at(self, voltage_v: float, temperature_c: float) -> EnergyTable:
        """The table at another voltage and temperature.

        Dynamic rows go with V^2; leakage rows go with V and double every 10 degC; fixed rows stay (pads have a supply
        of their own, and no law is known for oscillators). Raises UsageError outside -40 degC to
        ``temperature_max_c``, where that law is not known to hold, and for a voltage that is not positive.
        """
        if not (math.isfinite(voltage_v) and voltage_v > 0):
            raise UsageError(f"energy table {self.name}: the voltage must be positive, not {voltage_v} V.")
        if not COLDEST_C <= temperature_c <= self.temperature_max_c:
            raise UsageError(
                f"energy table {self.name}: the temperature must be between {COLDEST_C:g} and "
                f"{self.temperature_max_c:g} degC, not {temperature_c:g}; the leakage law is not known beyond."
            )
        ratio = voltage_v / self.voltage_v
        factors = {
            "dynamic": ratio * ratio,
            "leakage": ratio * 2.0 ** ((temperature_c - self.temperature_c) / 10.0),
            "fixed": 1.0,
        }
        rows = {name: replace(row, value=row.value.times(factors[row.scaling])) for name, row in self.rows.items()}
        return replace(self, voltage_v=voltage_v, temperature_c=temperature_c, rows=rows)


def table_names() -> tuple[str, ...]:
    """Names of the tables that the package ships."""
    folder = resources.files("femtodriver.metrics") / "tables"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_table(name: str = "22nm") -> EnergyTable:
    """The shipped table of that name at its own voltage and temperature. Raises UsageError for another name."""
    if name not in table_names():
        raise UsageError(f"energy table: must be one of {', '.join(table_names())}, not {name!r}.")
    text = (resources.files("femtodriver.metrics") / "tables" / f"{name}.toml").read_text(encoding="utf-8")
    return parse_table(text)


def parse_table(text: str) -> EnergyTable:
    """A table from TOML text. Raises UsageError for a row that is incomplete, out of order or without a source."""
    try:
        entries = load_toml(text.encode("utf-8"), "energy table", UsageError)
        rows = {name: _row(name, fields) for name, fields in entries.pop("rows").items()}
        return EnergyTable(**entries, rows=rows)
    except (KeyError, TypeError) as error:
        raise UsageError(f"energy table: must be TOML with the entries of 22nm.toml: {error}.") from None


def _row(name: str, fields: dict[str, object]) -> Row:
    unit, scaling, kind = str(fields["unit"]), str(fields["scaling"]), str(fields["kind"])
    figures = [fields["low"], fields["typical"], fields["high"]]
    numbers = [float(figure) for figure in figures if isinstance(figure, (int, float))]
    if len(numbers) != 3 or not 0 <= numbers[0] <= numbers[1] <= numbers[2]:
        raise UsageError(f"energy table: row {name}: must be 0 <= low <= typical <= high, not {figures}.")
    for value, known in ((unit, tuple(UNITS)), (scaling, SCALINGS), (kind, KINDS)):
        if value not in known:
            raise UsageError(f"energy table: row {name}: must be one of {', '.join(known)}, not {value!r}.")
    source = str(fields["source"]).strip()
    if not source:
        raise UsageError(f"energy table: row {name}: the source must be named, not left empty.")
    low, typical, high = (number * UNITS[unit] for number in numbers)
    return Row(name, str(fields["meaning"]), unit, Band(low, typical, high), scaling, kind, source)
