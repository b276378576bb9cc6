"""What of a mapped network can be reached from outside: inputs and outputs, and the states between two frames."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Port:
    """An input or output of the network: its buffer, element count and declared width in bits."""

    name: str
    buffer: str
    length: int
    bits: int


@dataclass(frozen=True)
class StatePart:
    """Elements ``first`` to ``first + length`` - 1 of a state, which are in a buffer from its element ``offset`` on."""

    first: int
    length: int
    buffer: str
    offset: int


@dataclass(frozen=True)
class MappedState:
    """A state of the network: ``length`` elements, each of which always holds a number from ``low`` to ``high``.

    ``parts``: every place of every element; one that is on several cores has several. A pass that drops a buffer need
    not look at them, see ``parts_in``.
    """

    length: int
    low: int
    high: int
    parts: tuple[StatePart, ...]

    def parts_in(self, buffers: Container[str]) -> Iterator[StatePart]:
        """The parts whose buffers are still there: what no output depends on has been left out."""
        return (part for part in self.parts if part.buffer in buffers)
