"""What the writer writes: the same bytes for the same network, each thing once, nothing forgotten."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from femtodriver.fqir.exchange import fqir_bytes, load_fqir
from femtodriver.fqir.exchange.exchange_layout import ELEMENT_TYPES, split_parts
from femtodriver.fqir.graph import Graph, Network, Node, Table, Tensor
from femtodriver.model.loopback import loopback
from tests.fqir.exchange.fqir_samples import sample, written
from tests.fqir.small_networks import graph, network, node, parameter, tensor

# A field that is new must be written, read, described in docs/fqir-file.md, and added here.
WRITTEN = {
    Network: "name main frame init",
    Graph: "name inputs outputs parameters nodes subgraphs unbind_dim",
    Node: "name op inputs outputs constants subgraphs line",
    Tensor: "name dtype shape value quanta is_bool zero_point other_names",
    Table: "name addresses values",
}


@pytest.mark.parametrize("record", WRITTEN)
def test_every_field_of_a_network_is_known_to_the_format(record: type) -> None:
    assert [field.name for field in fields(record)] == WRITTEN[record].split()


def text_of(made: Network) -> str:
    return fqir_bytes(made).split(b"}\n", 1)[0].decode("ascii")


def test_the_text_has_a_line_for_each_thing_and_no_defaults() -> None:
    head, *lines = text_of(loopback()).splitlines()
    assert head.startswith("fqir 1 445 0 ")
    assert lines == [
        '{"name": "LOOPBACK",',
        '"arrays": [],',
        '"tensors": [',
        '{"id": "x", "dtype": "fqint16", "shape": [16]},',
        '{"id": "%x.4", "dtype": "fqint16", "shape": [16]}],',
        '"graphs": [',
        '{"id": "ARITH", "inputs": ["x"], "outputs": ["%x.4"], "nodes": [',
        '{"op": "copy", "name": "loopback", "inputs": [["x", "x"]], "outputs": ["%x.4"]}]},',
        '{"id": "MAIN", "inputs": ["x"], "outputs": ["%x.4"], "subgraphs": [["ARITH", "ARITH"]], "nodes": []}],',
        '"frame": "ARITH", "main": "MAIN"',
    ]


def test_a_file_of_others_becomes_one_of_ours_with_the_same_meaning() -> None:
    ours = fqir_bytes(load_fqir(written(sample())))
    assert ours != written(sample())
    assert fqir_bytes(load_fqir(ours)) == ours


def test_equal_arrays_are_written_once_whatever_they_belong_to() -> None:
    weights = np.array([[1, 2], [3, 4]])
    parameters = [parameter(name, weights.copy()) for name in "abc"]
    made = network(graph([node("relu", {"x": "a"}, odd=weights.copy())], parameters=parameters))
    content = fqir_bytes(made)
    assert content.count(b'"dtype": "int8"') == 1
    assert content.endswith(b"\1\2\3\4")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "int8"),
        ([-128, 127], "int8"),
        ([128], "int16"),
        ([-129], "int16"),
        ([-32768, 32767], "int16"),
        ([32768], "int32"),
        ([-(1 << 31) - 1], "int64"),
        ([(1 << 63) - 1, -(1 << 63)], "int64"),
    ],
)
def test_arrays_have_the_narrowest_type_that_holds_them(values: list[int], kind: str) -> None:
    made = network(graph([node("relu", {"x": "a"}, odd=np.array(values, np.int64))], [tensor("a")]))
    content = fqir_bytes(made)
    parts = split_parts(content)
    assert f'"dtype": "{kind}"'.encode() in content
    assert np.frombuffer(parts.data, ELEMENT_TYPES[kind]).tolist() == values


def test_identifiers_are_names_or_names_with_a_number() -> None:
    same = [tensor(name) for name in ("x", "x", "x#2", "x", "", "")]
    made = network(graph([node("relu", {str(place): one for place, one in enumerate(same)})], outputs=["out"]))
    text = text_of(made)
    for wanted in ('"x"', '"x#2", "name": "x"', '"x#2#2", "name": "x#2"', '"x#3", "name": "x"', '"#1", "name": ""'):
        assert f'{{"id": {wanted}, "dtype"' in text
    assert [one.name for one in load_fqir(fqir_bytes(made)).frame.nodes[0].inputs.values()] == [t.name for t in same]


def test_constants_stand_in_the_order_of_their_names() -> None:
    some = (2, 3.0, None, True, "z")
    one = network(graph([node("relu", {"x": "x"}, b=1, a=some)], [tensor("x")]))
    other = network(graph([node("relu", {"x": "x"}, a=some, b=1)], [tensor("x")]))
    assert fqir_bytes(one) == fqir_bytes(other)
    assert '"constants": {"a": [2, 3.0, null, true, "z"], "b": 1}' in text_of(one)


def test_text_is_ascii_whatever_the_names() -> None:
    made = network(graph([node("relu", {"x": "\u202e\n\x1b\ud800"})], [tensor("\u202e\n\x1b\ud800")]))
    assert '"\\u202e\\n\\u001b\\ud800"' in text_of(made)
