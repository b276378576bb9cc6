"""The tables of ``docs/energy.md`` that follow from the code. The prose around them is written by hand.

``python tools/energy_doc.py`` rewrites them in place. A table stands between the lines ``<!-- table: NAME -->`` and
``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from femtodriver.metrics.energy import UNITS, load_table
from femtodriver.metrics.events import CHARGES, ROWS_WITHOUT_EVENT

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "energy.md"
_MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rows_table() -> str:
    """Every row of the energy table: figures, what is charged to it, kind, source."""
    events = {charge.row: event for event, charge in CHARGES.items()}
    lines = [
        "| row | what | low / typical / high | scales | charged by | kind | source |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in load_table().rows.items():
        figures = " / ".join(
            f"{figure / UNITS[row.unit]:.4g}" for figure in (row.value.low, row.value.typical, row.value.high)
        )
        user = f"`{events[name]}`" if name in events else ROWS_WITHOUT_EVENT[name].partition(":")[0]
        cells = (f"`{name}`", row.meaning, f"{figures} {row.unit}", row.scaling, user, row.kind, row.source)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


TABLES: Mapping[str, Callable[[], str]] = {"rows": rows_table}


def refreshed(text: str) -> str:
    """``text`` with every table made new."""
    return _MARK.sub(lambda found: f"{found.group(1)}\n{TABLES[found.group(2)]()}\n{found.group(3)}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(refreshed(DOCUMENT.read_text("utf-8")), "utf-8")
