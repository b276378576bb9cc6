"""Runners by name: a runner exists because its row is in this table.

To add one: a module with the runner and a function that makes it, and a row here. Names of the command line, help text
and documents follow from the row. Modules are loaded when a runner is made, so that the help text need not wait for
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from femtodriver.errors import UsageError

if TYPE_CHECKING:
    from femtodriver.model.build_model import Built
    from femtodriver.options.runner_requests import RunnerRequest
    from femtodriver.runners.runner import Runner


class Maker(Protocol):
    """Makes a runner of a model.

    ``model``: as ``for_runners`` gives it. ``records_dir``: where recordings go that the runner is told to write.
    UsageError or ProgramError where this model, or the request, does not have what the runner needs.
    """

    def __call__(self, model: Built, request: RunnerRequest, records_dir: Path | None) -> Runner: ...


@dataclass(frozen=True)
class RunnerRow:
    """One runner: its name, what it is in a line, the module that makes it, and the function there."""

    name: str
    summary: str
    module: str
    function: str

    @property
    def maker(self) -> Maker:
        """The function that makes the runner."""
        return cast(Maker, getattr(import_module(f"femtodriver.runners.{self.module}"), self.function))


_ROWS = (
    RunnerRow("fqir", "the network's own integer arithmetic: the reference", "fqir_runner", "make_fqir"),
    RunnerRow("fmir", "the mapped network, the compiler's intermediate form", "fmir_runner", "make_fmir"),
    RunnerRow(
        "fasmir",
        "the encoded program on the simulated machine; writes metrics.yaml and metrics.txt too",
        "fasmir_runner",
        "make_fasmir",
    ),
    RunnerRow(
        "femtocrux",
        "the network in the vendor's simulator, in its container (docs/femtocrux.md)",
        "femtocrux_runner",
        "make_femtocrux",
    ),
    RunnerRow("dummy", "replays --dummy-output-file", "dummy_runner", "make_dummy"),
    RunnerRow(
        "hw",
        "the program on a board: --hardware says which (`femtodrive board` serves a virtual one)",
        "hardware_runner",
        "make_hw",
    ),
    RunnerRow("fakehw", "no board: made-up outputs, for a look at the traffic", "hardware_runner", "make_fakehw"),
)
RUNNERS: Mapping[str, RunnerRow] = {row.name: row for row in _ROWS}


def create(name: str, model: Built, request: RunnerRequest, records_dir: Path | None = None) -> Runner:
    """The runner of that name. UsageError for an unknown one, or one that this model cannot have."""
    check_names([name])
    return RUNNERS[name].maker(model, request, records_dir)


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names, if all of them are runners and each comes once; else UsageError."""
    for place, name in enumerate(names):
        if name not in RUNNERS:
            raise UsageError(f"runner: must be one of {', '.join(RUNNERS)}, not {name!r:.60}.")
        if name in names[:place]:
            raise UsageError(f"runners: each must be named once, not {name!r} twice.")
    return tuple(names)
