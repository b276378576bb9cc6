"""Subcommands: the first word of the command line when it is one of these names. One row each.

To add one: a function that adds its options to a parser, a function that does the work and gives the exit status
(heavy imports inside), and a row below. Names of subcommands hide models of the same name; ``./inspect`` is the model.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import NamedTuple

from femtodriver.cli.board_command import add_board, board
from femtodriver.cli.inspect_commands import add_disasm, add_inspect, disasm, inspect


class Subcommand(NamedTuple):  # a dataclass would cost the help text 10 ms of imports
    """One row: ``options`` adds to the parser, ``work`` gets its result and gives the exit status."""

    name: str
    summary: str
    options: Callable[[argparse.ArgumentParser], None]
    work: Callable[[argparse.Namespace], int]

    def parser(self) -> argparse.ArgumentParser:
        """The parser of the words after the name."""
        parser = argparse.ArgumentParser(
            prog=f"femtodrive {self.name}",
            description=f"{self.summary[0].upper()}{self.summary[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--debug", action="store_true", help="log everything, and show tracebacks of errors")
        self.options(parser)
        return parser


_ROWS = (
    Subcommand("board", "serve a virtual board, which runs programs as a real one does", add_board, board),
    Subcommand("inspect", "show what any program, image, recording or network file holds", add_inspect, inspect),
    Subcommand("disasm", "print the instructions of a program for the open SPU", add_disasm, disasm),
)
SUBCOMMANDS: Mapping[str, Subcommand] = {row.name: row for row in _ROWS}


def listing() -> str:
    """One line per subcommand, for the help of the main command."""
    return "\n".join(f"  {row.name:<8} {row.summary}" for row in SUBCOMMANDS.values())
