"""What a subcommand is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from femtodriver.options.option import AnyRequest


@dataclass(frozen=True)
class Command:
    """The options are those of ``request``; ``work`` gets a request and gives the exit status.

    ``about``: what follows the options in the help text.
    """

    request: type[AnyRequest]
    about: str
    work: Callable[[Any], int]
