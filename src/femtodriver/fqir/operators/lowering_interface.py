"""The verbs with which an operator lowers itself; the compiler implements them (``compiler/frontend/lower_graph.py``).

A ``Value`` is opaque here: a vector of integers that the compiled program will hold somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Graph

Value = tuple[Any, ...]
Shape = tuple[int, ...]
Shaped = tuple[Value, Shape]


@dataclass(frozen=True)
class LoopForm:
    """A loop. ``slices``: value, rows per iteration, backwards; ``concat``: backwards, for each concatenated output."""

    body: Graph
    count: int
    carried: Sequence[Shaped]
    slices: Sequence[tuple[Shaped, int, bool]]
    scope: Sequence[Shaped]
    concat: Sequence[bool]


@dataclass(frozen=True)
class Branch:
    """A graph with its arguments, or (``graph`` None) just these values."""

    graph: Graph | None
    values: Sequence[Shaped]


class Build(Protocol):
    """What ``Operator.lower`` may ask of the compiler. Values are flat (row-major), one element per number."""

    @property
    def wide_elements(self) -> int:
        """How many elements a result of more than 32 bits may have; see ``vec``."""

    def value(self, name: str) -> Value:
        """The current value of a tensor."""

    def shape(self, name: str) -> Shape:
        """The shape of a tensor's current value."""

    def most_bits(self, name: str) -> int:
        """The smallest width in bits that holds all values which a tensor can ever have."""

    def bind(self, name: str, value: Value, shape: Shape | None = None) -> None:
        """Give a tensor a new value (also how a state is assigned); a vector unless a shape is given."""

    def settle(self, graphs: Sequence[Graph]) -> None:
        """Must be called before ``loop`` or ``choose``, and before their arguments are read."""

    def counts(self, name: str, n: int) -> bool:
        """Whether the state surely holds a number from 0 to n, since nothing but counting modulo n changes it."""

    def graph(self, graph: Graph, arguments: Sequence[Shaped]) -> list[Shaped]:
        """Lower a graph in place; its results."""

    def loop(self, loop: LoopForm) -> list[Shaped]:
        """Concatenated outputs, then final outputs of a loop."""

    def choose(self, condition: Value, then: Branch, orelse: Branch) -> list[Shaped]:
        """The results of ``then`` if the first element of ``condition`` is not zero, else of ``orelse``."""

    def known(self, value: Value) -> Int64Array | None:
        """The elements of a value that is the same in every frame, else None."""

    def constant(self, values: Int64Array) -> Value:
        """A vector of constants."""

    def size(self, value: Value) -> int:
        """Number of elements."""

    def cat(self, values: Sequence[Value]) -> Value:
        """Concatenation (costs nothing)."""

    def part(self, value: Value, first: int, end: int) -> Value:
        """Elements [first, end) (costs nothing)."""

    def take(self, value: Value, indices: Int64Array) -> Value:
        """The elements at these indices, row by row (costs nothing until they are used)."""

    def in_one_piece(self, value: Value) -> Value:
        """The value in one piece; copied if it is scattered."""

    def spread(self, value: Value, count: int) -> Value:
        """One element, ``count`` times (costs nothing)."""

    def vec(
        self,
        op: str,
        a: Value | int,
        b: Value | int = 0,
        *,
        shift_a: int = 0,
        shift_b: int = 0,
        shift: int = 0,
        rounded: bool = False,
        saturate: int | None = None,
        low: int | None = None,
    ) -> Value:
        """R(op(A(a, shift_a), A(b, shift_b)), shift, rounded), then saturated to or cut to the low bits.

        Without ``saturate`` or ``low`` the result may need 64 bits; such results must have at most
        ``wide_elements`` elements and be used soon. ``op``: vpass vadd vsub vmul vmax vmin vgt vge veq vand vor vxor.
        """

    def products(self, factors: Sequence[tuple[Value, Value]], bias: Value | int = 0, *, saturate: int = 32) -> Value:
        """Sat(bias + sum of products of at least two pairs, element by element); factors have at most 32 bits."""

    def look(self, x: Value, table: Int64Array, *, shift_a: int = 0, bits: int = 8) -> Value:
        """table[Sat(A(x, shift_a), bits) + 2**(bits-1)]."""

    def mac(
        self,
        parts: Sequence[tuple[Int64Array, Value]],
        bias: Value | int = 0,
        *,
        bias_shift: int = 0,
        shift: int = 0,
        rounded: bool = False,
        saturate: int = 32,
        repeat: int = 1,
    ) -> Value:
        """Sat(R(A(bias, bias_shift) + sum of x @ weights, shift, rounded)); weights are (len(x), outputs).

        ``repeat``: so many vectors lie side by side in each x, and their results in the result; a bias is as long. The
        number of outputs must then be a multiple of 8.
        """
