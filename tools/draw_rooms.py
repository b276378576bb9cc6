"""The drawing of the rooms in ``docs/architecture.md``, made from the imports in the source code.

``python tools/draw_rooms.py`` rewrites it; ``tests/house/test_drawing.py`` fails when it is out of date.

An arrow points from a room to one that it imports. An arrow that other arrows imply is left out: if ``cli`` reaches
``errors`` through ``driver``, no arrow from ``cli`` to ``errors`` is drawn. Imports for type checkers count too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "femtodriver"
PAGE = ROOT / "docs" / "architecture.md"
_BLOCK = re.compile(r"(<!-- drawing -->\n).*?(<!-- end of drawing -->)", re.DOTALL)
Rooms = Mapping[str, frozenset[str]]


def rooms() -> Rooms:
    """Each room of the package, and the rooms that it imports."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room not in ("__init__", "__main__"):
            found.setdefault(room, set()).update(_imported(ast.parse(path.read_text("utf-8"))))
    return {room: frozenset(targets & set(found)) - {room} for room, targets in sorted(found.items())}


def _imported(tree: ast.Module) -> Iterator[str]:
    """The rooms that a module imports, wherever the import is in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            top, *rest = node.module.split(".")
            if top == "femtodriver":
                yield from rest[:1] or (alias.name for alias in node.names)


def drawn(arrows: Rooms) -> Rooms:
    """The arrows without those that others imply. ValueError, naming the rooms, if arrows go round in a circle."""
    reach = {room: _reach(arrows, room) for room in arrows}
    circle = [room for room in arrows if room in reach[room]]
    if circle:
        raise ValueError(f"rooms import each other in a circle: {', '.join(circle)}")
    return {
        room: frozenset(target for target in targets if not any(target in reach[other] for other in targets))
        for room, targets in arrows.items()
    }


def _reach(arrows: Rooms, room: str) -> set[str]:
    """Every room that can be reached from a room by one arrow or more."""
    found: set[str] = set()
    waiting = list(arrows[room])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += arrows[one]
    return found


def drawing(arrows: Rooms) -> str:
    """The arrows as a Mermaid flowchart, from the command line down."""
    lines = [f"    {room} --> {target}" for room, targets in drawn(arrows).items() for target in sorted(targets)]
    return "\n".join(("```mermaid", "flowchart TD", *lines, "```", ""))


def redrawn(page: str) -> str:
    """The page with the drawing made anew. ValueError for a page without the marks that surround it."""
    if not _BLOCK.search(page):
        raise ValueError("the page must have the lines <!-- drawing --> and <!-- end of drawing -->")
    return _BLOCK.sub(lambda found: f"{found.group(1)}{drawing(rooms())}{found.group(2)}", page)


def main() -> int:
    """Rewrite the drawing in the page."""
    PAGE.write_text(redrawn(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
