"""What a subcommand is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from femtodriver.options.option import AnyRequest


@dataclass(frozen=True)
class Command:
    """The options are those of ``request``; ``work`` gets a request and gives the exit status.

    ``about``: what follows the options in the help text. ``examples``: commands, which it ends with.
    """

    request: type[AnyRequest]
    about: str
    work: Callable[[Any], int]
    examples: tuple[str, ...] = ()


def help_end(about: str, examples: Sequence[str]) -> str:
    """What follows the options in a help text."""
    return "\n".join([about, *(["", "examples"] if examples else []), *(f"  {line}" for line in examples)])
