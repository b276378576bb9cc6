"""Values as cells of a CSV file that a spreadsheet reads as they are."""

from __future__ import annotations

PlainCell = bool | int | float | str | None


def spreadsheet_cell(value: PlainCell) -> str:
    """The shortest text that gives the number back; nothing for None.

    Text that a spreadsheet would take for a formula has an apostrophe before it, which is what people type there.
    """
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
