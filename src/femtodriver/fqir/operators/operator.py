"""What every operator is: a class that declares names, constants and rules, and says what it computes.

A class is the one place of its operator: everything else (registry, names that files may use, documents, tests)
follows from it, and ``tests/fqir/test_operator_classes.py`` says what a class has forgotten. Bound to a node
(``Vvadd(node, place)``) it has checked its constants and input names; then ``check`` verifies its rules for given
shapes, ``shapes`` and ``ranges`` infer the shapes and values of its results and ``evaluate`` computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Protocol

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import UnsupportedError
from femtodriver.fqir.graph import Node
from femtodriver.fqir.location import NodePlace, named, shown
from femtodriver.fqir.operators.constant_kinds import Constant, Width
from femtodriver.fqir.operators.exact_matmul import Known
from femtodriver.fqir.operators.example import Example, ShapeForm
from femtodriver.fqir.operators.lowering_interface import Build, Shaped, Value
from femtodriver.fqir.operators.ranges import Range, of_bits

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
Ranges = Mapping[str, Range]
Body = Callable[[Sequence[Int64Array]], Sequence[Int64Array]]

EXAMPLE_SIZES = (16, 64, 256)
LOWER = "Run the model through fmot's lowering passes, or replace this layer."


@dataclass(frozen=True)
class Rule:
    """A condition beyond single constants. ``text`` is "subject must be X"; ``find`` returns what it is instead.

    It looks at the shapes of the inputs, or (``of_values``) at the ranges of their values.
    """

    text: str
    find: Callable[[Any, Any], str | None]
    of_values: bool = False


def rule(method: Callable[[Any, Shapes], str | None]) -> Rule:
    """Make a rule of a method: its docstring is the message, its result None or the offending value as text."""
    return Rule(" ".join((method.__doc__ or method.__name__).split()), method)


def value_rule(method: Callable[[Any, Ranges], str | None]) -> Rule:
    """A rule about the values that inputs can have; it is given the range of each."""
    return Rule(" ".join((method.__doc__ or method.__name__).split()), method, of_values=True)


class Tracer(Protocol):
    """What an operator with bodies may do while shapes are inferred (see ``fqir.shape_inference``)."""

    def once(self, branch: str, arguments: Sequence[Shape]) -> tuple[Shape, ...]:
        """The body runs exactly once."""

    def repeated(self, branch: str, arguments: Sequence[Shape], times: int) -> tuple[Shape, ...]:
        """The body runs ``times`` times; shapes must not change from one time to the next."""

    def choice(self, branches: Mapping[str, Sequence[Shape]]) -> dict[str, tuple[Shape, ...]]:
        """One of several bodies runs; ``""`` stands for none."""


class Operator:
    """Base of all operators. Subclasses set the class variables, declare constants and rules, and compute.

    ``producer_class`` is the class that graph files name (by default ``name`` in capitals). ``inputs`` are argument
    names: ``"x"`` required, ``"bias?"`` optional, ``"x#"`` the family x0, x1, ... ``outputs`` is how many outputs a
    node has (None: any number), ``bodies`` the subgraphs it needs. ``updates`` are the inputs that are states and that
    the node writes; ``counts`` has those of them that it only counts up, each with the constant that it counts to.
    ``booleans`` are the inputs that are meant to be 0 or 1.
    ``refusal`` says why the operator cannot be executed; ``host_only`` that it is executed, but never compiled.
    ``forms`` are the shapes that go together, ``examples`` what documents and tests show of the operator.
    """

    name: ClassVar[str] = ""
    producer_class: ClassVar[str] = ""
    inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[int | None] = 1
    updates: ClassVar[tuple[str, ...]] = ()
    counts: ClassVar[Mapping[str, str]] = {}
    booleans: ClassVar[tuple[str, ...]] = ()
    bodies: ClassVar[tuple[str, ...]] = ()
    refusal: ClassVar[str | None] = None
    host_only: ClassVar[bool] = False
    forms: ClassVar[tuple[ShapeForm, ...]] = ()
    examples: ClassVar[tuple[Example, ...]] = ()
    constants: ClassVar[dict[str, Constant[Any]]] = {}
    rules: ClassVar[dict[str, Rule]] = {}

    def __init_subclass__(cls) -> None:
        own = vars(cls)
        if "producer_class" not in own:
            cls.producer_class = cls.name.upper()
        cls.constants = cls.constants | {name: item for name, item in own.items() if isinstance(item, Constant)}
        cls.rules = cls.rules | {name: item for name, item in own.items() if isinstance(item, Rule)}

    def __init__(self, node: Node, place: NodePlace) -> None:
        """Bind to a node. ModelError or UnsupportedError if it cannot be this operator."""
        self.node = node
        self.place = place
        if self.refusal is not None:
            raise place.unsupported(f"operator {self.name} must not occur in a graph to execute: {self.refusal}", LOWER)
        self.arguments = self._arguments()
        self._read_constants()
        self._check_bodies()

    def _read_constants(self) -> None:
        for name, constant in self.constants.items():
            value = self.node.constants.get(name, constant.default)
            if name not in self.node.constants and constant.required:
                raise self.place.fault(f"constant {name} must be {constant.expectation}, not missing")
            if name in self.node.constants:
                if not constant.accepts(value):
                    raise self.place.fault(f"constant {name} must be {constant.expectation}, not {shown(value)}")
                value = constant.convert(value)
            self.__dict__[name] = value

    def _arguments(self) -> tuple[str, ...]:
        """The names of the inputs that this node has, in the order of the declaration."""
        given = self.node.inputs
        found: list[str] = []
        for pattern in self.inputs:
            stem = pattern.rstrip("#?")
            if pattern.endswith("#"):
                found += _family(stem, given)
            elif stem in given:
                found.append(stem)
            elif not pattern.endswith("?"):
                raise self.place.fault(f"input {stem} must be a tensor, not missing")
        for name in given:
            if name not in found:
                raise self.place.fault(f"inputs must be {self.signature()}, not {named(name)}")
        return tuple(found)

    def _check_bodies(self) -> None:
        given = self.node.subgraphs
        if set(given) != set(self.bodies):
            wanted = " and ".join(self.bodies) or "none"
            actual = ", ".join(named(name) for name in list(given)[:4]) or "none"
            raise self.place.fault(f"bodies must be {wanted}, not {actual}")

    @classmethod
    def signature(cls) -> str:
        """The input names as people read them: ``x, y``, ``x0, x1, ... without gaps``."""
        texts = []
        for pattern in cls.inputs:
            stem = pattern.rstrip("#?")
            optional = f"{stem} (optional)" if pattern.endswith("?") else stem
            texts.append(f"{stem}0, {stem}1, ... without gaps" if pattern.endswith("#") else optional)
        return ", ".join(texts) or "none"

    @classmethod
    def shown_examples(cls) -> tuple[Example, ...]:
        """The declared examples, or those that follow from the declaration."""
        return cls.examples

    def members(self, stem: str) -> int:
        """How many inputs of the family ``stem`` the node has."""
        return len(_family(stem, self.node.inputs))

    @classmethod
    def written(cls, node: Node) -> tuple[str, ...]:
        """Names in the value table that a node of this operator writes: its outputs, then the states it updates."""
        states = (node.inputs[name].name for name in cls.updates if name in node.inputs)
        return (*(tensor.name for tensor in node.outputs), *states)

    @property
    def results(self) -> tuple[str, ...]:
        """Names that this node writes, in the order of what ``shapes`` and ``evaluate`` return."""
        return self.written(self.node)

    @property
    def single(self) -> bool:
        """Whether ``evaluate`` returns one array rather than a tuple of arrays."""
        return self.outputs == 1 and not self.updates

    def check(self, shapes: Shapes) -> None:
        """Verify every rule for inputs of these shapes (by argument name). ModelError for the first broken one."""
        self._check((item for item in self.rules.values() if not item.of_values), shapes)

    def check_values(self, ranges: Ranges) -> None:
        """Verify every rule about values, for inputs with values in these ranges. ModelError as for ``check``."""
        self._check((item for item in self.rules.values() if item.of_values), ranges)

    def _check(self, rules: Iterable[Rule], given: Shapes | Ranges) -> None:
        for item in rules:
            found = item.find(self, given)
            if found is not None:
                raise self.place.fault(f"{item.text}, not {found}")

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        """Shapes of the results. Operators with bodies override ``trace`` instead."""
        raise NotImplementedError(self.name)

    def trace(self, tracer: Tracer, shapes: Shapes) -> tuple[Shape, ...]:
        """Shapes of the results of an operator with bodies."""
        raise NotImplementedError(self.name)

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        """Ranges that contain all values of the results, for inputs with values in these ranges.

        This one is for operators that saturate their only result to the one constant that is a width.
        """
        widths = [getattr(self, name) for name, constant in self.constants.items() if isinstance(constant, Width)]
        if len(widths) != 1 or not self.single:
            raise NotImplementedError(self.name)
        return (of_bits(widths[0]),)

    def moves(self) -> Iterator[tuple[str, str]]:
        """Pairs of names: bodies take and give the value of the first under the second name. For ``ranges``."""
        raise NotImplementedError(self.name)

    def work(self, shapes: Shapes, results: Sequence[Shape]) -> int:
        """Elementary operations of one execution, for the limit on total work."""
        return sum(prod(shape) for shape in results) + 1

    def scratch(self, shapes: Shapes) -> int:
        """Elements that the operator holds beside its inputs and results, if they can be many."""
        return 0

    def evaluate(self, *values: Any, **_: Any) -> Any:
        """Compute the results from int64 arrays in the order of ``arguments``.

        One array if ``single``, else a tuple: outputs, then new values of ``updates``. Operators with
        bodies get a ``Mapping[str, Body]`` as first argument. Never changes an input in place.
        """
        raise NotImplementedError(self.name)

    def specialised(self, known: Known) -> Callable[..., Any]:
        """``evaluate``, prepared for arguments whose values never change."""
        return self.evaluate

    def taken(self, build: Build) -> list[Value]:
        """The current values of the arguments, in their order."""
        return [build.value(self.node.inputs[argument].name) for argument in self.arguments]

    def shaped(self, build: Build) -> list[Shaped]:
        """The current values of the arguments with their shapes."""
        names = [self.node.inputs[argument].name for argument in self.arguments]
        return [(build.value(name), build.shape(name)) for name in names]

    def give(self, build: Build, *results: Value) -> None:
        """Bind the outputs."""
        for tensor, result in zip(self.node.outputs, results, strict=True):
            build.bind(tensor.name, result)

    def give_shaped(self, build: Build, results: Sequence[Shaped]) -> None:
        """Bind the outputs with their shapes."""
        for tensor, (value, shape) in zip(self.node.outputs, results, strict=True):
            build.bind(tensor.name, value, shape)

    def lower(self, build: Build) -> None:
        """Emit this operator with the compiler's verbs."""
        raise UnsupportedError(f"{self.place.text}: operator {self.name} cannot be compiled yet. {LOWER}")


