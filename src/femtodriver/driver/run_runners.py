"""Running the runners of a compiled model, and measuring the one that counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from femtodriver import __version__
from femtodriver.errors import UsageError
from femtodriver.metrics import build_document
from femtodriver.model.build_model import Built
from femtodriver.output.comparison_files import Recordings
from femtodriver.runners import Material, Runner, check_names, create
from femtodriver.runners.compare_runs import Comparison, RunProgress, check_tolerance, run_all
from femtodriver.runners.fasmir_runner import FasmirRunner
from femtodriver.runners.hardware_runner import FAKE, HardwareRunner

Inputs = Mapping[str, npt.ArrayLike]
Result = dict[str, Any]
SIMULATOR = "fasmir"


@dataclass(frozen=True, eq=False)
class Ran:
    """What runners did: the result for the caller, the runners by their requested names, and the comparison."""

    result: Result
    runners: Mapping[str, Runner]
    comparison: Comparison

    @property
    def recordings(self) -> Recordings:
        """The traffic with the board, else with its fake, else nothing."""
        for name in ("hw", FAKE):
            runner = self.runners.get(name)
            if isinstance(runner, HardwareRunner):
                return runner.ioplug.recordings
        return {}

    @property
    def spu_runner(self) -> HardwareRunner | None:
        """The last of the runners that has a board, or the fake of one."""
        boards = [runner for runner in self.runners.values() if isinstance(runner, HardwareRunner)]
        return boards[-1] if boards else None


def execute(name: str, inputs: Inputs, material: Material, progress: RunProgress | None) -> Ran:
    """Reset, run and finish one runner."""
    runner = create(name, material)
    found = run_all(inputs, [runner], progress=progress)
    single = {"compare_str": "Single Runner", "pass": "No Comparisons"}
    return Ran({**single, **_values(found)}, {name: runner}, found)


def compare(
    names: Sequence[str],
    inputs: Inputs,
    material: Material,
    progress: RunProgress | None,
    tolerance: float | None = None,
) -> Ran:
    """Run at least two runners and compare each with the first."""
    if len(check_names(names)) < 2:
        raise UsageError(f"compare: runners must be at least two, not {len(names)}; use execute_runner for one.")
    check_tolerance(tolerance)
    runners = {name: create(name, material) for name in names}
    found = run_all(
        inputs,
        list(runners.values()),
        with_internals=bool(material.debug_vars),
        error_tolerance=tolerance,
        progress=progress,
        makers=_makers(material),
    )
    return Ran({"pass": found.passed, "status_str": found.status, **_values(found)}, runners, found)


def settings(built: Built, material: Material, ran: Ran, seed: int | None) -> dict[str, Any]:
    """What ``comparison.yaml`` tells about the circumstances. ``seed``: of random inputs, else None."""
    device = material.device if "hw" in ran.runners else None
    return {
        "seed": seed,
        "model": built.model,
        "hardware": device.hardware if device else None,
        "hardware_address": device.address if device else None,
        "debug_variables": list(material.debug_vars),
    }


def _values(found: Comparison) -> Result:
    return {"outputs": dict(found.outputs), "internals": dict(found.internals)}


def _makers(material: Material) -> dict[str, str]:
    """The operator that makes each debug variable."""
    if not material.debug_vars or material.network is None:
        return {}
    nodes = enumerate(material.network.frame.nodes)
    return {out.name: f"operator {node.op or 'call'}, node {index}" for index, node in nodes for out in node.outputs}


def measured(runner: Runner, built: Built, input_period: float | None, seed: int | None) -> dict[str, object]:
    """The metrics document of what the simulator ran. ``seed``: of random inputs, else None."""
    if not isinstance(runner, FasmirRunner) or built.part is None:
        raise UsageError(f"metrics: the runner must be {SIMULATOR}, not {runner.name}.")
    compiler = built.told.compiler if built.told else {}
    tool = {
        "version": __version__,
        "native": False,
        "compiler_options": compiler.get("options", {}),
        "seed": seed,
    }
    return build_document(
        runner.report(), built.description, built.part, input_period_s=input_period, model=built.model, tool=tool
    )


def frames_run(result: Mapping[str, Any]) -> int:
    """Number of frames in a result."""
    return max((len(rows) for values in result["outputs"].values() for rows in values.values()), default=0)
