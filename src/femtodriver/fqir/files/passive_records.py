"""Passive stand-ins for what a graph file names: classes become records, numpy objects become stubs.

Nothing here is executed, imported or called on behalf of a file. The table ``GLOBALS`` is the complete list of
(module, name) pairs that a file may mention (spec/fqir.md A.5); equality is exact, there are no prefixes.
"""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.fqir.registry import OPERATORS

# Operator classes of the producer, with the operator name that must agree (spec/fqir.md C.1).
OPERATOR_CLASSES: dict[str, str] = {operator.producer_class: name for name, operator in OPERATORS.items()}

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

_COUNTERS = (
    "NullCounter",
    "VVCounter",
    "VCounter",
    "CopyCounter",
    "MatmulCounter",
    "VLUTCounter",
    "ShiftCounter",
    "ReductionCounter",
    "ConvCounter",
    "OpCounter",
)
_CLASSES = {
    "fmot.fqir.graph_proto.graph_proto": {"GraphProto": GRAPH},
    "fmot.fqir.nodes.node_proto": {"NodeProto": NODE},
    "fmot.fqir.variables.tensor_proto": {"TensorProto": TENSOR},
    "fmot.fqir.nodes.optypes": dict.fromkeys(OPERATOR_CLASSES, OPERATOR),
    "fmot.qat.nn.atomics": {"Table": TABLE},
    "fmot.fqir.nodes.node_base": {"NodeReprSettings": INERT},
    "fmot.fqir.nodes.opcounters": dict.fromkeys(_COUNTERS, INERT),
    "fmot.fqir.nodes.opcount": {"OpCount": INERT},
    "fmot.fqir.runtime_backend": {"CompiledGraphRuntime": INERT},
    "fmot.fqir.runtime_plan": dict.fromkeys(("RuntimeGraphPlan", "RuntimeNode", "RuntimeTensor"), INERT),
}
_CALLS = {
    "__builtin__": ("set", "bytes"),
    "builtins": ("set", "bytes"),
    "_codecs": ("encode",),
    "numpy": ("dtype",),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.numeric": ("_frombuffer",),
    "numpy.core.numeric": ("_frombuffer",),
    "collections": ("OrderedDict",),
}
_TYPES = {
    "__builtin__": ("long", "int", "float", "bool", "str"),
    "builtins": ("long", "int", "float", "bool", "str"),
    "numpy": ("ndarray",),
}


def _table() -> dict[tuple[str, str], Marker]:
    table = {}
    for module, kinds in _CLASSES.items():
        for name, kind in kinds.items():
            table[module, name] = Marker("class", kind, name)
    for role, listing in (("call", _CALLS), ("type", _TYPES)):
        for module, names in listing.items():
            for name in names:
                table[module, name] = Marker(role, name, name)
    return table


GLOBALS: dict[tuple[str, str], Marker] = _table()
