"""The judge against figures by hand, and against itself; random models are the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.tflite.check_graphs import check_graphs
from femtodriver.tflite.operator_kinds import OPERATOR_KINDS
from femtodriver.tflite.read_model import read_model
from tests.tflite.climbed_steps import climbed_steps
from tests.tflite.litert_judge import Judge, needs_judge
from tests.tflite.random_models import random_model
from tests.tflite.real_models import real_models
from tests.tflite.sample_models import samples
from tests.tflite.spoken_words import spoken_steps
from tests.tflite.tflite_writer import write

MODELS = 40


@needs_judge
def test_state_moves_on_by_one_row_a_step() -> None:
    judge = Judge(write(samples()["streaming"]))
    rows = [np.array([n, 10 * n, -n], np.int8) for n in (1, 2, 3)]
    whole = [judge.step({"t0": row})[3].reshape(3, 3) for row in rows]
    np.testing.assert_array_equal(whole[0], [[0, 0, 0], [0, 0, 0], rows[0]])
    np.testing.assert_array_equal(whole[2], rows)


@needs_judge
def test_an_average_rounds_halves_away_from_zero() -> None:
    judge = Judge(write(samples()["AVERAGE_POOL_2D"]))
    frame = np.zeros((5, 4, 2), np.int8)
    frame[0, 0] = 3, -3  # of six cells
    assert judge.step({"t0": frame})[1].reshape(-1)[:2].tolist() == [1, -1]


def test_random_models_are_good_files() -> None:
    seen: set[str] = set()
    for seed in range(MODELS):
        model = random_model(seed, layers=4)
        check_graphs(read_model(model.data))
        seen |= set(model.operators)
    assert set(OPERATOR_KINDS) - seen <= {"SOFTMAX", "DEQUANTIZE"}


def test_random_models_depend_on_the_seed_alone() -> None:
    first, again, other = (random_model(seed) for seed in (5, 5, 6))
    assert first.data == again.data
    assert first.frames.tolist() == again.frames.tolist()
    assert first.data != other.data


@needs_judge
def test_random_models_say_something() -> None:
    """Most tensors of most models hold many different values."""
    kinds = []
    for seed in range(MODELS):
        model = random_model(seed)
        (last, *_) = read_model(model.data).graphs[0].outputs
        judge = Judge(model.data, tensors=[last])
        steps = [judge.step({model.input: frame})[last] for frame in model.frames]
        kinds.append(len(np.unique(steps)) > 4)
    assert sum(kinds) > 0.6 * MODELS


@needs_judge
def test_accelerated_kernels_give_all_outputs() -> None:
    model = random_model(3, all_outputs=True)
    outputs = read_model(model.data).graphs[0].outputs
    found = Judge(model.data, "xnnpack").step({model.input: model.frames[3]})
    assert set(found) == set(outputs)
    assert len(outputs) >= len(model.operators)


@needs_judge
@pytest.mark.slow
def test_a_climb_wakes_a_real_model() -> None:
    data = real_models()["alexa"]
    model = read_model(data).graphs[0]
    judge = Judge(data, tensors=[model.outputs[0]])
    name = model.tensors[model.inputs[0]].name
    found = [int(judge.step({name: step})[model.outputs[0]].max()) for step in climbed_steps(data, 1000)]
    assert max(found) > 128


@needs_judge
@pytest.mark.slow
def test_speech_wakes_a_real_model() -> None:
    data = real_models()["alexa"]
    model = read_model(data)
    given = model.graphs[0].tensors[model.graphs[0].inputs[0]]
    assert given.quantization is not None
    scale, zero = float(given.quantization.scale[0]), int(given.quantization.zero_point[0])
    steps = spoken_steps(["alexa"], ["en-us", "en-gb"], int(np.prod(given.shape)), scale, zero)
    judge = Judge(data, tensors=[model.graphs[0].outputs[0]])
    found = [int(value.reshape(-1)[0]) for step in steps for value in judge.step({given.name: step}).values()]
    assert max(found) > 128
    assert min(found) < 10
