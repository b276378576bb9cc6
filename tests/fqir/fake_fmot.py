"""Stand-ins for the producer's classes, by shape only: what adapt reads, and what CPython's own pickler writes.

``producer_modules`` makes the pickler believe that these classes live where the producer's do.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest


class TensorProto:
    def __init__(self, name: str, dtype: Any, shape: list[int], value: Any = None, quanta: Any = -7) -> None:
        self.name, self.dtype, self.shape, self.value, self.quanta = name, dtype, shape, value, quanta
        self.is_bool = False
        self.avg_sparsity = None
        self.density_per_element = np.full((4,), 0.5)
        self.named_dims = ["F", "B"]
        self.children: set[Any] = set()
        self.parents: set[Any] = set()
        self.parent_nodes: set[Any] = set()


class RELU:
    name = "relu"


class VVADD:
    name = "vvadd"


class ADDMM:
    name = "addmm"


class LUT:
    name = "lut"


class COPY:
    name = "copy"


class ZEROS:
    name = "zeros"


class NullCounter:
    pass


OPERATORS = (RELU, VVADD, ADDMM, LUT, COPY, ZEROS)


class Table:
    def __init__(self, x: Any, y: Any, name: str) -> None:
        self.x, self.y, self.name, self.N = x, y, name, len(x)


class NodeProto:
    def __init__(self, optype: Any, inputs: dict[str, Any], outputs: list[Any], **rest: Any) -> None:
        self.optype, self.inputs, self.outputs = optype, inputs, outputs
        if optype is not None:
            optype.name = type(optype).name  # state, as in the producer's objects
        self.name = rest.get("name", "")
        self.constants = rest.get("constants", {})
        self.subgraphs = rest.get("subgraphs", {})
        self.subgraph = next(iter(self.subgraphs.values())) if len(self.subgraphs) == 1 else None
        self.opname = optype.name if optype is not None else self.subgraph.name  # type: ignore[union-attr]
        self.opcounter = NullCounter()
        self.sourceref = "x = torch.relu(y)  # ключ 鍵 🔑"


class GraphProto:
    def __init__(self, name: str, nodes: list[Any], inputs: list[Any], outputs: list[Any], **rest: Any) -> None:
        self.name, self.nodes, self.inputs, self.outputs = name, nodes, inputs, outputs
        self.parameters = rest.get("parameters", [])
        self.subgraphs = rest.get("subgraphs", {})
        self.reshaper = None
        self.unbind_dim = rest.get("unbind_dim")
        self.stack_dim = None


PLACES = {
    "fmot.fqir.graph_proto.graph_proto": (GraphProto,),
    "fmot.fqir.nodes.node_proto": (NodeProto,),
    "fmot.fqir.variables.tensor_proto": (TensorProto,),
    "fmot.fqir.nodes.optypes": OPERATORS,
    "fmot.fqir.nodes.opcounters": (NullCounter,),
    "fmot.qat.nn.atomics": (Table,),
}


def producer_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the end of the test, the classes above are at home in the producer's modules."""
    parents = {place.rsplit(".", depth)[0] for place in PLACES for depth in range(1, 4)}
    for parent in sorted(parents):
        monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
    for place, classes in PLACES.items():
        module = types.ModuleType(place)
        for cls in classes:
            monkeypatch.setattr(cls, "__module__", place)
            setattr(module, cls.__name__, cls)
        monkeypatch.setitem(sys.modules, place, module)


def main_graph(frame: GraphProto, init: GraphProto | None = None) -> GraphProto:
    """A main graph around a frame graph, wrapped by nodes as the producer does."""
    subgraphs = {"ARITH": frame} if init is None else {"ARITH": frame, "INIT": init}
    nodes = [NodeProto(None, {}, [], subgraphs={"body": body}) for body in subgraphs.values()]
    return GraphProto("MAIN", nodes, frame.inputs, frame.outputs, subgraphs=subgraphs, unbind_dim=1)


def small_network(weight: Any = None) -> GraphProto:
    """x [4] -> addmm -> lut -> vvadd with state: everything that files contain, in little."""
    weight = np.asfortranarray(np.arange(12, dtype=np.int32).reshape(4, 3) - 6) if weight is None else weight
    x = TensorProto("x", "fqint16", [4])
    w = TensorProto("%w.1", "fqint8", list(weight.shape), weight)
    bias = TensorProto("%b", "int16", [3], np.array([1, -2, 3], ">i2"))
    state = TensorProto("%s", "int16", [3])
    hidden, looked, out = (TensorProto(name, "int16", [3]) for name in ("%h", "%l", "output.0"))
    hidden.children.add(looked)
    looked.parents.add(hidden)
    shifts = {"shamt_bias": 0, "shamt_bwred": np.int32(-3), "bw_out": 16, "rounded": True, "note": None}
    table = Table(np.arange(-128, 128, dtype=np.int8), np.arange(256, dtype=np.int64), "sigmoid")
    first = NodeProto(ADDMM(), {"bias": bias, "x": x, "y": w}, [hidden], constants=shifts, name="model.linear")
    second = NodeProto(LUT(), {"x": hidden}, [looked], constants={"table": table, "list": [1, (2, 3)]})
    third = NodeProto(VVADD(), {"x": looked, "y": state}, [out], constants={"bw": 16, "q": 1.5})
    looked.parent_nodes.add(second)
    frame = GraphProto("ARITH", [first, second, third], [x], [out], parameters=[w, bias])
    zero = TensorProto("%s", "int16", [3])
    init = GraphProto("INIT", [NodeProto(ZEROS(), {}, [zero], constants={"shape": [3]})], [], [zero])
    return main_graph(frame, init)
