"""``GLOBALS``: the complete list of (module, name) pairs that a graph file may mention.

Equality is exact, there are no prefixes. Classes of operators follow from the registry.
"""

from __future__ import annotations

from femtodriver.fqir.files.passive_records import GRAPH, INERT, NODE, OPERATOR, TABLE, TENSOR, Marker
from femtodriver.fqir.registry import OPERATORS

# Operator classes of the producer, with the operator name that must agree.
OPERATOR_CLASSES: dict[str, str] = {operator.producer_class: name for name, operator in OPERATORS.items()}

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
