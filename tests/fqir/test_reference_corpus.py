"""Every graph of the corpus, every stored case, every frame: the reference gives the stored integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.lint import remarks
from femtodriver.fqir.reference import Reference

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "corpus"
GRAPHS = sorted(path.parent.relative_to(FOLDER) for path in FOLDER.glob("*/*/graph.pt"))
CASES = ("", "_rand", "_small", "_test")

# Two hand-made graphs of fmot's tests declare shapes that are not those of their values.
UNTRUE_SHAPES = {
    "0093_cpp_runtime__test_cpp_backend_split_batched_last_dim_matches_expected",
    "0117_single_ops__test_stack",
}


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        return dict(stored)


def first_difference(reference: Reference, inputs: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> str | None:
    stateless = reference.network.init is None
    reference.reset()
    for time in range(len(next(iter(wanted.values())))):
        if stateless:
            reference.reset()
        results = reference.step({name: values[time] for name, values in inputs.items()})
        if results.keys() != wanted.keys():
            return f"outputs {sorted(results)}"
        for name, values in wanted.items():
            if results[name].shape != values[time].shape or not np.array_equal(results[name], values[time]):
                return f"frame {time} of {name}: {results[name]}, not {values[time]}"
    return None


def test_the_corpus_is_complete(corpus: Path) -> None:
    assert corpus == FOLDER
    assert len(GRAPHS) == 239


@pytest.mark.parametrize("name", GRAPHS, ids=str)
def test_every_frame_of_every_case(corpus: Path, name: Path) -> None:
    reference = Reference(load_network(corpus / name / "graph.pt"))
    cases = [case for case in CASES if (corpus / name / f"inputs{case}.npz").is_file()]
    found = {
        case: first_difference(
            reference, arrays(corpus / name / f"inputs{case}.npz"), arrays(corpus / name / f"outputs{case}.npz")
        )
        for case in cases
    }
    assert cases
    assert set(found.values()) == {None}, found


@pytest.mark.parametrize("name", GRAPHS, ids=str)
def test_real_graphs_give_no_cause_for_remarks(corpus: Path, name: Path) -> None:
    found = remarks(load_network(corpus / name / "graph.pt"))
    assert bool(found) == (name.name in UNTRUE_SHAPES), found
