"""What a terminal shows besides plain text: colour. Pipes and files get the text alone.

The package rich knows terminals: it obeys NO_COLOR and TERM=dumb. It is loaded only where there is a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_GOOD, _BAD = "green", "red"


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