def _family(stem: str, given: Mapping[str, Any]) -> list[str]:
    """Members x0, x1, ... of a family of inputs, up to the first gap."""
    found: list[str] = []
    while f"{stem}{len(found)}" in given:
        found.append(f"{stem}{len(found)}")
    return found


def broadcast(first: Shape, second: Shape) -> Shape | None:
    """The shape of an elementwise result, None if the shapes do not go together."""
    if first == second:
        return first
    rank = max(len(first), len(second))
    pairs = zip((1,) * (rank - len(first)) + first, (1,) * (rank - len(second)) + second, strict=True)
    joined: list[int] = []
    for one, other in pairs:
        if one != other and 1 not in (one, other):
            return None
        joined.append(other if one == 1 else one)
    return tuple(joined)


class Elementwise(Operator):
    """An operator whose single result has the joint shape of its inputs."""

    @classmethod
    def shown_examples(cls) -> tuple[Example, ...]:
        """The declared examples, or inputs of equal sizes."""
        sizes = [(f"{size} elements", dict.fromkeys(cls.inputs, (size,))) for size in EXAMPLE_SIZES]
        return cls.examples or tuple(Example(label, shapes) for label, shapes in sizes)

    def _joint(self, shapes: Shapes) -> Shape | None:
        joint: Shape | None = ()
        for argument in self.arguments:
            joint = None if joint is None else broadcast(joint, shapes[argument])
        return joint

    @rule
    def inputs_go_together(self, shapes: Shapes) -> str | None:
        """inputs must have equal shapes, or one of them shape [1]"""
        if self._joint(shapes) is not None:
            return None
        return " and ".join(str(list(shapes[argument])) for argument in self.arguments)

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (self._joint(shapes) or (),)

    def taken(self, build: Build) -> list[Value]:
        """The arguments, brought to the joint shape where more than a single element must be repeated."""
        shaped = self.shaped(build)
        joint = self._joint(dict(zip(self.arguments, (shape for _, shape in shaped), strict=True))) or ()
        return [self._repeated(build, value, shape, joint) for value, shape in shaped]

    @staticmethod
    def _repeated(build: Build, value: Value, shape: Shape, joint: Shape) -> Value:
        if prod(shape) in (1, prod(joint)):
            return value
        return build.take(value, np.broadcast_to(np.arange(prod(shape)).reshape(shape), joint))
