"""Renews the tables of docs/compiler.md from the code: the stages of the compiler, and its options.

``python tools/compiler_doc.py docs/compiler.md`` rewrites the file; with ``--check`` it only says whether it is current
(exit code 1 if not).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from femtodriver.compiler.compiler_options import documentation
from femtodriver.compiler.passes.pass_order import PASSES

COMMAND = "python tools/compiler_doc.py docs/compiler.md"
_MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_BEFORE_PASSES = (
    ("fqir", "The network as it was loaded.", "fqir/graph_text.py"),
    ("lowered", "FMIR straight from the operators.", "frontend/lower_network.py"),
)
_AFTER_PASSES = (
    ("placed", "Operations and values have a core; messages join the cores.", "placement/place_on_cores.py"),
    ("program", "FASMIR: threads of instructions per core.", "backend/allocate.py`, `backend/build_threads.py"),
)


def stages() -> str:
    """Every stage in order, with what it achieves and where it is made."""
    placement, program = _AFTER_PASSES
    rows = [*_BEFORE_PASSES, *_passes(placed=False), placement, *_passes(placed=True), program]
    return _table(("stage", "what holds afterwards", "module"), [(f"`{a}`", b, f"`{c}`") for a, b, c in rows])


def _passes(*, placed: bool) -> list[tuple[str, str, str]]:
    return [(entry.name, entry.doc, f"passes/{entry.run.__name__}.py") for entry in PASSES if entry.placed == placed]


def options() -> str:
    """Every option with its default and meaning."""
    rows = [(f"`{name}`", default, meaning) for name, (default, meaning) in documentation().items()]
    return _table(("option", "default", "meaning"), rows)


TABLES = {"stages": stages, "options": options}


def refreshed(text: str) -> str:
    """The document with its marked tables made anew; KeyError for a table that does not exist."""
    return _MARK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", text)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write or check the file; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing, only say whether the file is current")
    chosen = parser.parse_args(arguments)
    text = chosen.file.read_text("utf-8")
    if not chosen.check:
        chosen.file.write_text(refreshed(text), "utf-8")
        return 0
    current = refreshed(text) == text
    if not current:
        print(f"{chosen.file} is not what the code says; make it anew with: {COMMAND}", file=sys.stderr)
    return int(not current)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
