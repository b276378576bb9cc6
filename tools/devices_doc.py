"""The tables of ``docs/devices.md``, made from the code. The prose around them is written by hand.

``python tools/devices_doc.py`` rewrites them in place. A table stands between the lines ``<!-- table: NAME -->`` and
``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from femtodriver.device.boards import boards_table
from femtodriver.device.runner_arguments import BY_PLACE, REFERENCE_NAMES

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "devices.md"
_MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def arguments_table() -> str:
    """The names of the reference's constructor, and what becomes of each."""
    lines = ["| name | what becomes of it |", "|---|---|"]
    for name, row in REFERENCE_NAMES.items():
        becomes = f"`{row.becomes}`" if row.becomes else "nothing"
        told = f"; a warning says that it has no effect: {row.told}" if row.told else ""
        place = f" ({BY_PLACE.index(name) + 1})" if name in BY_PLACE else ""
        lines.append(f"| `{name}`{place} | {becomes}{told} |")
    return "\n".join(lines) + "\n"


TABLES: Mapping[str, Callable[[], str]] = {
    "boards": boards_table,
    "arguments": arguments_table,
}


def refreshed(text: str) -> str:
    """``text`` with every table made new."""
    return _MARK.sub(lambda found: f"{found.group(1)}\n{TABLES[found.group(2)]()}\n{found.group(3)}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(refreshed(DOCUMENT.read_text("utf-8")), "utf-8")
