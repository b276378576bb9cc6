"""Real graphs with random constants: the reference agrees with fmot's Python runtime on every named value.

Where the specification leaves fmot's storage widths (32-bit wraps, C.5), the constants stay small enough to avoid them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from femtodriver.fqir.files.from_graphproto import adapt
from femtodriver.fqir.reference import Reference

FRAMES = 3
GRAPHS_PER_SEED = 40
BIGGEST_FILE = 300_000


def nodes_of(graph: Any) -> Iterator[Any]:
    for node in graph.nodes:
        yield node
        for body in (node.subgraphs or {}).values():
            yield from nodes_of(body)


def changed(key: str, value: Any, node: Any, rng: random.Random) -> Any:
    """Another legal value of a constant, or the same."""
    if key in ("shamts_vv", "shamts_vi"):
        return [rng.choice([shift, rng.randint(-40, 4)]) for shift in value]
    if key.startswith("shamt_") and value is not None:
        return rng.choice([value, rng.randint(-30, 2)])
    if key == "immediates_vi":
        return [rng.choice([item, rng.randint(-(1 << 20), 1 << 20)]) for item in value]
    if key == "bits_out":
        return [rng.randint(2, 17) for _ in value]
    if key in ("bw", "bw_out"):
        return rng.choice([4, 8, 12, 16])
    if key == "rounded":
        return rng.random() < 0.5
    if key in ("reverse_sliced", "reverse_concat"):
        return [rng.random() < 0.5 for _ in value]
    if key == "imm" or (key == "y" and node.opname in ("viadd", "vimul")):
        return rng.randint(-40000, 40000)
    if key == "k":
        return rng.randrange(node.constants["n"])
    return value


def mutate(graph: Any, rng: random.Random) -> None:
    for node in nodes_of(graph):
        for key, value in list(node.constants.items()):
            if rng.random() < 0.4:
                node.constants[key] = changed(key, value, node, rng)
        if node.opname == "gmac_v2":
            for tensor in node.inputs.values():
                tensor.dtype = rng.choice([tensor.dtype, tensor.dtype, "int24"])


def frame_of(tensors: list[Any], numbers: np.random.Generator) -> dict[str, Any]:
    return {tensor.name: numbers.integers(-127, 128, tuple(tensor.shape)) for tensor in tensors}


def first_difference(main: Any, numbers: np.random.Generator) -> str | None:
    """Runs a main graph in both, and names the first value that differs."""
    reference = Reference(adapt(main, "mutant"))
    external = {tensor.name for tensor in reference.network.inputs}
    frame, init = main.subgraphs.get("ARITH", main), main.subgraphs.get("INIT")
    table = init.run(return_objs=True)[-1] if init is not None else None
    for time in range(FRAMES):
        given = frame_of(frame.inputs, numbers)
        inputs = {name: value for name, value in given.items() if name in external}
        if table is not None:  # a state listed as an input keeps its value
            given |= {name: value for name, value in table.items() if name in given and name not in external}
        _, table = frame.run(*given.values(), return_dict=True, return_objs=True, state=table)
        if init is None:
            reference.reset()
        reference.step(inputs)
        for name, value in table.items():
            if not np.array_equal(value, reference.values[name]):
                return f"frame {time}: {name}"
        table = table if init is not None else None
    return None


@pytest.mark.slow
@pytest.mark.fmot
@pytest.mark.parametrize("seed", [1, 2])
def test_mutants_of_real_graphs_agree_with_fmot(corpus: Path, fmot: ModuleType, seed: int) -> None:
    torch = pytest.importorskip("torch")
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    paths = [path for path in sorted(corpus.glob("*/*/graph.pt")) if path.stat().st_size < BIGGEST_FILE]
    differences = {}
    for path in rng.sample(paths, GRAPHS_PER_SEED):
        main = torch.load(path, weights_only=False)
        mutate(main.subgraphs.get("ARITH", main), rng)
        differences[path.parent.name] = first_difference(main, numbers)
    assert {name: found for name, found in differences.items() if found} == {}
