"""The table of a run over the corpus, as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tests.corpus.corpus_check import EXACT, REFUSED, WRONG, Row

_HEAD = ("graph", "nodes", "load s", "compile s", "cycles/frame", "cores", "instructions", "DM bytes")
_NEED = re.compile(r"\b(?:hold|needs?)\b\D*(\d+)\b.*?\bhas (\d+)\b", re.DOTALL)


def table_text(rows: Sequence[Row], listed: str = "zoo/") -> str:
    """Totals; every graph that is refused or wrong, with the reason; sizes of those whose name starts ``listed``."""
    lines = [totals(rows)]
    for verdict in (WRONG, REFUSED):
        lines += [f"{verdict}: {row.name}: {row.kind}: {row.reason}" for row in rows if row.verdict == verdict]
    lines += [f"note: {row.name}: {row.note}" for row in rows if row.note]
    shown = [row for row in rows if row.verdict == EXACT and row.name.startswith(listed)]
    if shown:
        lines += ["", *_columns([_HEAD, *map(_cells, shown)])]
    return "\n".join(lines) + "\n"


def totals(rows: Sequence[Row]) -> str:
    """One line: graphs, exact, refused, wrong; what was compared; how long compiling took."""
    count = {verdict: sum(row.verdict == verdict for row in rows) for verdict in (EXACT, REFUSED, WRONG)}
    slowest = max(rows, key=lambda row: row.compile_s, default=Row("none", EXACT))
    return (
        f"{len(rows)} graphs: {count[EXACT]} exact, {count[REFUSED]} refused, {count[WRONG]} wrong "
        f"(fqir = fmir = fasmir = stored, {sum(row.frames for row in rows)} frames "
        f"in {sum(row.cases for row in rows)} cases). "
        f"Compile time: {sum(row.compile_s for row in rows):.1f} s in all, "
        f"at most {slowest.compile_s:.2f} s ({slowest.name})."
    )


def truly_too_large(row: Row) -> bool:
    """Whether a refusal is a CapacityError whose sentence shows that more is needed than the part has."""
    found = _NEED.search(row.reason)
    return row.kind == "CapacityError" and found is not None and int(found.group(1)) > int(found.group(2))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        str(row.nodes),
        f"{row.load_s:.3f}",
        f"{row.compile_s:.3f}",
        f"{row.cycles:.1f}",
        str(row.cores),
        str(row.instructions),
        str(row.dm_bytes),
    )


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows with the first column left and the others right aligned."""
    cells = list(rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in cells
    ]
