"""What an operator class shows of itself: examples in stated sizes, and the shapes that go together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from femtodriver.fqir.graph import Graph

_INPUT = re.compile(r"(\w+#?)\[([^\]]*)\]")


@dataclass(frozen=True)
class Example:
    """A node in one size; docs/operators.md lowers and measures it, tests run it and spoil it.

    ``shapes`` has the shape of each input. Those that the operator updates are states, those in ``weights`` parameters
    of so many bits, all others come from outside. ``constants`` has those that are not typical. ``types`` has the
    declared types (of inputs, and of the output "out") that are not "fqint16".
    """

    label: str
    shapes: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    bodies: Mapping[str, Graph] = field(default_factory=dict)
    outputs: int = 1
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ShapeForm:
    """Shapes of inputs that go together, such as ``"x[k] y[k, n]"``.

    A size is a number, a name that stands for the same size everywhere, ``_`` for any, a constant of the operator, or
    a sum, difference or product of these. An input may be left out if it is optional. ``parameters`` are the
    inputs that are parameters in practice. ``constants`` has those that follow from sizes and other constants.
    """

    text: str
    parameters: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[str, tuple[str, ...]]:
        """The sizes of each input, as they are written."""
        found = _INPUT.findall(self.text)
        return {name: tuple(size.strip() for size in sizes.split(",") if size.strip()) for name, sizes in found}
