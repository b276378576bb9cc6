"""Loading whole files: forms, versions, whole-file errors, the network inside, and the corpus."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import ModelError, UsageError
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES
from femtodriver.fqir.files.load_network import load_graph, load_network
from femtodriver.fqir.graph import Table
from femtodriver.fqir.graph_text import graph_text, network_text
from tests.fqir import fake_fmot
from tests.fqir.fake_fmot import COPY, GraphProto, NodeProto, TensorProto, main_graph, producer_modules, small_network
from tests.fqir.files.work import Work
from tests.fqir.graph_wire import MISSING, archive, bare, graph, legacy, name, node, tensor

MOST_CALLS_PER_BYTE = 2


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "my net.pt"
    path.write_bytes(archive(graph()))
    return path


# ---- what CPython's own pickler writes -----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickled_network_loads(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    network = load_network(pickle.dumps(small_network(), protocol), "net")
    first, second, third = network.frame.nodes
    assert [first.op, second.op, third.op] == ["addmm", "lut", "vvadd"]
    assert first.name == "model.linear"
    assert list(first.inputs) == ["bias", "x", "y"]
    assert dict(first.constants) == {
        "shamt_bias": 0, "shamt_bwred": -3, "bw_out": 16, "rounded": True, "note": None,
    }  # fmt: skip
    assert type(first.constants["shamt_bwred"]) is int
    assert second.constants["list"] == (1, (2, 3))
    assert third.constants["q"] == 1.5
    table = second.constants["table"]
    assert isinstance(table, Table)
    assert table.name == "sigmoid"
    assert table.addresses.tolist() == list(range(-128, 128))
    assert network.state_names == ("%s",)
    assert [one.name for one in network.inputs] == ["x"]
    assert [one.name for one in network.outputs] == ["output.0"]
    assert network.main.unbind_dim == 1


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["b1", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "u1", "<u2", ">u4", "<u8"])
def test_arrays_keep_their_numbers(protocol: int, order: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    numbers = (np.arange(12).reshape(4, 3) % 2 if kind == "b1" else np.arange(12).reshape(4, 3)).astype(kind, order)
    value = load_network(pickle.dumps(small_network(numbers), protocol)).frame.parameters[0].value
    assert value is not None
    assert value.dtype == np.int64
    assert value.flags.c_contiguous
    assert not value.flags.writeable
    np.testing.assert_array_equal(value, numbers.astype(np.int64))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (), (2, 0, 2), (1, 1, 2, 2)])
def test_arrays_keep_their_shapes(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    numbers = np.full(shape, 7, np.int32)
    for protocol in (2, 5):
        value = load_network(pickle.dumps(small_network(numbers), protocol)).frame.parameters[0].value
        assert value is not None
        assert value.shape == shape
        assert (value == 7).all()


def test_negative_numbers_keep_their_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    for kind in ("i1", ">i2", "<i4", ">i8"):
        numbers = np.array([[np.iinfo(kind).min, -1, 0, np.iinfo(kind).max]], kind)
        value = load_network(pickle.dumps(small_network(numbers))).frame.parameters[0].value
        np.testing.assert_array_equal(value, numbers.astype(np.int64))


def test_shared_objects_stay_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    network = load_network(pickle.dumps(small_network()))
    assert network.main.nodes[0].subgraphs["body"] is network.frame
    assert network.frame.nodes[0].outputs[0] is network.frame.nodes[1].inputs["x"]


@pytest.mark.parametrize("wrap", [archive, bare, legacy])
def test_all_three_forms_load_alike(wrap: Any) -> None:
    assert graph_text(load_graph(wrap(graph()))) == graph_text(load_graph(bare(graph())))


# ---- older producers -----------------------------------------------------------------------------------------


def test_a_node_without_subgraphs_has_its_subgraph() -> None:
    old = node(optype=None, opname="ARITH", subgraphs=MISSING, subgraph=graph())
    assert list(load_graph(bare(graph(nodes=[old]))).nodes[0].subgraphs) == ["body"]
    plain = node(subgraphs=MISSING, subgraph=MISSING)
    assert load_graph(bare(graph(nodes=[plain]))).nodes[0].subgraphs == {}


def test_a_tensor_without_is_bool_is_none() -> None:
    assert load_graph(bare(graph(inputs=[tensor(is_bool=MISSING)]))).inputs[0].is_bool is False


@pytest.mark.parametrize("kind", ["long", "int", "float", "bool", "str"])
def test_type_markers_as_dtype_mean_unknown(kind: str) -> None:
    made = load_graph(bare(graph(inputs=[tensor(dtype=name("__builtin__", kind))]))).inputs[0]
    assert (made.dtype, made.bits) == ("", None)


@pytest.mark.parametrize(("quanta", "expected"), [(None, None), (-7, -7.0), (-7.0, -7.0)])
def test_quanta_are_real_numbers(quanta: Any, expected: Any) -> None:
    assert load_graph(bare(graph(inputs=[tensor(quanta=quanta)]))).inputs[0].quanta == expected


def test_old_numpy_and_caches_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    data = pickle.dumps(small_network(), 2).replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
    assert b"numpy._core" not in data
    assert network_text(load_network(data)) == network_text(load_network(pickle.dumps(small_network(), 2)))


# ---- the known defect of the producer ------------------------------------------------------------------------


def twice(node_name: str = "output.1", outputs: int = 1) -> GraphProto:
    """A network that returns a tensor twice: the copying node is in the list of outputs."""
    x, y, copied = (TensorProto(label, "int16", [4]) for label in ("x", "output.0", "%x.1"))
    relu = NodeProto(fake_fmot.RELU(), {"x": x}, [y])
    copy = NodeProto(COPY(), {"x": y}, [copied] * outputs, name=node_name)
    return main_graph(GraphProto("ARITH", [relu, copy], [x], [y, copy]))


def test_a_node_among_the_outputs_is_published_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    frame = load_network(pickle.dumps(twice())).frame
    assert [one.name for one in frame.outputs] == ["output.0", "output.1"]
    last = frame.nodes[-1]
    assert (last.op, last.inputs["x"].name, last.outputs[0]) == ("copy", "%x.1", frame.outputs[1])
    assert frame.outputs[1].shape == (4,)


def test_a_node_named_like_its_tensor_is_its_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    frame = load_network(pickle.dumps(twice("%x.1"))).frame
    assert [one.name for one in frame.outputs] == ["output.0", "%x.1"]
    assert len(frame.nodes) == 2


@pytest.mark.parametrize(
    ("node_name", "outputs", "says"), [("x", 1, "named like a tensor"), ("", 1, "without name"), ("n", 2, "several")]
)
def test_what_cannot_be_repaired_is_refused(
    node_name: str, outputs: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer_modules(monkeypatch)
    with pytest.raises(ModelError, match=says):
        load_network(pickle.dumps(twice(node_name, outputs)))


# ---- the network inside --------------------------------------------------------------------------------------


def test_the_frame_is_arith_and_the_state_is_init() -> None:
    init = graph(name="INIT", inputs=[], nodes=[], outputs=[], parameters=[tensor("s")])
    frame = graph(inputs=[tensor("x"), tensor("s")])
    network = load_network(bare(graph(name="", nodes=[], subgraphs={"ARITH": frame, "INIT": init, "QUANT": graph()})))
    assert network.init is network.main.subgraphs["INIT"]
    assert network.state_names == ("s",)
    assert [one.name for one in network.inputs] == ["x"]


def test_a_bare_graph_is_its_own_frame() -> None:
    network = load_network(bare(graph()))
    assert network.frame is network.main
    assert network.init is None


def test_settable_parameters_are_tolerated() -> None:
    assert load_network(bare(graph(subgraphs={"ARITH": graph(), "ARITH:SET:x": graph(nodes=[])})))


def test_the_name_is_the_stem_unless_given(good: Path) -> None:
    assert load_network(good).name == "my net"
    assert load_network(str(good)).name == "my net"
    assert load_network(good, "other").name == "other"
    assert load_network(good.read_bytes()).name == "network"


# ---- whole files ---------------------------------------------------------------------------------------------


def refusal(source: Any) -> str:
    with pytest.raises(ModelError) as caught:
        load_network(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.pt"
    assert refusal(path) == f"{path}: the file must exist."


def test_an_empty_file_is_refused(good: Path) -> None:
    good.write_bytes(b"")
    assert refusal(good) == f"{good}: the file must be a graph saved by torch.save, not empty."


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "not a directory" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.pt"
    os.mkfifo(path)
    assert "must be an ordinary file, not a pipe" in refusal(path)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no /dev/zero on this system")
def test_a_device_is_refused() -> None:
    assert "must be an ordinary file, not a device" in refusal("/dev/zero")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "sparse.pt"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert f"at most {MAX_FILE_BYTES} bytes, not {1 << 40}" in refusal(path)


def test_huge_bytes_are_refused() -> None:
    assert f"at most {MAX_FILE_BYTES} bytes" in refusal(bytes(MAX_FILE_BYTES + 1))


def test_a_text_file_is_refused(good: Path) -> None:
    good.write_text("import os\n")
    assert "check that it is the right file" in refusal(good)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(good: Path) -> None:
    good.chmod(0)
    assert "Permission denied" in refusal(good)


@pytest.mark.parametrize("value", [[1, 2], {"state_dict": [1.0]}, "text", 5, np.int32(5), (None,)])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_of_something_else_is_refused(value: Any, protocol: int) -> None:
    assert "must hold a GraphProto" in refusal(pickle.dumps(value, protocol))


def test_a_name_with_a_nul_is_refused() -> None:
    assert "NUL" in refusal("a\0b.pt")


def test_names_in_messages_are_escaped(tmp_path: Path) -> None:
    message = refusal(tmp_path / "a\nb\u202e.pt")
    assert message.isprintable()
    assert r"a\nb\u202e.pt" in message


@pytest.mark.parametrize("source", [5, None, ["a.pt"], bytearray(b"x")])
def test_other_sources_are_errors_of_the_caller(source: Any) -> None:
    with pytest.raises(UsageError, match="must be a path or bytes"):
        load_network(source)


@pytest.mark.parametrize("cut", range(0, 1800, 61))
def test_a_truncated_file_is_refused(cut: int) -> None:
    data = archive(graph())
    assert len(data) > 1800
    assert refusal(data[:cut])


# ---- the corpus ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_corpus_graph_loads_and_prints(corpus: Path) -> None:
    paths = sorted(corpus.glob("*/*/graph.pt"))
    assert len(paths) > 100
    for path in paths:
        with Work() as work:
            network = load_network(path, path.parent.name)
        assert work.calls < MOST_CALLS_PER_BYTE * path.stat().st_size
        text = network_text(network)
        assert text == network_text(network)
        assert text.isascii()
        assert len(text.splitlines()) > len(network.frame.nodes)


@pytest.mark.slow
def test_corpus_inputs_and_outputs_are_those_of_the_golden_runs(corpus: Path) -> None:
    for path in sorted(corpus.glob("zoo/*/graph.pt")):
        network = load_network(path)
        inputs, outputs = np.load(path.with_name("inputs.npz")), np.load(path.with_name("outputs.npz"))
        assert {one.name: one.shape for one in network.inputs} == {key: inputs[key].shape[1:] for key in inputs}
        assert {one.name: one.shape for one in network.outputs} == {key: outputs[key].shape[1:] for key in outputs}
