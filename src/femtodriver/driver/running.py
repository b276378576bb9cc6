"""Running the runners of a compiled model, and measuring the one that counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from femtodriver import __version__
from femtodriver.driver.program import Built
from femtodriver.errors import UsageError
from femtodriver.metrics import build_document
from femtodriver.runners import Material, Runner, check_names, create
from femtodriver.runners.compare import RunProgress, compare_runs
from femtodriver.runners.fasmir import FasmirRunner

Inputs = Mapping[str, npt.ArrayLike]
Result = dict[str, Any]
SIMULATOR = "fasmir"


def execute(name: str, inputs: Inputs, material: Material, progress: RunProgress | None) -> tuple[Result, Runner]:
    """Reset, run and finish one runner: (result, runner)."""
    runner = create(name, material)
    outputs, internals = compare_runs(inputs, [runner], progress=progress)
    single = {"compare_str": "Single Runner", "pass": "No Comparisons"}
    return {**single, "outputs": outputs, "internals": internals}, runner


def compare(
    names: Sequence[str],
    inputs: Inputs,
    material: Material,
    progress: RunProgress | None,
    tolerance: float | None = None,
) -> tuple[Result, dict[str, Runner]]:
    """Run at least two runners and compare each with the first: (comparison, runners by name)."""
    if len(check_names(names)) < 2:
        raise UsageError(f"compare: runners must be at least two, not {len(names)}; use execute_runner for one.")
    runners = {name: create(name, material) for name in names}
    status: Result = {}
    outputs, internals = compare_runs(
        inputs,
        list(runners.values()),
        with_internals=bool(material.debug_vars),
        except_on_error=False,
        error_tolerance=tolerance,
        compare_status=status,
        progress=progress,
        makers=_makers(material),
    )
    return {**status, "outputs": outputs, "internals": internals}, runners


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
