"""An operator is one class, and the class is whole: each test says which part of which class is missing.

What follows from the classes is tested elsewhere: registry and names that files may use (test_registry.py), documents
(tests/compiler/test_operators_doc.py), random nodes (tests/agree/test_random_nodes.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from example_networks import example_network

from femtodriver.errors import FemtoError
from femtodriver.fqir import registry
from femtodriver.fqir.operators import arithmetic
from femtodriver.fqir.operators.constant_kinds import REQUIRED, Width
from femtodriver.fqir.operators.control_flow import Call
from femtodriver.fqir.operators.example import Example
from femtodriver.fqir.operators.operator import Elementwise, Operator
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.registry import OPERATORS, operator_modules

CLASSES: dict[str, type[Operator]] = {**OPERATORS, Call.name: Call}


def missing_parts(cls: type[Operator]) -> list[str]:
    """What the class of an operator still has to say, one sentence each."""
    where = f"class {cls.__name__} ({cls.__module__}) lacks"
    return [f"{where} {part}" for part in _missing(cls)]


def _missing(cls: type[Operator]) -> Iterator[str]:
    if not vars(cls).get("__doc__"):
        yield "a docstring: what it computes, in one line, for docs/operators.md"
    if cls.refusal is not None:
        return
    bodies = _has_bodies(cls)
    shapes = "trace" if bodies else "shapes"
    parts = {
        "evaluate(): what it computes": _own(cls, "evaluate"),
        f"{shapes}(): the shapes of its results": _own(cls, shapes),
        "ranges(): which values its results can have (not needed with one Width and one output)": _has_ranges(cls),
        "moves(): which names get the values of which others": not bodies or _own(cls, "moves"),
        "lower(): how it is compiled, with the verbs of lowering_interface.py; or host_only = True": (
            cls.host_only or _own(cls, "lower")
        ),
        "forms: the shapes of inputs that go together": bodies or issubclass(cls, Elementwise) or bool(cls.forms),
        "examples: nodes in a few sizes, for docs/operators.md and tests": bool(cls.shown_examples()),
    }
    yield from (part for part, there in parts.items() if not there)
    for example in cls.shown_examples():
        yield from _wrong_example(cls, example)


def _has_bodies(cls: type[Operator]) -> bool:
    return bool(cls.bodies) or issubclass(cls, Call)


def _own(cls: type[Operator], method: str) -> bool:
    return getattr(cls, method) is not getattr(Operator, method)


def _has_ranges(cls: type[Operator]) -> bool:
    widths = [kind for kind in cls.constants.values() if isinstance(kind, Width)]
    derived = len(widths) == 1 and cls.outputs == 1 and not cls.updates
    return derived or _own(cls, "ranges") or (_has_bodies(cls) and not cls.updates)


def _wrong_example(cls: type[Operator], example: Example) -> Iterator[str]:
    for name, kind in cls.constants.items():
        if kind.required and kind.typical is REQUIRED and name not in example.constants:
            yield f"a value of constant {name} in example {example.label!r}, or typical= where it is declared"
            return
    try:
        example_network(cls, example)
    except FemtoError as error:
        yield f"a legal example: {example.label!r} is refused: {error}"


@pytest.mark.parametrize("name", CLASSES)
def test_the_class_is_whole(name: str) -> None:
    assert missing_parts(CLASSES[name]) == []


def test_a_class_that_is_nobodys_base_has_a_name() -> None:
    found = [item for module in operator_modules() for item in vars(module).values() if isinstance(item, type)]
    operators = {item for item in found if issubclass(item, Operator)}
    nameless = [cls.__name__ for cls in operators if not cls.name and not cls.__subclasses__()]
    assert nameless == [], "each of these classes lacks a name, and is not in the registry"


@pytest.mark.parametrize("name", [name for name, cls in CLASSES.items() if cls.refusal is None])
def test_examples_run_and_stay_in_their_ranges(name: str) -> None:
    for example in CLASSES[name].shown_examples():
        net = example_network(CLASSES[name], example)
        reference = Reference(net)
        for number in (0, 1, -1, 100):
            results = reference.step({item.name: np.full(item.shape, number) for item in net.inputs})
        assert {key: value.shape for key, value in results.items()} == {item.name: item.shape for item in net.outputs}


# ---- the check itself: a part is taken away, and named -------------------------------------------------------------


def magnitude(left_out: str = "", **changed: Any) -> type[Operator]:
    """A whole operator, less one part."""

    def evaluate(self: Any, x: Any) -> Any:
        return np.minimum(np.abs(x), (1 << (self.bw - 1)) - 1)

    parts = {
        "__doc__": "Magnitude: Sat(|x|, bw).",
        "name": "vabs",
        "inputs": ("x",),
        "bw": Width(),
        "evaluate": evaluate,
        "lower": arithmetic.Vneg.lower,
        **changed,
    }
    parts.pop(left_out, None)
    return type("Vabs", (Elementwise,), {"__module__": "made.up", **parts})


@pytest.fixture(autouse=True)
def vabs_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks may have the made-up operator."""
    monkeypatch.setattr(registry, "OPERATORS", {**OPERATORS, "vabs": magnitude()})


def test_a_whole_class_lacks_nothing() -> None:
    assert missing_parts(magnitude()) == []
    assert missing_parts(magnitude("lower", host_only=True)) == []
    assert missing_parts(magnitude("lower", refusal="it is a joke")) == []


@pytest.mark.parametrize(
    ("cls", "part"),
    [
        (magnitude("__doc__"), "a docstring: what it computes, in one line, for docs/operators.md"),
        (magnitude("evaluate"), "evaluate(): what it computes"),
        (
            magnitude("lower"),
            "lower(): how it is compiled, with the verbs of lowering_interface.py; or host_only = True",
        ),
        (
            magnitude("bw"),
            "ranges(): which values its results can have (not needed with one Width and one output)",
        ),
        (
            magnitude(bw=Width(typical=REQUIRED)),
            "a value of constant bw in example '16 elements', or typical= where it is declared",
        ),
        (magnitude(shapes=Operator.shapes), "shapes(): the shapes of its results"),
    ],
)
def test_what_is_missing_is_named(cls: type[Operator], part: str) -> None:
    assert missing_parts(cls)[0] == f"class Vabs (made.up) lacks {part}"


def test_what_is_missing_of_other_operators_is_named() -> None:
    def parts(base: type[Operator], **taken: Any) -> list[str]:
        cls = type("Odd", (base,), {"__doc__": "Odd.", **taken})
        return [sentence.partition(" lacks ")[2].partition(":")[0] for sentence in missing_parts(cls)]

    assert parts(OPERATORS["sum"], forms=()) == ["forms"]
    assert parts(OPERATORS["sum"], examples=()) == ["examples"]
    assert parts(OPERATORS["sum"], examples=(Example("wrong", {"x": ()}, {"dim": (0,)}),)) == ["a legal example"]
    assert parts(OPERATORS["conditional"], moves=Operator.moves, trace=Operator.trace) == ["trace()", "moves()"]


def test_a_class_without_a_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    check: Callable[[], None] = test_a_class_that_is_nobodys_base_has_a_name
    monkeypatch.setattr(arithmetic, "Vabs", magnitude("name"), raising=False)
    with pytest.raises(AssertionError, match="Vabs"):
        check()
