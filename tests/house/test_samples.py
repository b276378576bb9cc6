"""One place to add an operator: what compiles also has a sampler, so that random graphs contain it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.registry import OPERATORS
from femtodriver.fqir.samples.registry import SAMPLERS


def compilable(operators: Mapping[str, type[Operator]]) -> set[str]:
    """Names of operators that say how they are lowered."""
    lowered = {name for name, operator in operators.items() if operator.lower is not Operator.lower}
    return {name for name in lowered if operators[name].refusal is None}


def missing(operators: Mapping[str, type[Operator]], samplers: Mapping[str, Any]) -> set[str]:
    return compilable(operators) - set(samplers)


def test_every_operator_that_compiles_has_a_sampler() -> None:
    assert len(compilable(OPERATORS)) > 40
    assert missing(OPERATORS, SAMPLERS) == set()


def test_every_sampler_is_of_an_operator_or_a_pattern() -> None:
    patterns = {name for name in SAMPLERS if name.startswith("(")}
    assert set(SAMPLERS) - patterns - {"call"} <= compilable(OPERATORS)
    assert all(weight > 0 for _, weight in SAMPLERS.values())


def test_a_missing_sampler_is_noticed() -> None:
    assert missing(OPERATORS, {name: item for name, item in SAMPLERS.items() if name != "lut"}) == {"lut"}
