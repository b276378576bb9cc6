"""Random models, and models beside boundaries: our executors and the runtime's kernels agree on every tensor."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from femtodriver.errors import ModelError
from femtodriver.fqir.reference import Reference
from femtodriver.tflite.import_network import import_network
from femtodriver.tflite.read_model import read_model
from tests.agree.agreement import EXACT, SHARED
from tests.tflite.boundary_models import pair_model, weighted_model
from tests.tflite.compared_runs import agreed, compared
from tests.tflite.litert_judge import Kernels, needs_judge
from tests.tflite.mutants import mutant
from tests.tflite.random_models import random_model

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
PAIRS = ("ADD", "SUB", "MUL")


@needs_judge
@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 60, 20))
def test_every_tensor_of_random_models_is_the_judges(first: int) -> None:
    for seed in range(first, first + 20):
        model = random_model(seed, all_outputs=seed % 3 == 0)
        found = compared(model.data, list(model.frames))
        assert found.wrong == (), (seed, model.operators)
        assert found.tensors >= len(read_model(model.data).graphs[0].outputs)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 124, 8))
def test_all_executors_agree_on_random_models(first: int) -> None:
    for seed in range(first, first + 8):
        model = random_model(seed, all_outputs=seed % 3 == 0)
        outcome = agreed(model.data, list(model.frames[:4]))
        assert outcome.kind in (EXACT, SHARED), (seed, model.operators, outcome)


@needs_judge
@pytest.mark.slow
def test_outputs_of_the_accelerated_kernels_hardly_ever_differ() -> None:
    """One rounding on integers stands for one of float32: where they differ, it is by one step."""
    values = wrong = 0
    for seed in range(200, 240):
        model = random_model(seed, all_outputs=True)
        found = compared(model.data, list(model.frames), "xnnpack")
        values, wrong = values + found.values, wrong + len(found.wrong)
    assert values > 50_000
    assert wrong <= 1


@needs_judge
@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("kernels", ["tflite", "xnnpack"])
def test_sums_beside_halves_round_as_the_judges_do(name: str, kernels: Kernels) -> None:
    wrong: list[str] = []
    values = 0
    for seed in range(8):
        data = weighted_model(name, seed)
        graph = read_model(data).graphs[0]
        size = int(np.prod(graph.tensors[graph.inputs[0]].shape))
        frames = [np.full(size, -128, np.int8), np.full(size, -127, np.int8), np.full(size, 127, np.int8)]
        found = compared(data, frames, kernels)
        wrong += found.wrong
        values += found.values
    assert values >= 8 * 3 * 96
    assert wrong == []


@needs_judge
@pytest.mark.parametrize("name", PAIRS)
def test_pairs_round_as_the_judges_do(name: str) -> None:
    random = np.random.default_rng(4)
    for seed in range(6):
        frames = random.integers(-128, 128, (20, 256)).astype(np.int8)
        assert compared(pair_model(name, seed), list(frames)).wrong == ()


def outcome(data: bytes) -> str:
    """ "imported", or the sentence of the refusal. What is imported means something to the rest of the program."""
    try:
        network = import_network(data, "mutant")
    except ModelError as error:
        return str(error)
    Reference(network)
    return "imported"


@pytest.mark.slow
def test_mutants_are_imported_or_refused_in_one_sentence() -> None:
    source = Random(5)
    models = [random_model(seed).data for seed in range(300, 330)]
    verdicts = [outcome(mutant(source, source.choice(models))) for _ in range(3000)]
    assert 100 < verdicts.count("imported") < 2900
    assert [verdict for verdict in verdicts if "\n" in verdict] == []
