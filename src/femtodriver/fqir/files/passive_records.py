"""Passive stand-ins for what a graph file names: classes become records, numpy objects become stubs.

Nothing here is executed, imported or called on behalf of a file. ``allowed_names`` says which names a file may mention.
"""

from __future__ import annotations

from dataclasses import dataclass

GRAPH, NODE, TENSOR, OPERATOR, TABLE, INERT = "graph", "node", "tensor", "operator", "table", "inert"


@dataclass(frozen=True, eq=False)
class Marker:
    """A name that a file may mention.

    ``role``: "class" (instances become records of ``kind``), "call" (``kind`` names the only argument patterns),
    or "type" (may stand as a value, never be called).
    """

    role: str
    kind: str
    name: str

    @property
    def title(self) -> str:
        """For messages."""
        return f"the name {self.name}"


@dataclass(eq=False)
class Record:
    """An instance of a class of the file: its class, and the attributes that its state gave (None before that)."""

    __slots__ = ("marker", "state")
    marker: Marker
    state: dict[str, object] | None

    @property
    def title(self) -> str:
        """For messages."""
        return f"a {self.marker.name}"


@dataclass(eq=False)
class DtypeStub:
    """A numpy dtype: type code such as "i4", and byte order once its state arrived."""

    __slots__ = ("code", "order")
    code: str
    order: str | None

    title = "a numpy dtype"

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return int(self.code[1:])


@dataclass(eq=False)
class ArrayStub:
    """A numpy array that nobody has decoded yet; ``dtype`` is None until the state arrived."""

    __slots__ = ("dtype", "fortran", "payload", "shape")
    dtype: DtypeStub | None
    shape: tuple[int, ...]
    fortran: bool
    payload: bytes

    title = "a numpy array"


@dataclass(frozen=True, eq=False)
class RecordSet:
    """A set of records. Neighbour sets mean nothing to us, so the elements are checked and forgotten."""

    title = "a set"


RECORD_SET = RecordSet()

DTYPE_CODES = frozenset(("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"))
