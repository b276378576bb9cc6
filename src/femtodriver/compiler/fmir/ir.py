"""FMIR, the mapped IR: vector operations on views of named buffers, in execution order, each on a core.

Concatenation, splitting and chunking do not exist here: they are views. All arithmetic is in ``Vec`` (one vector
instruction each), ``Look``, ``Interp``, ``Mac`` and ``Products``. ``interpreter`` executes it, ``fmir_text`` prints it,
``verify`` checks it, and ``rewriting`` has what passes need to change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

import numpy as np

from femtodriver.arrays import BoolArray, Int64Array
from femtodriver.compiler.fmir.network_interface import MappedState, Port
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.compiler.fmir.weight_halves import nonzero_halves
from femtodriver.isa import SPECS, Form, Spec
from femtodriver.isa.limits import GROUP_SIZE


class Role(str, Enum):
    """Why a buffer exists; decides where it may live and for how long."""

    INPUT = "input"
    OUTPUT = "output"
    STATE = "state"
    CONST = "const"
    TEMP = "temp"
    CARRIED = "carried"  # from one iteration of a loop to the next
    KEPT = "kept"  # a copy of an inner value for debugging
    MAIL = "mail"  # written by a message from another core


@dataclass(frozen=True, eq=False)
class Buffer:
    """``length`` elements of ``bits`` (8, 16, 32; 64 = accumulators only) on a core. ``init``: value at reset.

    ``position``: None, or the 16-bit element that says where this buffer begins, in 64-bit words. Such a buffer is
    circular: it is in memory twice, one copy behind the other, so that its elements are in line from any position on.
    """

    name: str
    length: int
    bits: int
    role: Role
    core: int = 0
    init: Int64Array | None = None
    position: View | None = None


@dataclass(frozen=True)
class View:
    """``length`` elements of a buffer from ``offset`` on; ``step`` 0 repeats the element at ``offset``.

    With a ``cursor`` the offset counts from where the cursor of a loop is in the present iteration.
    """

    buffer: str
    offset: int
    length: int
    step: int = 1
    cursor: str = ""

    @property
    def end(self) -> int:
        """Index after the last element that is touched."""
        return self.offset + (self.length if self.step else 1)

    def part(self, first: int, end: int) -> View:
        """Elements [first, end) of the view."""
        return View(self.buffer, self.offset + first * self.step, end - first, self.step, self.cursor)


@dataclass(frozen=True)
class Post:
    """What happens to a result: R(., shift, rounded), then saturate to ``bits`` (positive: and 0 if that is negative),
    or keep the low ``bits``."""

    shift: int = 0
    rounded: bool = False
    clip: str = "none"  # "none", "saturate", "positive", "low"
    bits: int = 32


@dataclass(frozen=True)
class Vec:
    """dst = post(op(A(a, shift_a), A(b, shift_b))), elementwise; ``op`` is the name of a vector instruction."""

    op: str
    dst: View
    a: View | int
    b: View | int = 0
    shift_a: int = 0
    shift_b: int = 0
    post: Post = Post()
    layer: int = 0
    core: int = 0
    also: tuple[int, ...] = ()

    @cached_property
    def reads(self) -> tuple[View, ...]:
        """Views that are read."""
        operands = (self.a, self.b)[: self.spec.reads]
        return tuple(view for view in operands if isinstance(view, View))

    @property
    def spec(self) -> Spec:
        """The instruction's row in the table of the instruction set."""
        return SPECS[self.op]

    @property
    def is_move(self) -> bool:
        """Whether it only moves a value, with the shifts and the clip of a move."""
        return self.spec.is_move


@dataclass(frozen=True)
class Look:
    """dst = table[Sat(A(a, shift_a), bits)]."""

    dst: View
    a: View
    table: str
    shift_a: int = 0
    bits: int = 8
    layer: int = 0
    core: int = 0
    also: tuple[int, ...] = ()

    @property
    def reads(self) -> tuple[View, ...]:
        """Views that are read."""
        return (self.a,)


