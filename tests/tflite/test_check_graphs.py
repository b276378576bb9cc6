"""Good models are read and checked: built ones with every operator, and the real ones."""

from __future__ import annotations

import pytest

from femtodriver.tflite.check_graphs import check_graphs
from femtodriver.tflite.operator_kinds import OPERATOR_KINDS
from femtodriver.tflite.read_model import read_model
from tests.tflite.real_models import real_models
from tests.tflite.sample_models import samples
from tests.tflite.tflite_writer import write


@pytest.mark.parametrize("name", samples())
def test_a_built_model_has_a_meaning(name: str) -> None:
    model = read_model(write(samples()[name]))
    states = check_graphs(model)
    assert [(state.name, state.start.shape) for state in states] == (
        [("rows", (1, 2, 3))] if name == "streaming" else []
    )


def test_every_operator_is_in_a_built_model() -> None:
    models = [read_model(write(table)) for table in samples().values()]
    assert {one.name for model in models for graph in model.graphs for one in graph.operators} == set(OPERATOR_KINDS)


def test_real_models_have_a_meaning() -> None:
    for name, data in real_models().items():
        model = read_model(data)
        states = check_graphs(model)
        assert len(states) == 6, name
        for state in states:
            start = state.start.constant()
            assert start is not None
            assert set(start.flatten().tolist()) == {-128}
