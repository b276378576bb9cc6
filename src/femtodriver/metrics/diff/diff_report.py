"""A comparison of two metrics documents as text, as GitHub-flavoured Markdown, and as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from femtodriver.metrics.diff.diff_tables import DiffTable, diff_tables
from femtodriver.metrics.diff.document_diff import Change, DocumentDiff, RowsDiff
from femtodriver.metrics.text_cells import name_text, table_lines

SCHEMA = "femtodriver-diff/1"
_PATH_WIDTH = 100
_FOLDED = 12  # longer tables of a Markdown report are folded


def diff_report(found: DocumentDiff, names: tuple[str, str], form: str = "text") -> str:
    """The comparison as ``text``, ``markdown`` or ``json``; ``names``: what A and B are called, usually their paths."""
    return FORMATS[form](found, names)


def _text(found: DocumentDiff, names: tuple[str, str]) -> str:
    sources = [f"{mark}  {line}" for mark, line in zip("AB", _sources(found, names), strict=True)]
    blocks = [[*sources, *found.notes]]
    for table in diff_tables(found):
        lines = [table.title]
        if table.rows:
            lines += table_lines(table.head, table.rows, left=table.left)
        blocks.append([*lines, *(f"  {note}" for note in table.notes)])
    return "\n\n".join("\n".join(block) for block in [*blocks, [_verdict(found)]])


def _markdown(found: DocumentDiff, names: tuple[str, str]) -> str:
    blocks = [f"**{_verdict(found)}**"]
    sources = [f"{mark}: {line}" for mark, line in zip("AB", _sources(found, names), strict=True)]
    blocks.append("\n".join(f"* {_plain(line)}" for line in (*sources, *found.notes)))
    for table in diff_tables(found):
        body = "\n".join(_markdown_table(table)) if table.rows else ""
        notes = "\n".join(_plain(note) for note in table.notes)
        inside = "\n\n".join(filter(None, (body, notes)))
        if table.detail and len(table.rows) > _FOLDED:
            blocks.append(f"<details><summary>{table.title}</summary>\n\n{inside}\n\n</details>")
        else:
            blocks.append(f"#### {table.title}\n\n{inside}")
    return "\n\n".join(blocks)


def _markdown_table(table: DiffTable) -> list[str]:
    rule = ["---" if place in table.left else "---:" for place in range(len(table.head))]
    lines = [[_plain(cell) for cell in row] for row in (table.head, *table.rows)]
    return [f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]]]


def _plain(text: str) -> str:
    """The text as Markdown shows it: nothing in it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#~$@&])", r"\\\1", text)


def _sources(found: DocumentDiff, names: tuple[str, str]) -> list[str]:
    return [f"{name_text(name, _PATH_WIDTH)} ({schema})" for name, schema in zip(names, found.schemas, strict=True)]


def _verdict(found: DocumentDiff) -> str:
    unknown = sum(verdict.measured is None for verdict in found.verdicts)
    exceeded = sum(not verdict.kept for verdict in found.verdicts) - unknown
    if exceeded or unknown:
        told = {"exceeded": exceeded, "cannot be judged": unknown}
        return f"limits: {', '.join(f'{count} {state}' for state, count in told.items() if count)}"
    difference = "nothing differs" if found.equal else "the documents differ"
    return f"{difference}; all limits are kept" if found.verdicts else difference


def _json(found: DocumentDiff, names: tuple[str, str]) -> str:
    sides = zip(("before", "after"), names, found.schemas, strict=True)
    document = {
        "schema": SCHEMA,
        **{side: {"name": name, "schema": schema} for side, name, schema in sides},
        "equal": found.equal,
        "kept": found.kept,
        "notes": list(found.notes),
        "settings": [_change(change) for change in found.settings],
        "figures": [{**_change(change), "unit": figure.unit} for figure, change in found.figures],
        "cores": _rows(found.cores),
        "memories": _rows(found.memories),
        "layers": _rows(found.layers),
        "limits": [
            {
                "limit": verdict.limit.text,
                "subject": verdict.subject or None,
                "measured": _finite(verdict.measured),
                "kept": verdict.kept,
            }
            for verdict in found.verdicts
        ],
    }
    return json.dumps(document, indent=2)


def _change(change: Change) -> dict[str, Any]:
    return {
        "name": change.what,
        "before": _finite(change.before),
        "after": _finite(change.after),
        "change": change.ratio,
        "redefined": change.redefined,
    }


def _rows(found: RowsDiff) -> dict[str, Any]:
    rows = [
        {"name": row.name, "state": row.state, "changes": [_change(change) for change in row.changes]}
        for row in found.rows
    ]
    return {"equal": found.equal, "rows": rows}


def _finite(value: Any) -> Any:
    """JSON has no number for what is infinite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


FORMATS: Mapping[str, Callable[[DocumentDiff, tuple[str, str]], str]] = {
    "text": _text,
    "markdown": _markdown,
    "json": _json,
}
