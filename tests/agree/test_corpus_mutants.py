"""Real graphs with random constants: networks of real structure that no training would give.

For a longer run::

    python -m tests.agree.test_corpus_mutants 500     # that many graphs of ../shared/corpus
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from tests.agree.agreement import Outcome, checked
from tests.agree.random_graphs import random_frames, random_target
from tests.agree.random_numbers import Numbers

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
BIGGEST_FILE = 300_000
GRAPHS = 25


def mutated(network: Network, numbers: Numbers) -> Network:
    """The network with other shifts, widths, immediates, directions and initial states."""
    frame = _graph(network.frame, numbers)
    init = network.init
    if init is not None and numbers.chance(0.5):
        changed = tuple(_initial(tensor, numbers) for tensor in init.parameters)
        init = replace(init, parameters=changed)
    return replace(network, main=frame, frame=frame, init=init)


def _initial(tensor: Tensor, numbers: Numbers) -> Tensor:
    return replace(tensor, value=numbers.array(tensor.shape, min(tensor.bits or 16, 16)))


def _graph(graph: Graph, numbers: Numbers) -> Graph:
    return replace(graph, nodes=tuple(_node(node, numbers) for node in graph.nodes))


def _node(node: Node, numbers: Numbers) -> Node:
    changed = {
        key: _constant(key, value, node, numbers) if numbers.chance(0.3) else value
        for key, value in node.constants.items()
    }
    bodies = {branch: _graph(body, numbers) for branch, body in node.subgraphs.items()}
    return replace(node, constants=changed, subgraphs=bodies)


def _constant(key: str, value: Any, node: Node, numbers: Numbers) -> Any:
    if key in ("shamts_vv", "shamts_vi"):
        return tuple(numbers.pick([shift, numbers.shift()]) for shift in value)
    if key.startswith("shamt") and isinstance(value, int):
        return numbers.pick([value + numbers.integer(-2, 2), numbers.shift()])
    if key in ("bw", "bw_out"):
        return numbers.width()
    if key == "rounded":
        return not value
    if key in ("reverse_sliced", "reverse_concat"):
        return tuple(numbers.chance(0.5) for _ in value)
    if key == "imm" or (key == "y" and node.op in ("viadd", "vimul")):
        return numbers.immediate()
    return numbers.integer(0, node.constants["n"] - 1) if key == "k" else value


def legal(network: Network) -> bool:
    """Shifts may have left their range."""
    return all(-63 <= value <= 63 for value in _shifts(network))


def _shifts(network: Network) -> Iterator[int]:
    for _, node in network.frame.walk():
        yield from (value for key, value in node.constants.items() if key.startswith("shamt_") and value is not None)


def mutants(folder: Path, count: int) -> Iterator[tuple[str, Outcome]]:
    """Outcomes of so many mutants of the smaller graphs of the corpus."""
    paths = [path for path in sorted(folder.glob("*/*/graph.pt")) if path.stat().st_size < BIGGEST_FILE]
    for seed in range(count):
        path = paths[seed * 37 % len(paths)]
        network = mutated(load_network(path), Numbers(np.random.default_rng(seed)))
        if legal(network):
            target = random_target(seed)
            target = target if target.part.dm_bank_words > 1000 else random_target(1)
            yield f"{path.parent.name}, mutant {seed}", checked(network, random_frames(network, seed, 2), target)


@pytest.mark.slow
def test_mutants_of_real_graphs_are_computed_alike(corpus: Path) -> None:
    outcomes = dict(mutants(corpus, GRAPHS))
    assert {name: outcome for name, outcome in outcomes.items() if outcome.wrong} == {}
    kinds: Mapping[str, int] = Counter(outcome.kind for outcome in outcomes.values())
    assert kinds["capacity"] + kinds["unsupported"] <= len(outcomes) // 5


if __name__ == "__main__":
    table: Counter[str] = Counter()
    for name, outcome in mutants(CORPUS, int(sys.argv[1])):
        table[outcome.kind] += 1
        if not outcome.kind.startswith("exact"):
            print(f"{name}: {outcome.kind}: {outcome.detail}"[:300], flush=True)
    print(dict(table))
