"""Figures, names and tables as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from femtodriver.metrics.run_totals import Number

Doc = Mapping[str, Any]

WIDTH = 120
NAME_WIDTH = 36
INDENT = 11
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"))


def quantity(value: float, unit: str) -> str:
    """A value with three significant digits and an SI prefix: ``quantity(2.1e-4, "W")`` is ``"210 uW"``."""
    fitting = [entry for entry in _PREFIXES if abs(value) >= 0.9995 * entry[0]]
    scale, prefix = fitting[0] if fitting else _PREFIXES[-1] if value else (1.0, "")
    scaled = value / scale
    places = 0 if abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2
    return f"{scaled:.{places}f} {prefix}{unit}"


def count_text(value: Number | None) -> str:
    """A count with thousands marked; "-" for None."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def percent_text(value: float | None) -> str:
    """A share as a percentage; "-" for None."""
    return "-" if value is None else f"{100 * value:.1f} %"


def name_text(value: object, width: int = NAME_WIDTH) -> str:
    """A name from a file: control characters shown, not obeyed; long ones cut."""
    text = "".join(mark if mark.isprintable() else "?" for mark in str(value))
    return text if len(text) <= width else text[: width - 3] + "..."


def tail_text(text: str, width: int) -> str:
    """A name whose end says most, such as a path: a long one is cut at its beginning. Control characters as above."""
    shown = name_text(text, len(text))
    return shown if len(shown) <= width else "..." + shown[len(shown) - width + 3 :]


def band_text(band: Mapping[str, float], unit: str) -> str:
    """Typical, low and high value of a figure, and the factor that low and high stay within."""
    low, typical, high = (quantity(band[corner], unit) for corner in ("low", "typical", "high"))
    return f"{typical} typical ({low} low, {high} high{_within(band)})"


def factor_text(band: Mapping[str, float]) -> str:
    """The factor that low and high are within of typical, rounded up; "-" if one of them is 0."""
    if not band["low"]:
        return "-"
    factor = max(band["typical"] / band["low"], band["high"] / band["typical"])
    return f"{_rounded_up(factor):g}"


def _within(band: Mapping[str, float]) -> str:
    factor = factor_text(band)
    return "" if factor == "-" else f"; within a factor of {factor}"


def _rounded_up(factor: float) -> float:
    """To one decimal place, and never below: what is said about accuracy has to be true."""
    rounded = round(factor, 1)
    return rounded if rounded >= factor - 1e-9 else round(rounded + 0.1, 1)


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    """Lines of a table, indented by two; ``left``: the columns that are aligned to the left."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = (
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  " + "  ".join(cells).rstrip())
    return lines


def wrapped_lines(title: str, text: str) -> list[str]:
    """A title and a text beside it, wrapped."""
    return textwrap.wrap(f"{title:<{INDENT}}{text}", WIDTH, subsequent_indent=INDENT * " ")
