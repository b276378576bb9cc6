"""Freshly built fmot models, straight from memory: our executors agree with each other and with fmot itself."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from femtodriver.fqir.files.from_graphproto import adapt
from femtodriver.part import load_part
from tests.agree.agreement import EXACT, Target, checked, reference

PRECISIONS = ("double", "eights", "standard")
NAMES = (
    *("perceptron", "gru", "lstm", "rnn", "softmax", "layer_norm", "conv1d", "depthwise", "conv2d"),
    *("band_gru", "sru", "loop"),
)
Frame = dict[str, npt.NDArray[np.int64]]


def fmot_outputs(main: Any, frames: list[Frame]) -> list[Frame]:
    """Outputs of fmot's own runtime, frame by frame."""
    arith, init = main.subgraphs["ARITH"], main.subgraphs.get("INIT")
    state = init.run(return_objs=True)[-1] if init is not None else None
    results = []
    for frame in frames:
        found, table = arith.run(*frame.values(), return_dict=True, return_objs=True, state=state)
        results.append({name: np.asarray(values, np.int64).reshape(-1) for name, values in found.items()})
        state = table if init is not None else None
    return results


@pytest.fixture
def models(fmot: ModuleType) -> ModuleType:
    """The recipes, which need fmot."""
    return importlib.import_module("tests.agree.fmot_models")


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_model_agrees_with_fmot(models: ModuleType, name: str, precision: str) -> None:
    main = models.traced(name, precision)
    network = adapt(main, name)
    numbers = np.random.default_rng(1)
    frames = []
    for scale in (1, 1, 4, 64, 1):
        limit = (1 << ((network.inputs[0].bits or 8) - 1)) // scale
        frames.append({tensor.name: numbers.integers(-limit, limit, tensor.shape) for tensor in network.inputs})
    ours, _ = reference(network, [{key: values.reshape(-1) for key, values in frame.items()} for frame in frames])
    theirs = fmot_outputs(main, frames)
    for number, (mine, wanted) in enumerate(zip(ours, theirs, strict=True)):
        assert {key: values.tolist() for key, values in mine.items()} == {
            key: values.tolist() for key, values in wanted.items()
        }, f"frame {number}"
    assert checked(network, frames, Target(load_part())).kind == EXACT


@pytest.mark.slow
@pytest.mark.fmot
def test_every_recipe_is_tested(models: ModuleType) -> None:
    assert set(NAMES) == set(models.MODELS)
