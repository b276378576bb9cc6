"""Networks from objects in memory: by shape, never changed, and equal to what their file gives."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import ModelError, UsageError
from femtodriver.fqir.files.from_graphproto import adapt
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph_text import graph_text
from tests.fqir.fake_fmot import RELU, GraphProto, NodeProto, TensorProto, main_graph, producer_modules, small_network


def simple_frame(**changes: Any) -> SimpleNamespace:
    """A bare graph of nameless classes, with changes to its only node."""
    x = SimpleNamespace(name="x", dtype="int8", shape=[2], value=None, quanta=0)
    y = SimpleNamespace(name="y", dtype="int8", shape=[2], value=None, quanta=0)
    node = {"name": "n", "optype": SimpleNamespace(name="relu"), "inputs": {"x": x}, "outputs": [y], "constants": {}}
    return SimpleNamespace(nodes=[SimpleNamespace(**{**node, **changes})], inputs=[x], outputs=[y], parameters=[])


@pytest.mark.parametrize("protocol", [2, 5])
def test_an_object_and_its_file_give_the_same_network(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    model = small_network()
    assert graph_text(adapt(model).main) == graph_text(load_network(pickle.dumps(model, protocol)).main)


def test_objects_of_any_class_will_do() -> None:
    network = adapt(simple_frame(), "mine")
    assert network.name == "mine"
    assert network.frame.nodes[0].op == "relu"
    assert network.frame.inputs[0] is network.frame.nodes[0].inputs["x"]


def test_the_object_is_not_changed_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    model = small_network()
    before = pickle.dumps(copy.deepcopy(model))
    network = adapt(model)
    assert pickle.dumps(copy.deepcopy(model)) == before
    original = model.subgraphs["ARITH"].parameters[0].value
    converted = network.frame.parameters[0].value
    assert converted is not None
    assert not np.shares_memory(original, converted)
    assert original.flags.writeable
    assert not converted.flags.writeable


def test_int64_arrays_are_copied_too() -> None:
    weight = np.zeros((4, 3), np.int64)
    network = adapt(small_network(weight))
    weight[:] = 5
    assert not network.frame.parameters[0].value.any()  # type: ignore[union-attr]


def test_constants_of_numpy_become_plain() -> None:
    constants = {"a": np.int32(5), "b": np.bool_(True), "c": [np.int8(1), (np.int64(2),)], "d": np.array([1, 2], "i2")}
    found = adapt(simple_frame(constants=constants)).frame.nodes[0].constants
    assert (found["a"], found["b"], found["c"]) == (5, True, (1, (2,)))
    assert type(found["b"]) is bool
    assert found["d"].dtype == np.int64


@pytest.mark.parametrize("dtype", [int, np.int16, np.dtype("i2"), SimpleNamespace()])
def test_types_as_dtype_mean_unknown(dtype: Any) -> None:
    frame = simple_frame()
    frame.inputs[0].dtype = dtype
    assert adapt(frame).inputs[0].dtype == ""


def test_a_shape_may_be_a_tuple() -> None:
    frame = simple_frame()
    frame.inputs[0].shape = (2,)
    assert adapt(frame).inputs[0].shape == (2,)


def test_a_node_among_the_outputs_is_repaired() -> None:
    x, y, copied = (TensorProto(name, "int16", [4]) for name in ("x", "y", "%c"))
    first = NodeProto(RELU(), {"x": x}, [y])
    second = NodeProto(RELU(), {"x": y}, [copied], name="output.1")
    frame = adapt(main_graph(GraphProto("ARITH", [first, second], [x], [y, second]))).frame
    assert [one.name for one in frame.outputs] == ["y", "output.1"]
    assert frame.nodes[-1].op == "copy"


@pytest.mark.parametrize("model", [None, 5, "model.pt", [1], {"nodes": []}, RELU(), np.zeros(3)])
def test_what_is_no_graph_is_an_error_of_the_caller(model: Any) -> None:
    with pytest.raises(UsageError, match=r"^adapt: the model must be a traced graph \(GraphProto\), not a .*trace"):
        adapt(model)


def nested(depth: int) -> Any:
    frame: Any = simple_frame()
    for _ in range(depth):
        frame = simple_frame(optype=None, subgraphs={"body": frame})
    return frame


def itself() -> Any:
    frame = simple_frame(optype=None)
    frame.nodes[0].subgraphs = {"body": frame}
    return frame


def endless_list() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (simple_frame(inputs={"x": 5}), "must be a tensor, not 5"),
        (simple_frame(inputs={1: None}), "keys must be text"),
        (simple_frame(inputs=[]), "must be a dict"),
        (simple_frame(outputs={}), "must be a list"),
        (simple_frame(name=None), "must be text, not None"),
        (simple_frame(optype="relu"), "must be an operator"),
        (simple_frame(optype=None), "must have one subgraph"),
        (simple_frame(opname="vvadd"), "opname must agree"),
        (simple_frame(constants={"x": 1}), "name of an input"),
        (simple_frame(constants={"f": print}), "must be an array"),
        (simple_frame(constants={"f": 1 << 64}), "must fit 64 bits"),
        (simple_frame(constants={"f": endless_list()}), "nested at most"),
        (simple_frame(subgraphs={"body": 5}), "must be a graph"),
        (nested(30), "nested at most"),
        (itself(), "must not contain itself"),
        (SimpleNamespace(nodes=[], inputs=[], outputs=[], parameters=[]), "it is empty"),
        (SimpleNamespace(nodes=5, inputs=[], outputs=[], parameters=[]), "must be a list"),
        (SimpleNamespace(nodes=[], inputs=[], outputs=[]), "'parameters' must be present"),
    ],
)
def test_malformed_graphs_are_refused(frame: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        adapt(frame)
    assert str(caught.value).startswith("adapt: ")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.zeros(2, np.float32), "array of whole numbers, not of float32"),
        (np.array([None, 1]), "array of whole numbers, not of object"),
        ([1, 2], "must be an array"),
        (np.zeros((1,) * 9, np.int8), "at most 8 dimensions"),
        (np.array([1 << 63], np.uint64), "63 bits"),
    ],
)
def test_values_must_be_arrays_of_integers(value: Any, says: str) -> None:
    frame = simple_frame()
    frame.inputs[0].value = value
    with pytest.raises(ModelError, match=says):
        adapt(frame)


@pytest.mark.slow
def test_neither_torch_nor_fmot_is_imported() -> None:
    imports = "import sys, femtodriver.fqir.files.from_graphproto, femtodriver.fqir.files.load_network"
    code = f"{imports}; print({{'torch', 'fmot'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"


# ---- the real producer ---------------------------------------------------------------------------------------


@pytest.mark.fmot
@pytest.mark.slow
def test_a_traced_model_and_all_forms_of_its_file_agree(fmot: ModuleType) -> None:
    import torch

    class Twice(torch.nn.Module):  # type: ignore[misc]
        """Returns one tensor twice: the producer's known defect is in the graph."""

        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(8, 4)

        def forward(self, x):  # type: ignore[no-untyped-def]
            y = torch.sigmoid(self.linear(x))
            return y, y

    model = fmot.ConvertedModel(Twice(), batch_dim=0)
    model.quantize([torch.randn(4, 8) for _ in range(3)])
    traced = model.trace()
    expected = graph_text(adapt(traced).main)
    assert [one.name for one in adapt(traced).outputs] == ["output.0", "output.1"]

    def saved(**options: Any) -> bytes:
        buffer = io.BytesIO()
        torch.save(traced, buffer, **options)
        return buffer.getvalue()

    files = [saved(), saved(_use_new_zipfile_serialization=False)]
    files += [saved(pickle_protocol=protocol) for protocol in (3, 4, 5)]
    files += [pickle.dumps(traced, protocol) for protocol in (2, 3, 4, 5)]
    for data in files:
        assert graph_text(load_network(data).main) == expected
