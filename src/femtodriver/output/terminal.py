"""What a terminal shows besides plain text: colour. Pipes and files get the text alone.

The package rich knows terminals: it obeys NO_COLOR and TERM=dumb. It is loaded only where there is a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_GOOD, _BAD = "green", "red"
_TABLE_EDGES = 2


def print_verdict(lines: Sequence[str], passed: bool) -> None:
    """Print the lines of a verdict."""
    print_coloured("\n".join(lines), _GOOD if passed else _BAD)


def print_coloured(text: str, colour: str) -> None:
    """Print a text; in that colour where standard output is a terminal that has colours."""
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console
    from rich.text import Text

    Console(file=sys.stdout, highlight=False).print(Text(text, colour), soft_wrap=True)


def terminal_width() -> int | None:
    """Characters in a line of a table on the terminal; None where standard output is none."""
    if not sys.stdout.isatty():
        return None
    from rich.console import Console

    return Console(file=sys.stdout).width - _TABLE_EDGES


def print_table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int], *, last_is_sum: bool = False
) -> None:
    """Print a table on the terminal; ``left``: the columns that are aligned to the left."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", padding=(0, 1, 0, 0))
    for place, name in enumerate(head):
        table.add_column(name, justify="left" if place in left else "right", no_wrap=True)
    for number, cells in enumerate(rows, start=1):
        table.add_row(*map(Text, cells), style="bold" if last_is_sum and number == len(rows) else None)
    Console(file=sys.stdout, highlight=False).print(table)
