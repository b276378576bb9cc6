"""A network from an in-memory GraphProto of the producer, by duck typing: neither fmot nor torch is imported.

The object's attributes are read, never written or called. They become the same passive records that a file gives, and
then the same builder checks them.
"""

from __future__ import annotations

import numpy as np

from femtodriver.errors import ModelError, UsageError
from femtodriver.fqir.files.graph_builder import build_graph
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES, Budget
from femtodriver.fqir.files.passive_records import GRAPH, NODE, OPERATOR, TABLE, TENSOR, Marker, Record
from femtodriver.fqir.graph import Network
from femtodriver.fqir.graph_roles import network_from_graph

_MISSING = object()
_MAX_NESTING = 64

# The attributes that have a meaning, and what their entries are. None: plain values.
_ATTRIBUTES: dict[str, dict[str, str | None]] = {
    GRAPH: {
        "name": None,
        "nodes": NODE,
        "inputs": TENSOR,
        "outputs": TENSOR,
        "parameters": TENSOR,
        "subgraphs": GRAPH,
        "reshaper": None,
        "unbind_dim": None,
    },
    NODE: {
        "name": None,
        "optype": OPERATOR,
        "opname": None,
        "inputs": TENSOR,
        "outputs": TENSOR,
        "constants": None,
        "subgraphs": GRAPH,
        "subgraph": GRAPH,
        "sourceref": None,
    },
    TENSOR: {"name": None, "dtype": None, "shape": None, "value": None, "quanta": None, "is_bool": None},
    OPERATOR: {"name": None},
    TABLE: {"name": None, "x": None, "y": None, "N": None},
}
# What an object must have to count as one of a kind.
_SIGNS = {
    GRAPH: ("nodes", "inputs", "outputs"),
    NODE: ("optype", "inputs", "outputs"),
    TENSOR: ("name", "shape", "dtype"),
    OPERATOR: ("name",),
    TABLE: ("x", "y"),
}
_TYPE_MARKER = Marker("type", "type", "type")


def adapt(graph_proto: object, name: str = "fqir") -> Network:
    """The network of a traced graph in memory (``fmot``'s GraphProto, or any object with its attributes).

    The object is not changed and nothing of it is kept: arrays are copied. Raises UsageError if it is no graph at all,
    ModelError if the graph is malformed or has no ARITH subgraph.
    """
    if not _looks_like(graph_proto, GRAPH):
        raise UsageError(
            f"adapt: the model must be a traced graph (GraphProto), not a {type(graph_proto).__name__}; "
            "call .trace() on the converted model."
        )
    try:
        root = _Mirror().record(graph_proto, GRAPH)
        return network_from_graph(build_graph(root, Budget(MAX_FILE_BYTES)), name)
    except ModelError as error:
        raise ModelError(f"adapt: {error}") from None


def _looks_like(value: object, kind: str) -> bool:
    return all(hasattr(value, sign) for sign in _SIGNS[kind])


class _Mirror:
    """Mirrors live objects as records, each object once."""

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        self._depth = 0

    def record(self, value: object, kind: str) -> Record:
        found = self._records.get(id(value))
        if found is not None:
            return found
        if self._depth >= _MAX_NESTING:
            raise ModelError(f"objects must be nested at most {_MAX_NESTING} deep.")
        self._depth += 1
        state: dict[str, object] = {}
        # Known before its attributes are: a graph that contains itself is then found by the builder.
        self._records[id(value)] = record = Record(Marker("class", kind, type(value).__name__), state)
        for key, inner in _ATTRIBUTES[kind].items():
            attribute = getattr(value, key, _MISSING)
            if attribute is not _MISSING:
                state[key] = self._attribute(attribute, key, inner)
        self._depth -= 1
        return record

    def _attribute(self, value: object, key: str, kind: str | None) -> object:
        if key == "dtype" and not isinstance(value, str):
            return _TYPE_MARKER
        if value is None or (key == "sourceref" and not isinstance(value, str)):
            return None
        if key == "shape" and isinstance(value, tuple):
            value = list(value)
        if kind is None:
            return self._plain(value, 0)
        if isinstance(value, dict):
            return {_key(entry): self._object(item, kind) for entry, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._object(item, kind) for item in value]
        return self._object(value, kind)

    def _object(self, value: object, kind: str) -> object:
        """A record if the object looks like one (a node among the outputs is a known defect), else itself."""
        if kind == TENSOR and _looks_like(value, NODE):
            kind = NODE
        return self.record(value, kind) if _looks_like(value, kind) else value

    def _plain(self, value: object, depth: int) -> object:
        if depth > _MAX_NESTING:
            raise ModelError(f"constants must be nested at most {_MAX_NESTING} deep.")
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, dict):
            return {_key(key): self._plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            items = [self._plain(item, depth + 1) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if not isinstance(value, np.ndarray) and _looks_like(value, TABLE):
            return self.record(value, TABLE)
        return value


def _key(value: object) -> str:
    if not isinstance(value, str):
        raise ModelError(f"dict keys must be text, not a {type(value).__name__}.")
    return value
