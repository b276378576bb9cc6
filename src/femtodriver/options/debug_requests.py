"""How much is told."""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.options.option import option
from femtodriver.options.value_kinds import SWITCH


@dataclass(frozen=True, kw_only=True, eq=False)
class DebugRequest:
    """How much is logged."""

    debug: bool = option(False, kind=SWITCH, help="log everything, and show the tracebacks of errors")
