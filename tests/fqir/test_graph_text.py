"""Graphs as text: readable, deterministic, complete, and harmless whatever the names are."""

from __future__ import annotations

import pickle
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.fqir.files.from_graphproto import adapt
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Graph, Node, Tensor
from femtodriver.fqir.graph_text import graph_text, network_text
from tests.fqir.fake_fmot import GraphProto, NodeProto, TensorProto, producer_modules, small_network


def crc(*numbers: int) -> str:
    """The checksum of little-endian 64-bit integers."""
    return f"0x{zlib.crc32(struct.pack(f'<{len(numbers)}q', *numbers)):08x}"


SMALL = f"""\
network small
  inputs (x: fqint16[4] q=-7)
  outputs (output.0: int16[3] q=-7)
  state (%s)
init:
  graph INIT() -> (%s: int16[3] q=-7)
    %s: int16[3] q=-7 = zeros () shape=[3]
frame:
  graph ARITH(x: fqint16[4] q=-7) -> (output.0: int16[3] q=-7)
    parameter %w.1: fqint8[4, 3] q=-7 = int64[4, 3] {{-6..5, 11 of 12 nonzero, crc32 {crc(*range(-6, 6))}}}
    parameter %b: int16[3] q=-7 = int64[3] {{1, -2, 3}}
    %h: int16[3] q=-7 = addmm "model.linear" (bias=%b, x=x, y=%w.1) \
bw_out=16 note=None rounded=True shamt_bias=0 shamt_bwred=-3
    %l: int16[3] q=-7 = lut (x=%h) list=[1, [2, 3]] table=table "sigmoid" \
int64[256] {{-128..127, 255 of 256 nonzero, crc32 {crc(*range(-128, 128))}}} -> \
int64[256] {{0..255, 255 of 256 nonzero, crc32 {crc(*range(256))}}}
    output.0: int16[3] q=-7 = vvadd (x=%l, y=%s) bw=16 q=1.5
"""


def test_a_network_as_text() -> None:
    assert network_text(adapt(small_network(), "small")) == SMALL


def test_a_file_and_its_object_have_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    producer_modules(monkeypatch)
    assert network_text(load_network(pickle.dumps(small_network()), "small")) == SMALL


def test_the_main_graph_shows_every_body_once() -> None:
    lines = graph_text(adapt(small_network()).main).splitlines()
    assert lines[:5] == [
        "graph MAIN(x: fqint16[4] q=-7) -> (output.0: int16[3] q=-7) unbind_dim=1",
        "  call ()",
        "    body:",
        "      graph ARITH(x: fqint16[4] q=-7) -> (output.0: int16[3] q=-7)",
        lines[4],
    ]
    assert lines[-2:] == ["  subgraph ARITH is called above", "  subgraph INIT is called above"]


def test_nested_bodies_are_indented() -> None:
    x = TensorProto("x", "int8", [2], quanta=None)
    inner = GraphProto("B", [], [x], [x])
    outer = GraphProto("A", [NodeProto(None, {"x": x}, [x], subgraphs={"body": inner})], [x], [x])
    assert graph_text(adapt(outer).main) == (
        "graph A(x: int8[2]) -> (x: int8[2])\n"
        "  x: int8[2] = call (x=x)\n"
        "    body:\n"
        "      graph B(x: int8[2]) -> (x: int8[2])\n"
    )


def graph_of(*names: str) -> Graph:
    tensors = tuple(Tensor(name, "int8", (1,)) for name in names)
    return Graph("", tensors, (), (), (Node("a\nb", None, {"\x1b[0m": tensors[0]}, ()),))


@given(st.text(), st.text())
def test_names_cannot_break_the_text(first: str, second: str) -> None:
    text = graph_text(graph_of(first, second))
    assert text.isascii()
    assert text.count("\n") == 2
    assert text.replace("\n", "").isprintable()
    if first != second:
        assert text != graph_text(graph_of(second, first))


def test_long_values_are_shortened_but_told_apart() -> None:
    def text(number: int, length: int = 1000) -> str:
        value = np.arange(length, dtype=np.int64)
        value[500] = number
        return graph_text(Graph("g", (), (), (Tensor("w", "int16", (length,), value),), ()))

    assert len(text(1)) < 200
    assert text(1) == text(1)
    assert text(1) != text(2)


def test_long_lists_say_how_long_they_are() -> None:
    node = Node("n", "op", {}, (), {"c": tuple(range(100))})
    assert "62, 63, ... 100 in all]" in graph_text(Graph("g", (), (), (), (node,)))
