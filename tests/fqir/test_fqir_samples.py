"""Samplers: each adds legal nodes of its operator to whatever is there."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver import fixed
from femtodriver.fqir.graph import Graph, Network, Tensor
from femtodriver.fqir.samples.draw import Draw, Store
from femtodriver.fqir.samples.numbers import Numbers
from femtodriver.fqir.samples.registry import SAMPLERS
from femtodriver.fqir.validate import validate

SEEDS = range(25)


def drawn(seed: int, inputs: int = 3) -> Draw:
    draw = Draw(Store(Numbers(np.random.default_rng(seed)), SAMPLERS, 12))
    for index in range(inputs):
        draw.values[f"x{index}"] = Tensor(f"x{index}", "int16", (draw.size(),))
    return draw


def network(draw: Draw) -> Network:
    inputs = tuple(
        tensor for name, tensor in draw.values.items() if name in ("x0", "x1", "x2") and len(tensor.shape) == 1
    )
    frame = Graph("ARITH", inputs, (next(iter(draw.values.values())),), tuple(draw.parameters), tuple(draw.nodes))
    init = Graph("INIT", (), (), tuple(draw.store.init_parameters), tuple(draw.store.init_nodes))
    return Network("sample", frame, frame, init)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_a_sampler_adds_legal_nodes_of_its_operator(name: str) -> None:
    found = 0
    for seed in SEEDS:
        draw = drawn(seed)
        SAMPLERS[name][0](draw)
        validate(network(draw))
        found += any((node.op or "call") == name for node in draw.nodes) or name.startswith("(")
    assert found >= len(SEEDS) // 5


@pytest.mark.parametrize("bits", [1, 4, 8, 16, 24, 32])
def test_arrays_are_of_their_width_and_of_many_kinds(bits: int) -> None:
    numbers = Numbers(np.random.default_rng(bits))
    low, high = fixed.limits(bits)
    arrays = [numbers.array((6, 16), bits) for _ in range(200)]
    assert all(array.min() >= low and array.max() <= high for array in arrays)
    assert any((array == 0).all() for array in arrays)
    assert any(array.min() == low for array in arrays)
    assert any((array[:, :8] == 0).all(axis=1).any() and array.any() for array in arrays)


def test_constants_reach_their_extremes() -> None:
    numbers = Numbers(np.random.default_rng(0))
    shifts = {numbers.shift() for _ in range(5000)}
    assert {-63, 63, 0, -1, 1} <= shifts
    assert {numbers.width() for _ in range(5000)} == set(range(1, 33))
    immediates = {numbers.immediate() for _ in range(5000)}
    assert {-(1 << 31), (1 << 31) - 1, 0, 1 << 30} <= immediates
    sizes = {numbers.any_size() for _ in range(5000)}
    assert {0, 1, 8} <= sizes
    assert max(sizes) > 256
