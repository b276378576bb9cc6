"""Subcommands: the first word of the command line when it is one of these names. One row each.

To add one: a request class in ``options/`` with its options, a module that has a ``Command`` with a function that does
the work and gives the exit status (heavy imports inside), and a row below; CONTRIBUTING.md has the recipe. Modules and
options of a subcommand are loaded when it is the one that is wanted. A subcommand hides a model of the same name:
``./inspect`` is the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from femtodriver.cli.command_kind import Command, help_end
from femtodriver.options.option_parser import OptionParser


@dataclass(frozen=True)
class Subcommand:
    """One row. ``module`` (of this folder) has the ``Command``, called like the subcommand in capitals."""

    name: str
    summary: str
    module: str

    @property
    def command(self) -> Command:
        """Its options and its work."""
        found: Command = getattr(import_module(f"femtodriver.cli.{self.module}"), self.name.upper())
        return found

    def parser(self) -> OptionParser:
        """The parser of the words after the name."""
        command = self.command
        description = f"{self.summary[0].upper()}{self.summary[1:]}."
        return OptionParser(
            f"femtodrive {self.name}", command.request, description, help_end(command.about, command.examples)
        )


_ROWS = (
    Subcommand("evaluate", "run a model on every clip of a data set, and sum up", "evaluate_command"),
    Subcommand("board", "serve a virtual board, which runs programs like a real one", "board_command"),
    Subcommand("import", "write a network as .fqir, a file that needs neither pickle nor fmot", "import_command"),
    Subcommand("inspect", "show what any program, image, recording or network file holds", "inspect_commands"),
    Subcommand("disasm", "print the instructions of a program for the open SPU", "inspect_commands"),
    Subcommand("diff", "compare two metrics documents, and fail beyond limits", "metrics_commands"),
    Subcommand(
        "sweep", "measure a model on several parts, at several clocks, with several options", "metrics_commands"
    ),
    Subcommand("devices", "list the boards that are connected over USB", "diagnosis_commands"),
    Subcommand(
        "completion", "print a script that completes commands, options and files in a shell", "completion_command"
    ),
    Subcommand("doctor", "say what this installation can do, and what to do next", "diagnosis_commands"),
)
SUBCOMMANDS: Mapping[str, Subcommand] = {row.name: row for row in _ROWS}


def listing() -> str:
    """One line per subcommand, for the help of the main command."""
    width = max(map(len, SUBCOMMANDS))
    return "\n".join(f"  {row.name:<{width}}  {row.summary}" for row in SUBCOMMANDS.values())
