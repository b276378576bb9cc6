"""A script that completes our command line in a shell, made by shtab from the parsers of the command and subcommands.

An option completes to the words that it takes, to files, or to folders: from its row in the table of options. Models,
parts, boards and runners are completed by functions of the shell, which stand before what shtab makes.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from femtodriver.cli.main_options import build_parser
from femtodriver.cli.subcommands import SUBCOMMANDS
from femtodriver.errors import UsageError
from femtodriver.options.option import Option
from femtodriver.options.option_parser import OptionParser
from femtodriver.options.value_kinds import BASH, FISH, ZSH

PROGRAM = "femtodrive"
MISSING = "completion: the package shtab must be installed; pip install 'open-femtodriver[completion]' brings it."
OTHER_ENDINGS = (".zip", ".femto", ".py")  # of programs, and of Python files with a module of PyTorch
LOOPBACK = "LOOPBACK"
_FILE_METAVARS = ("FILE", "PATH", "CSV", "A", "B")

Completion = Mapping[str, str]  # what stands for the value of an option, in each shell


def completion_script(shell: str) -> str:
    """The script for bash, zsh or fish. UsageError without shtab."""
    try:
        import shtab
    except ImportError:
        raise UsageError(MISSING) from None
    parser = _whole_parser()
    for one in (parser, *_subparsers(parser)):
        for action in one._actions:
            _complete(action, getattr(action, "row", None), shtab)
    functions = _functions(shell)
    if shell == FISH:  # where shtab's part begins by forgetting what there was
        return f"{shtab.complete(parser, shell)}\n{functions}"
    script: str = shtab.complete(parser, shell, preamble={shell: functions})
    return script


def _whole_parser() -> OptionParser:
    """The parser of the main command, in which the first word is a subcommand; shell functions add the models."""
    parser = build_parser()
    parser._actions[:] = [action for action in parser._actions if action.dest != "model"]
    make: Any = lambda prog, **_: SUBCOMMANDS[prog.split()[-1]].parser()  # noqa: E731
    commands = parser.add_subparsers(prog=PROGRAM, parser_class=make)
    commands.nargs = None  # one word: what follows a model is no subcommand
    for name, row in SUBCOMMANDS.items():
        commands.add_parser(name, help=row.summary)
    return parser


def _subparsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return list(commands.choices.values())


def _complete(action: Any, row: Option | None, shtab: Any) -> None:
    """Tell shtab what the value of an option may be."""
    if row is None or action.nargs == 0:
        return
    if chosen := _CHOSEN.get(row.name):
        action.complete = chosen
    elif row.kind.words:
        action.choices = row.kind.words
    elif row.metavar == "DIR":
        action.complete = shtab.DIRECTORY
    elif row.metavar in _FILE_METAVARS:
        action.complete = shtab.FILE


def _of_function(name: str) -> Completion:
    return {BASH: f"_femtodrive_{name}", ZSH: f"_femtodrive_{name}", FISH: f"(_femtodrive_{name})"}


# Options whose values a function of the shell knows.
_CHOSEN: Mapping[str, Completion] = {
    "model": _of_function("model_file"),
    "hw_config": _of_function("part_file"),
    "runners": _of_function("runners"),
    "hardware": _of_function("boards"),
}


def _functions(shell: str) -> str:
    """The functions of the shell, with the names that stand in our tables."""
    text = files("femtodriver.cli").joinpath(f"completion_functions.{shell}").read_text("utf-8")
    for name, words in _names().items():
        text = text.replace(f"@{name}@", shlex.join(words))
    return text


def _names() -> dict[str, tuple[str, ...]]:
    """What the functions of the shells offer."""
    from femtodriver.device.boards import BOARDS
    from femtodriver.model.network_formats import NETWORK_FORMATS
    from femtodriver.part import part_names
    from femtodriver.runners.runner_table import RUNNERS

    return {
        "MODELS": (LOOPBACK,),
        "SUBCOMMANDS": tuple(SUBCOMMANDS),
        "ENDINGS": tuple(ending[1:] for ending in (*NETWORK_FORMATS, *OTHER_ENDINGS)),
        "PARTS": part_names(),
        "RUNNERS": tuple(RUNNERS),
        "BOARDS": tuple(BOARDS),
    }
