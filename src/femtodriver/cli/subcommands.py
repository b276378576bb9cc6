"""Subcommands: the first word of the command line when it is one of these names. One row each.

To add one: a request class in ``options/`` with its options, a function that does the work and gives the exit status
(heavy imports inside), and a row below; CONTRIBUTING.md has the recipe. A subcommand hides a model of the same name:
``./inspect`` is the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from femtodriver.cli.board_command import EPILOG as ABOUT_BOARD
from femtodriver.cli.board_command import board
from femtodriver.cli.diagnosis_commands import ABOUT_DEVICES, ABOUT_DOCTOR, devices, doctor
from femtodriver.cli.evaluate_command import ABOUT_EVALUATE, evaluate
from femtodriver.cli.inspect_commands import ABOUT_DISASM, ABOUT_INSPECT, disasm, inspect
from femtodriver.cli.metrics_commands import ABOUT_DIFF, ABOUT_SWEEP, diff, sweep
from femtodriver.options.board_requests import BoardRequest
from femtodriver.options.diagnosis_requests import DevicesRequest, DoctorRequest
from femtodriver.options.evaluate_requests import EvaluateCommandRequest
from femtodriver.options.inspect_requests import DisasmRequest, InspectRequest
from femtodriver.options.metrics_requests import DiffRequest
from femtodriver.options.option import AnyRequest
from femtodriver.options.option_parser import OptionParser
from femtodriver.options.sweep_requests import SweepRequest


@dataclass(frozen=True)
class Subcommand:
    """One row: the options are those of ``request``; ``work`` gets a request and gives the exit status."""

    name: str
    summary: str
    about: str
    request: type[AnyRequest]
    work: Callable[[Any], int]

    def parser(self) -> OptionParser:
        """The parser of the words after the name."""
        description = f"{self.summary[0].upper()}{self.summary[1:]}."
        return OptionParser(f"femtodrive {self.name}", self.request, description, self.about)


_ROWS = (
    Subcommand(
        "evaluate",
        "run a model on every clip of a data set, and sum up",
        ABOUT_EVALUATE,
        EvaluateCommandRequest,
        evaluate,
    ),
    Subcommand("board", "serve a virtual board, which runs programs like a real one", ABOUT_BOARD, BoardRequest, board),
    Subcommand(
        "inspect",
        "show what any program, image, recording or network file holds",
        ABOUT_INSPECT,
        InspectRequest,
        inspect,
    ),
    Subcommand("disasm", "print the instructions of a program for the open SPU", ABOUT_DISASM, DisasmRequest, disasm),
    Subcommand("diff", "compare two metrics documents, and fail beyond limits", ABOUT_DIFF, DiffRequest, diff),
    Subcommand(
        "sweep",
        "measure a model on several parts, at several clocks, with several options",
        ABOUT_SWEEP,
        SweepRequest,
        sweep,
    ),
    Subcommand("devices", "list the boards that are connected over USB", ABOUT_DEVICES, DevicesRequest, devices),
    Subcommand("doctor", "say what this installation can do, and what to do next", ABOUT_DOCTOR, DoctorRequest, doctor),
)
SUBCOMMANDS: Mapping[str, Subcommand] = {row.name: row for row in _ROWS}


def listing() -> str:
    """One line per subcommand, for the help of the main command."""
    return "\n".join(f"  {row.name:<9} {row.summary}" for row in SUBCOMMANDS.values())
