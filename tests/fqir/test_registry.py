"""Operators by name: collected from the modules, each name once."""

from __future__ import annotations

from types import ModuleType

import pytest

from femtodriver.errors import UnsupportedError
from femtodriver.fqir.files.allowed_names import GLOBALS
from femtodriver.fqir.files.passive_records import OPERATOR
from femtodriver.fqir.graph import Node
from femtodriver.fqir.location import NodePlace
from femtodriver.fqir.operators.control_flow import Call
from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.registry import OPERATORS, bind, collected, operator_class, operator_modules


def module_with(*classes: type[Operator]) -> ModuleType:
    """A module that defines these classes."""
    module = ModuleType("made_up")
    for cls in classes:
        cls.__module__ = "made_up"
        setattr(module, cls.__name__, cls)
    return module


def operator(class_name: str, base: type[Operator] = Operator, **attributes: object) -> type[Operator]:
    return type(class_name, (base,), attributes)


def test_operators_come_from_all_modules_in_their_order() -> None:
    modules = [module.__name__ for module in operator_modules()]
    assert modules == sorted(modules)
    assert list(collected(operator_modules())) == list(OPERATORS)
    homes = [modules.index(cls.__module__) for cls in OPERATORS.values()]
    assert homes == sorted(homes)
    assert len(OPERATORS) > 50


def test_a_class_in_a_module_is_an_operator() -> None:
    vabs = operator("Vabs", name="vabs")
    assert collected([module_with(vabs)]) == {"vabs": vabs}


def test_bases_and_foreign_classes_are_none() -> None:
    base = operator("Base")
    module = module_with(base)
    module.Other = OPERATORS["relu"]  # type: ignore[attr-defined]
    assert collected([module]) == {}


def test_two_operators_of_one_name_are_refused() -> None:
    first, second = operator("First", name="vabs"), operator("Second", name="vabs")
    with pytest.raises(TypeError, match=r"operator vabs must be defined once, not by .*First.* and .*Second"):
        collected([module_with(first, second)])


def test_two_operators_of_one_class_in_files_are_refused() -> None:
    first, second = operator("First", name="vabs"), operator("Second", name="vabs2", producer_class="VABS")
    with pytest.raises(TypeError, match="operator VABS must be defined once"):
        collected([module_with(first, second)])


def test_files_may_name_exactly_the_classes_of_the_operators() -> None:
    allowed = {name for (module, name), marker in GLOBALS.items() if marker.kind == OPERATOR}
    assert allowed == {cls.producer_class for cls in OPERATORS.values()}
    assert {OPERATORS["gmac_v2"].producer_class, OPERATORS["loop"].producer_class} == {"GMACv2", "LOOP"}


def test_a_node_without_operator_is_a_call() -> None:
    assert operator_class(Node("", None, {}, ())) is Call
    assert operator_class(Node("", "relu", {}, ())) is OPERATORS["relu"]
    assert operator_class(Node("", "call", {}, ())) is None
    with pytest.raises(UnsupportedError, match='not "call"'):
        bind(Node("", "call", {}, ()), NodePlace("net", "ARITH", 0, Node("", "call", {}, ())))
