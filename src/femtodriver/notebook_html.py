"""Short tables of HTML, for what a notebook shows of our objects. Texts of others are escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from femtodriver.safe_text import short_line

_MOST = 200


def html_facts(title: str, facts: Mapping[str, object]) -> str:
    """A title, and a row for each fact."""
    return html_table(title, (), facts.items())


def html_table(title: str, head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A title, the heads of the columns if there are any, and rows of cells; the first cell of a row is its head."""
    lines = [f"<p><b>{_cell(title)}</b></p>", "<table>"]
    if head:
        lines.append(f"<thead><tr>{''.join(f'<th>{_cell(text)}</th>' for text in head)}</tr></thead>")
    lines.append("<tbody>")
    for first, *others in rows:
        cells = "".join(f"<td>{_cell(text)}</td>" for text in others)
        lines.append(f'<tr><th style="text-align:left">{_cell(first)}</th>{cells}</tr>')
    return "\n".join([*lines, "</tbody>", "</table>"])


def _cell(value: object) -> str:
    return html.escape(short_line(str(value), _MOST))
