"""Values as a CSV file that a spreadsheet reads as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

PlainCell = bool | int | float | str | None


def spreadsheet_text(head: Iterable[str], rows: Iterable[Iterable[PlainCell]]) -> str:
    """A CSV file: a line with the names of the columns, then one for each row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(map(spreadsheet_cell, row) for row in rows)
    return text.getvalue()


def spreadsheet_cell(value: PlainCell) -> str:
    """The shortest text that gives the number back; ``true`` or ``false``; nothing for None.

    Text that a spreadsheet would take for a formula has an apostrophe before it, which is what people type there.
    Characters that cannot be printed are escaped: readers stop at some, and others hide what follows.
    """
    if isinstance(value, str):
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in value)
        return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