@dataclass(frozen=True)
class Interp:
    """dst = post(A(A(slope[h] * l, -8), shift_a) + A(offset[h], shift_b)) for a 16-bit ``a`` = 256 * h + l."""

    dst: View
    a: View
    offset: str
    slope: str
    shift_a: int = 0
    shift_b: int = 0
    post: Post = Post()
    layer: int = 0
    core: int = 0
    also: tuple[int, ...] = ()

    @property
    def reads(self) -> tuple[View, ...]:
        """Views that are read."""
        return (self.a,)


@dataclass(frozen=True)
class Mac:
    """dst = post(A(bias, bias_shift) + sum of matrix @ x over the parts).

    ``repeat``: of so many vectors, side by side in each x as the results are in ``dst``; then rows are whole groups.
    """

    dst: View
    parts: tuple[tuple[str, View], ...]
    bias: View | int = 0
    bias_shift: int = 0
    post: Post = Post()
    layer: int = 0
    core: int = 0
    repeat: int = 1
    also: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """Outputs of each product."""
        return self.dst.length // self.repeat

    @property
    def reads(self) -> tuple[View, ...]:
        """Views that are read."""
        bias = (self.bias,) if isinstance(self.bias, View) else ()
        return (*bias, *(view for _, view in self.parts))


@dataclass(frozen=True)
class Products:
    """dst = post(A(bias, bias_shift) + sum of a * b over the ``factors``), elementwise."""

    dst: View
    factors: tuple[tuple[View, View | int], ...]
    bias: View | int = 0
    bias_shift: int = 0
    post: Post = Post()
    layer: int = 0
    core: int = 0
    also: tuple[int, ...] = ()

    @property
    def reads(self) -> tuple[View, ...]:
        """Views that are read: the bias, then the factors."""
        operands = (self.bias, *(operand for pair in self.factors for operand in pair))
        return tuple(operand for operand in operands if isinstance(operand, View))


@dataclass(frozen=True)
class Send:
    """Copy ``a`` into ``dst`` on another core by a message. Both start on whole 64-bit words."""

    dst: View
    a: View
    layer: int = 0
    core: int = 0
    also: tuple[int, ...] = ()

    @property
    def reads(self) -> tuple[View, ...]:
        """Views that are read."""
        return (self.a,)


@dataclass(frozen=True)
class Delay:
    """The circular buffer ``dst`` moves on: its first elements go, ``a`` follows the rest. Its position moves next."""

    dst: View
    a: View
    layer: int = 0
    core: int = 0
    also: tuple[int, ...] = ()

    @property
    def reads(self) -> tuple[View, ...]:
        """Views that are read."""
        return (self.a, self.dst.part(self.a.length, self.dst.length))


@dataclass(frozen=True)
class Cursor:
    """A position that a loop moves by ``stride`` elements per iteration. It starts where ``parent`` stands, or at 0."""

    name: str
    stride: int
    parent: str = ""


@dataclass(frozen=True)
class Loop:
    """``body``, ``count`` times in sequence."""

    count: int
    body: tuple[Op, ...]
    cursors: tuple[Cursor, ...] = ()
    layer: int = 0
    core: int = 0


@dataclass(frozen=True)
class If:
    """``then`` if the one element of ``condition`` is not zero, else ``orelse``."""

    condition: View
    then: tuple[Op, ...]
    orelse: tuple[Op, ...]
    layer: int = 0
    core: int = 0


# ``layer`` of an operation: whose instructions it becomes; ``also``: other layers whose work it does too.
Simple = Vec | Look | Interp | Mac | Products | Send | Delay
Op = Simple | Loop | If


def walk(ops: Iterable[Op]) -> Iterator[Op]:
    """All operations, outer before inner, in the order of the text."""
    for op in ops:
        yield op
        for body in bodies(op):
            yield from walk(body)


def bodies(op: Op) -> tuple[tuple[Op, ...], ...]:
    """The bodies of a loop or condition; none for a simple operation."""
    if isinstance(op, Loop):
        return (op.body,)
    if isinstance(op, If):
        return (op.then, op.orelse)
    return ()


