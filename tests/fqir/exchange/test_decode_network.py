"""What the reader makes of files that others have written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from femtodriver.errors import ModelError
from femtodriver.fqir.exchange import load_fqir
from femtodriver.fqir.graph import Table
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.validate import validate
from tests.fqir.exchange.fqir_samples import Json, changed, sample, sealed, written


def test_every_member_arrives() -> None:
    net = load_fqir(written(sample()))
    assert net.name == "sample"
    assert (net.frame.name, net.main.name, net.main.unbind_dim) == ("ARITH", "", 0)
    assert net.init is not None
    assert net.main.subgraphs["INIT"] is net.init
    (given,) = net.frame.inputs
    assert (given.quanta, given.zero_point, given.other_names) == (-7.0, -3, ("sound",))
    product, look, keep, call = net.frame.nodes
    assert (product.op, product.name, product.line) == ("matmul", "net.fc", "net.py:12")
    assert product.constants == {"shamt_bwred": -2, "bw_out": 16, "rounded": True}
    weights = product.inputs["y"]
    assert (weights.name, weights.dtype, weights.quanta) == ("w", "fqint8", -4.5)
    assert weights.value is not None
    assert weights.value.dtype == np.int64
    assert weights.value.tolist() == [[50, -3, 0], [2, 7, -50]]
    table = look.constants["table"]
    assert isinstance(table, Table)
    assert (table.name, table.addresses.tolist(), table.values.tolist()) == (
        "tanh", [-2, -1, 0, 1], [-900, -400, 100, 600])  # fmt: skip
    assert list(keep.inputs) == ["y", "x"]
    assert (call.op, list(call.subgraphs)) == (None, ["body"])
    assert net.main.inputs[0].name == "x"
    assert net.main.inputs[0] is not net.frame.inputs[0]


def test_the_sample_means_something() -> None:
    net = load_fqir(written(sample()))
    validate(net)
    # (3, 200) @ w = (550, 1391, -10000), and a quarter of it; as addresses 0, 1, -2 after 8 places to the right.
    assert Reference(net).step({"x": np.array([3, 200])})["y"].tolist() == [100, 600, 0]


@pytest.mark.parametrize("member", ["main", "init"])
def test_null_is_the_same_as_nothing(member: str) -> None:
    def simpler(root: Json) -> None:
        root[member] = None
        del root["graphs"][3]
        if member == "init":
            root["main"] = "ARITH"
            del root["graphs"][0], root["graphs"][1]["nodes"][2]
            root["tensors"] = [one for one in root["tensors"] if one["id"] != "h"]
        root["tensors"] = [one for one in root["tensors"] if one["id"] != "x of MAIN"]

    net = load_fqir(written(changed(simpler)))
    assert net.main is net.frame
    assert (net.init is None) == (member == "init")


def test_text_may_be_in_utf_8_and_laid_out_as_one_likes() -> None:
    text = written(changed(lambda root: root.update(name="N\u00fcrnberg"))).partition(b"\n")[2]
    size = text.index(b'MAIN"}') + 6
    body, data = text[:size], text[size:]
    spread = body.replace(b"\\u00fc", "\u00fc".encode()).replace(b", ", b" ,\r\n\t")
    assert load_fqir(sealed(spread, data)).name == "N\u00fcrnberg"


def test_one_table_for_many_nodes_is_one_table() -> None:
    def twice(root: Json) -> None:
        root["graphs"][2]["nodes"].insert(1, root["graphs"][2]["nodes"][1])

    net = load_fqir(written(changed(twice)))
    first, second = (one.constants["table"] for one in net.frame.nodes[1:3])
    assert first is second


@pytest.mark.parametrize("value", [0, -5, True, None, 2.5, 1e300, "text", [], [1, [2, [True, None]]], -(1 << 62)])
def test_constants_keep_their_type(value: Any) -> None:
    def add(root: Json) -> None:
        root["graphs"][2]["nodes"][0]["constants"]["odd"] = value

    found = load_fqir(written(changed(add))).frame.nodes[0].constants["odd"]
    assert repr(found) == repr(value).replace("[2, [True, None]]", "(2, (True, None))").replace(
        "[1, (", "(1, (").replace("))]", ")))").replace("[]", "()")  # fmt: skip


def test_arrays_cannot_be_changed() -> None:
    value = load_fqir(written(sample())).frame.parameters[0].value
    assert value is not None
    with pytest.raises(ValueError, match="read-only"):
        value[0] = 1


def test_a_message_names_the_file_and_the_place() -> None:
    def wrong(root: Json) -> None:
        root["graphs"][2]["nodes"][0]["outputs"] = ["gone"]

    content = written(changed(wrong))
    says = rf'^the {len(content)} bytes given: graph "ARITH": node 0: outputs: must be the id of a tensor, not the text'
    with pytest.raises(ModelError, match=says):
        load_fqir(content)
