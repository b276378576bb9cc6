"""Random nodes: each choice adds legal nodes of its operator to whatever is there, and reaches what is extreme."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver import fixed
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.fqir.location import NodePlace
from femtodriver.fqir.operators.constant_kinds import Constant, IntegerForEach, ShiftAmount
from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.validate import validate
from tests.agree.graph_draw import Draw, Store
from tests.agree.random_constants import ABSENT, DRAWS, Sketch, drawn, size_of
from tests.agree.random_nodes import CHOICES, add_example, add_node, compiled_operators
from tests.agree.random_numbers import Numbers

SEEDS = range(25)
WITH_BODIES = {name: cls for name, cls in compiled_operators().items() if cls.bodies}


def started(seed: int, inputs: int = 3) -> Draw:
    """A graph with some inputs."""
    draw = Draw(Store(Numbers(np.random.default_rng(seed)), CHOICES, 12))
    for index in range(inputs):
        draw.values[f"x{index}"] = Tensor(f"x{index}", "int16", (draw.size(),))
    return draw


def network(draw: Draw) -> Network:
    inputs = tuple(
        tensor for name, tensor in draw.values.items() if name in ("x0", "x1", "x2") and len(tensor.shape) == 1
    )
    frame = Graph("ARITH", inputs, (next(iter(draw.values.values())),), tuple(draw.parameters), tuple(draw.nodes))
    init = Graph("INIT", (), (), tuple(draw.store.init_parameters), tuple(draw.store.init_nodes))
    return Network("drawn", frame, frame, init)


@pytest.mark.parametrize("name", list(CHOICES))
def test_a_choice_adds_legal_nodes_of_its_operator(name: str) -> None:
    found = 0
    for seed in SEEDS:
        draw = started(seed)
        CHOICES[name].add(draw)
        validate(network(draw))
        found += any((node.op or "call") == name for node in draw.nodes) or name.startswith("(")
    assert found >= len(SEEDS) // 5, f"operator {name}: its forms and kinds of constants hardly ever satisfy its rules"


@pytest.mark.parametrize("name", list(compiled_operators()))
def test_values_stay_in_the_ranges_that_the_class_promises(name: str) -> None:
    for seed in SEEDS:
        draw = started(seed)
        CHOICES[name].add(draw)
        for node in draw.nodes:
            if node.op == name and not node.subgraphs:
                _check_ranges(compiled_operators()[name], node, draw)


def _check_ranges(cls: type[Operator], node: Node, draw: Draw) -> None:
    operator = cls(node, NodePlace("drawn", "ARITH", 0, node))
    tensors = [node.inputs[argument] for argument in operator.arguments]
    values = [draw.array(tensor.shape, 1 if argument in cls.booleans else tensor.bits or 32)
              for argument, tensor in zip(operator.arguments, tensors, strict=True)]  # fmt: skip
    values = [abs(value) if argument in cls.booleans else value
              for argument, value in zip(operator.arguments, values, strict=True)]  # fmt: skip
    given = {
        argument: (int(value.min(initial=0)), int(value.max(initial=0)))
        for argument, value in zip(operator.arguments, values, strict=True)
    }
    with np.errstate(over="ignore"):
        results = operator.evaluate(*values)
    for result, (low, high) in zip((results,) if operator.single else results, operator.ranges(given), strict=True):
        assert result.min(initial=high) >= low
        assert result.max(initial=low) <= high


@pytest.mark.parametrize("name", list(WITH_BODIES))
def test_operators_with_bodies_can_be_drawn_from_their_examples(name: str) -> None:
    for seed in SEEDS:
        draw = started(seed)
        for _ in range(3):
            add_example(draw, WITH_BODIES[name])
        validate(network(draw))
        assert sum(node.op == name for node in draw.nodes) == 3


def test_an_operator_that_nothing_satisfies_adds_nothing() -> None:
    class Never(compiled_operators()["relu"]):  # type: ignore[misc]
        name = "relu"

        def check(self, shapes: object) -> None:
            raise self.place.fault("x must be something else")

    draw = started(0)
    add_node(draw, Never)
    assert not draw.nodes
    assert not draw.parameters


def test_every_operator_that_compiles_is_drawn() -> None:
    assert set(compiled_operators()) <= set(CHOICES)
    assert all(choice.weight > 0 for choice in CHOICES.values())


def test_every_kind_of_constant_can_be_drawn() -> None:
    numbers, sketch = Numbers(np.random.default_rng(0)), Sketch({"x": (12,)}, {"bw_address": 8, "mode": "double"})
    kinds = {type(kind): kind for cls in compiled_operators().values() for kind in cls.constants.values()}
    assert len(kinds) > 10
    for kind in kinds.values():
        values = [drawn(numbers, kind, sketch) for _ in range(200)]
        assert all(value is ABSENT or kind.accepts(value) for value in values), kind


def test_a_kind_that_nobody_can_draw_is_told() -> None:
    class Colour(Constant[str]):
        """A made-up kind."""

    with pytest.raises(LookupError, match="Colour: must be drawn by a function in DRAWS"):
        drawn(Numbers(np.random.default_rng(0)), Colour(), Sketch())
    kinds = list(DRAWS)
    assert all(not issubclass(later, kind) for index, kind in enumerate(kinds) for later in kinds[index + 1 :])


def test_lists_have_an_entry_for_each_member() -> None:
    sketch = Sketch({"x_0": (1,), "x_1": (1,), "x_size": (1,), "y_0": (1,)})
    kind = IntegerForEach("x_#", ShiftAmount())
    assert len(drawn(Numbers(np.random.default_rng(0)), kind, sketch)) == 2


def test_sizes_are_computed_from_names_and_numbers() -> None:
    known = {"k": 3, "n": 5}
    assert size_of("(k - 1) * n + 2", known, lambda name: 0) == 12
    assert size_of("m", known, {"m": 7}.__getitem__) == 7
    with pytest.raises(ValueError, match=r"not k\(n\)"):
        size_of("k(n)", known, lambda name: 0)


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
