"""The options of ``femtodrive completion``."""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.options.option import option
from femtodriver.options.value_kinds import SHELL


@dataclass(frozen=True, kw_only=True, eq=False)
class CompletionRequest:
    """What ``femtodrive completion`` takes."""

    shell: str = option(kind=SHELL, positional=True, metavar="SHELL", help="bash, zsh or fish")