def reads(op: Op) -> tuple[View, ...]:
    """Views that an operation itself reads (not its bodies)."""
    if isinstance(op, Loop):
        return ()
    return (op.condition,) if isinstance(op, If) else op.reads


def table_names(op: Op) -> tuple[str, ...]:
    """Look-up tables that an operation itself uses."""
    if isinstance(op, Interp):
        return (op.offset, op.slope)
    return (op.table,) if isinstance(op, Look) else ()


def writes(op: Op) -> tuple[View, ...]:
    """Views that an operation itself writes (not its bodies)."""
    return () if isinstance(op, (Loop, If)) else (op.dst,)


def touches(op: Op) -> tuple[View, ...]:
    """Views that an operation itself reads or writes."""
    return (*reads(op), *writes(op))


@dataclass(frozen=True, eq=False)
class Matrix:
    """Weights (columns, rows) of ``bits`` 4, 8 or 16; ``form``: which groups of weights are stored.

    ``halves``: which halves of the groups of 8 consecutive outputs of one activation have a nonzero weight, shape
    (columns, groups, 2); made from the weights unless it is given.
    """

    name: str
    weights: Int64Array
    bits: int
    form: Form = Form.DENSE
    halves: BoolArray = field(default_factory=lambda: np.zeros((0, 0, 2), np.bool_), repr=False)

    def __post_init__(self) -> None:
        if self.halves.shape[:2] != (self.columns, -(-self.rows // GROUP_SIZE)):
            object.__setattr__(self, "halves", nonzero_halves(self.weights))

    def cut(self, name: str, first: int, end: int) -> Matrix:
        """The outputs [first, end) as a matrix of that name; the weights are not copied."""
        halves = self.halves[:, first // GROUP_SIZE : -(-end // GROUP_SIZE)]
        whole_groups = first % GROUP_SIZE == 0 and (end % GROUP_SIZE == 0 or end == self.rows)
        return Matrix(name, self.weights[:, first:end], self.bits, self.form, halves if whole_groups else halves[:0])

    @cached_property
    def groups(self) -> int:
        """Groups of weights that are not all zero."""
        return int(np.count_nonzero(self.halves.any(axis=2)))

    @property
    def columns(self) -> int:
        """Number of activations."""
        return int(self.weights.shape[0])

    @property
    def rows(self) -> int:
        """Number of outputs."""
        return int(self.weights.shape[1])


@dataclass(frozen=True, eq=False)
class Fmir:
    """A mapped network: tables of buffers, matrices and look-up tables, and the operations of one frame.

    ``kept`` maps the FQIR names that were asked for to buffers that keep a copy of their values until the frame ends.
    ``states``: where the states of the network are, by their FQIR names.
    """

    name: str
    buffers: Mapping[str, Buffer]
    matrices: Mapping[str, Matrix]
    tables: Mapping[str, Int64Array]
    ops: tuple[Op, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    layers: tuple[SourceLayer, ...]
    kept: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, MappedState] = field(default_factory=dict)

    def with_ops(self, ops: tuple[Op, ...], buffers: Mapping[str, Buffer] | None = None) -> Fmir:
        """The same network with other operations, and without the buffers, matrices and tables they do not use."""
        kept = self.buffers if buffers is None else buffers
        every = list(walk(ops))
        used = {view.buffer for op in every for view in touches(op)}
        used |= {port.buffer for port in (*self.inputs, *self.outputs)} | set(self.kept.values())
        matrices = {name for op in every if isinstance(op, Mac) for name, _ in op.parts}
        tables = {name for op in every for name in table_names(op)}
        return replace(
            self,
            ops=ops,
            buffers={name: buffer for name, buffer in kept.items() if name in used},
            matrices={name: matrix for name, matrix in self.matrices.items() if name in matrices},
            tables={name: table for name, table in self.tables.items() if name in tables},
        )
