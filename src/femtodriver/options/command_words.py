"""A request as the command that repeats it. Absolute paths, which belong to one machine, are cut to the file's name."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from femtodriver.options.option import AnyRequest, Option, given_options

PROGRAM = "femtodrive"


def command_text(model: str, runners: Sequence[str], request: AnyRequest, more: Sequence[str] = ()) -> str:
    """The command line for a model (its path or name), these runners, the options that were given, and ``more`` words.

    Values that no command line can hold, such as arrays, are left out; ``values_of_python`` names them.
    """
    words = [PROGRAM, shown_file(model), *(("--runners", ",".join(runners)) if runners else ()), *more]
    for option in _of_the_command_line(request):
        words += _words(option, getattr(request, option.name)) or ()
    return shlex.join(words)


def values_of_python(request: AnyRequest) -> list[str]:
    """The names of options whose values no command line can hold."""
    return [
        option.name for option in _of_the_command_line(request) if _words(option, getattr(request, option.name)) is None
    ]


def shown_file(path: str | os.PathLike[str]) -> str:
    """A path as it was given, or the name of the file alone if it is absolute."""
    text = os.fspath(path)
    return PurePath(text).name if PurePath(text).is_absolute() else text


def _of_the_command_line(request: AnyRequest) -> Iterator[Option]:
    return (option for option in given_options(request) if option.flags and option.name != "runners")


def _words(option: Option, value: Any) -> list[str] | None:
    """The words of one option; None for a value that has none."""
    flag = option.flags[0]
    if value is True:
        return [flag]
    if option.repeated:
        pairs = (
            [f"{name}={str(chosen).lower()}" for name, chosen in value.items()]
            if isinstance(value, Mapping)
            else list(value)
        )
        return [word for pair in pairs for word in (flag, pair)]
    text = _text(value)
    return None if text is None else [flag, text]


def _text(value: Any) -> str | None:
    if isinstance(value, (str, os.PathLike)):
        return shown_file(value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, int)) for item in value):
        return ",".join(map(str, value))
    return None
