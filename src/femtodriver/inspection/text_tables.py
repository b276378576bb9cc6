"""Aligned columns of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from femtodriver.safe_text import plain_name

_MOST = 100
# Numbers that people read in hexadecimal.
_HEX = frozenset({"address", "start", "end"})


def cell(key: str, value: object) -> str:
    """One value as text; text from files is quoted where it could be mistaken."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:#010x}" if key in _HEX else str(value)
    if isinstance(value, (list, tuple)):
        return " ".join(cell(key, item) for item in value) or "-"
    text = str(value)
    return text if text.isprintable() and len(text) <= _MOST else plain_name(text, _MOST)


def pairs(facts: Mapping[str, Any]) -> list[str]:
    """Names and values, one a line."""
    width = max((len(key) for key in facts), default=0)
    return [f"{_title(key):<{width}}  {cell(key, value)}" for key, value in facts.items()]


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A head, then one line per row; numbers to the right."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    texts = [[cell(key, row.get(key)) for key in keys] for row in rows]
    right = [any(type(row.get(key)) is int for row in rows) for key in keys]
    widths = [max(len(line[place]) for line in ([_title(key) for key in keys], *texts)) for place in range(len(keys))]
    lines = [[_title(key) for key in keys], *texts]
    return ["  ".join(_aligned(line, widths, right)).rstrip() for line in lines]


def _aligned(line: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [
        text.rjust(width) if to_right else text.ljust(width)
        for text, width, to_right in zip(line, widths, right, strict=True)
    ]


def _title(key: str) -> str:
    return key.replace("_", " ")
