"""Graphs as readable text: deterministic, one node a line, nested graphs indented, names escaped.

::

    graph ARITH(x: fqint16[4] q=-7) -> (output.0: fqint16[4] q=-14)
      parameter w: fqint8[4, 4] q=-6 = int64[4, 4] {-3..7, 12 of 16 nonzero, crc32 0x1234abcd}
      %m: fqint16[4] q=-14 = matmul "linear" (x=x, y=w) bw_out=16 rounded=False shamt_bwred=-7
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Graph, Network, Node, Table, Tensor
from femtodriver.safe_text import plain_name, quote

_SHORT_ARRAY = 8
_LONG_TUPLE = 64
_INDENT = "  "


def network_text(network: Network) -> str:
    """The streaming network: its inputs, outputs and state, then the graphs INIT and frame. Ends in a newline."""
    lines = [
        f"network {plain_name(network.name)}",
        f"{_INDENT}inputs {_tensors(network.inputs)}",
        f"{_INDENT}outputs {_tensors(network.outputs)}",
        f"{_INDENT}state ({', '.join(map(plain_name, network.state_names))})",
    ]
    if network.init is not None:
        lines += ["init:", *_graph_lines(network.init, _INDENT)]
    lines += ["frame:", *_graph_lines(network.frame, _INDENT)]
    return "\n".join(lines) + "\n"


def graph_text(graph: Graph) -> str:
    """The graph with parameters, nodes and everything nested in them. Ends in a newline."""
    return "\n".join(_graph_lines(graph, "")) + "\n"


def _graph_lines(graph: Graph, indent: str) -> Iterator[str]:
    unbind = "" if graph.unbind_dim is None else f" unbind_dim={graph.unbind_dim}"
    name = plain_name(graph.name) if graph.name else '""'
    yield f"{indent}graph {name}{_tensors(graph.inputs)} -> {_tensors(graph.outputs)}{unbind}"
    inner = indent + _INDENT
    for tensor in graph.parameters:
        yield f"{inner}parameter {_tensor(tensor)}"
    wrapped = {id(body) for node in graph.nodes for body in node.subgraphs.values()}
    for node in graph.nodes:
        yield from _node_lines(node, inner)
    for key, body in graph.subgraphs.items():
        if id(body) in wrapped:  # shown at the node that calls it
            yield f"{inner}subgraph {plain_name(key)} is called above"
        else:
            yield f"{inner}subgraph {plain_name(key)}:"
            yield from _graph_lines(body, inner + _INDENT)


def _node_lines(node: Node, indent: str) -> Iterator[str]:
    outputs = ", ".join(map(_tensor, node.outputs))
    inputs = ", ".join(f"{plain_name(key)}={plain_name(tensor.name)}" for key, tensor in node.inputs.items())
    label = f" {quote(node.name)}" if node.name else ""
    equals = " = " if outputs else ""
    op = "call" if node.op is None else plain_name(node.op)
    yield f"{indent}{outputs}{equals}{op}{label} ({inputs}){_constants(node.constants)}"
    for key, body in node.subgraphs.items():
        yield f"{indent}{_INDENT}{plain_name(key)}:"
        yield from _graph_lines(body, indent + 2 * _INDENT)


def _constants(constants: Mapping[str, object]) -> str:
    return "".join(f" {plain_name(key)}={_value(constants[key])}" for key in sorted(constants))


def _tensors(tensors: tuple[Tensor, ...]) -> str:
    return f"({', '.join(map(_tensor, tensors))})"


def _tensor(tensor: Tensor) -> str:
    kind = plain_name(tensor.dtype) if tensor.dtype else "?"
    quanta = "" if tensor.quanta is None else f" q={tensor.quanta:g}"
    zero = "" if tensor.zero_point is None else f" z={tensor.zero_point}"
    boolean = " bool" if tensor.is_bool else ""
    value = "" if tensor.value is None else f" = {_array(tensor.value)}"
    return f"{plain_name(tensor.name)}: {kind}{list(tensor.shape)}{quanta}{zero}{boolean}{value}"


def _value(value: object) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, tuple):
        shown = ", ".join(map(_value, value[:_LONG_TUPLE]))
        more = f", ... {len(value)} in all" if len(value) > _LONG_TUPLE else ""
        return f"[{shown}{more}]"
    if isinstance(value, Table):
        return f"table {quote(value.name)} {_array(value.addresses)} -> {_array(value.values)}"
    if isinstance(value, np.ndarray):
        return _array(value)
    return repr(value)


def _array(array: Int64Array) -> str:
    """Short arrays in full; of long ones the range, the number of nonzeros and a checksum of the int64 contents."""
    head = f"int64{list(array.shape)}"
    if array.size <= _SHORT_ARRAY:
        return f"{head} {{{', '.join(map(str, array.ravel().tolist()))}}}"
    crc = zlib.crc32(np.ascontiguousarray(array, dtype="<i8").tobytes())
    nonzero = int(np.count_nonzero(array))
    return f"{head} {{{array.min()}..{array.max()}, {nonzero} of {array.size} nonzero, crc32 0x{crc:08x}}}"
