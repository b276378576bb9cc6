"""Part 3 of the hostile files: numpy stand-ins and graph records. Rows as in ``attack_containers``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fqir.graph_wire import (
    DTYPE,
    DTYPE_STATE,
    MISSING,
    NDARRAY,
    RECONSTRUCT,
    SCALAR,
    TABLE,
    TENSOR,
    Raw,
    array,
    array_state,
    bare,
    constant,
    dtype,
    enc,
    graph,
    ignored,
    name,
    new,
    node,
    operator,
    record,
    reduce,
    shell,
    tensor,
)

Rows = dict[str, tuple[str, Callable[[], bytes]]]

CODES = "array elements must be plain numbers"
STATE = "that of a plain number type"
SHAPE = "whole numbers from 0 to 16777216"
BYTES = "must not have"


def refused_dtype(code: str) -> bytes:
    return bare(ignored(dtype(code)))


def dtype_state(**places: Any) -> bytes:
    """A dtype whose 8-tuple state differs in places, given as ``_<index>``."""
    state = list(DTYPE_STATE)
    for place, value in places.items():
        state[int(place[1:])] = value
    return bare(ignored(dtype(state=tuple(state))))


DTYPE_CODES = {
    "O": "O", "O8": "O8", "V8": "V8", "V2147483647": "V2147483647", "S5": "S5", "U3": "U3", "M8": "M8", "m8": "m8",
    "c16": "c16", "g": "g", "f16": "f16", "pair": "i4,i4", "million": "(1000,1000)i4", "triple": "3i4",
    "endian": ">i4", "empty": "", "float64": "float64", "long": "l", "object": "object", "long_text": "i" * 100_000,
}  # fmt: skip
DTYPES: Rows = {f"dtype_{label}": (CODES, lambda code=code: refused_dtype(code)) for label, code in DTYPE_CODES.items()}  # type: ignore[misc]
DTYPES |= {
    "dtype_dict": ("from a type code", lambda: bare(ignored(reduce(DTYPE, {"names": ["a"]}, False, True)))),
    "dtype_list": ("from a type code", lambda: bare(ignored(reduce(DTYPE, [("a", "i4")], False, True)))),
    "dtype_align": ("from a type code", lambda: bare(ignored(reduce(DTYPE, "i4", True, True)))),
    "dtype_align_int": ("from a type code", lambda: bare(ignored(reduce(DTYPE, "i4", 0, 1)))),
    "dtype_one_argument": ("from a type code", lambda: bare(ignored(reduce(DTYPE, "i4")))),
    "dtype_state_fields": (STATE, lambda: dtype_state(_3=("a",), _4={"a": 1})),
    "dtype_state_subdtype": (STATE, lambda: dtype_state(_2=(dtype(), (1000,)))),
    "dtype_state_size": (STATE, lambda: dtype_state(_5=1 << 30)),
    "dtype_state_alignment": (STATE, lambda: dtype_state(_6=16)),
    "dtype_state_flags": (STATE, lambda: dtype_state(_7=63)),
    "dtype_state_version": (STATE, lambda: dtype_state(_0=2)),
    "dtype_state_order": (STATE, lambda: dtype_state(_1="!")),
    "dtype_state_bool": (STATE, lambda: dtype_state(_7=False)),
    "dtype_state_metadata": (STATE, lambda: bare(ignored(dtype(state=(4, *DTYPE_STATE[1:], {"a": 1}))))),
    "dtype_state_nine_of_three": (STATE, lambda: bare(ignored(dtype(state=(*DTYPE_STATE, None))))),
    "dtype_state_short": (STATE, lambda: bare(ignored(dtype(state=(3, "<"))))),
    "dtype_state_dict": (STATE, lambda: bare(ignored(dtype(state={})))),
    "dtype_build_twice": ("once, not twice", lambda: bare(ignored(Raw(dtype() + enc(DTYPE_STATE) + b"b")))),
    "dtype_unbuilt": ("its own state first", lambda: bare(ignored(array(of=dtype(state=None))))),
}


def reconstructed(*arguments: Any) -> bytes:
    return bare(ignored(reduce(RECONSTRUCT, *arguments)))


def valued(value: Any) -> bytes:
    """A bare graph with a parameter of that value."""
    return bare(graph(parameters=[tensor("w", value=value)]))


ARRAYS: Rows = {
    "recon_class": ("class ndarray", lambda: reconstructed(name("builtins", "int"), (0,), b"b")),
    "recon_matrix": ("must only name", lambda: reconstructed(name("numpy", "matrix"), (0,), b"b")),
    "recon_shape": ("class ndarray", lambda: reconstructed(name(*NDARRAY), (1 << 40,), b"b")),
    "recon_shape_2d": ("class ndarray", lambda: reconstructed(name(*NDARRAY), (0, 0), b"b")),
    "recon_type": ("class ndarray", lambda: reconstructed(name(*NDARRAY), (0,), b"O")),
    "recon_no_state": ("its state is missing", lambda: valued(shell())),
    "recon_four": ("class ndarray", lambda: reconstructed(name(*NDARRAY), (0,), b"b", 1)),
    "arr_short": (BYTES, lambda: valued(array(bytes(15)))),
    "arr_long": (BYTES, lambda: valued(array(bytes(17)))),
    "arr_negative": (SHAPE, lambda: valued(array(shape=(-1, -4)))),
    "arr_overflow": (SHAPE, lambda: valued(array(bytes(0), shape=(1 << 33, 1 << 31)))),
    "arr_zero_huge": (SHAPE, lambda: valued(array(bytes(0), shape=(0, 1 << 62)))),
    "arr_bool_dims": (SHAPE, lambda: valued(array(bytes(4), shape=(True,)))),
    "arr_float_dims": (SHAPE, lambda: valued(array(shape=(4.0,)))),
    "arr_64_dims": ("at most 8 dimensions", lambda: valued(array(bytes(4), shape=(1,) * 64))),
    "arr_listdata": ("version, shape, dtype", lambda: valued(array([1, 2, 3, 4]))),
    "arr_strdata": ("version, shape, dtype", lambda: valued(array("\1\0\0\0" * 4))),
    "arr_shape_list": ("version, shape, dtype", lambda: valued(array(shape=[4]))),
    "arr_flag_int": ("version, shape, dtype", lambda: valued(array(fortran=1))),
    "arr_dtype_text": ("version, shape, dtype", lambda: valued(array(of=enc("i4")))),
    "arr_version2": ("version 1", lambda: valued(Raw(shell() + enc((2, (4,), dtype(), False, bytes(16))) + b"b"))),
    "arr_state4": (
        "version, shape, dtype",
        lambda: valued(Raw(shell() + enc(((4,), dtype(), False, bytes(16))) + b"b")),
    ),
    "arr_build_twice": ("once, not twice", lambda: valued(Raw(array() + array_state() + b"b"))),
    "arr_frombuffer_short": (BYTES, lambda: valued(frombuffer(bytes(3)))),
    "arr_frombuffer_order": ("'C' or 'F'", lambda: valued(frombuffer(bytes(4), order="A"))),
    "arr_frombuffer_text": ("bytes, dtype, shape", lambda: valued(frombuffer("abcd"))),
    "arr_unsigned_wide": ("63 bits", lambda: valued(array(b"\xff" * 8, (1,), of=dtype("u8")))),
    "scalar_object": (CODES, lambda: bare(constant(scalar(dtype("O"), bytes(8))))),
    "scalar_short": ("must have 4 bytes", lambda: bare(constant(scalar(dtype(), bytes(3))))),
    "scalar_long": ("must have 4 bytes", lambda: bare(constant(scalar(dtype(), bytes(5))))),
    "scalar_empty": ("from a dtype and its bytes", lambda: bare(constant(reduce(SCALAR, dtype())))),
    "scalar_text": ("from a dtype and its bytes", lambda: bare(constant(scalar(dtype(), "abcd")))),
    "scalar_unbuilt": ("must have 4 bytes", lambda: bare(constant(scalar(dtype(state=None), bytes(4))))),
}


def frombuffer(payload: Any, order: str = "C") -> Raw:
    return reduce(("numpy._core.numeric", "_frombuffer"), payload, dtype("i4"), (1,), order)


def scalar(kind: Raw, payload: Any) -> Raw:
    return reduce(SCALAR, kind, payload)


def with_input(**changes: Any) -> bytes:
    return bare(graph(inputs=[tensor(**changes)]))


def table(**changes: Any) -> bytes:
    state = {"x": array(), "y": array(), "name": "t", "N": 4, **changes}
    found = {key: value for key, value in state.items() if value is not MISSING}
    return bare(constant(record(TABLE, found)))


ROOT = "must hold a GraphProto"
GRAPHS: Rows = {
    "root_int": (ROOT, lambda: bare(5)),
    "root_none": (ROOT, lambda: bare(None)),
    "root_marker": (ROOT, lambda: bare(name("builtins", "set"))),
    "root_list": (ROOT, lambda: bare([graph()])),
    "root_dict": (ROOT, lambda: bare({"graph": graph()})),
    "root_tensor": (ROOT, lambda: bare(tensor())),
    "root_array": (ROOT, lambda: bare(array())),
    "no_state": ("its state is missing", lambda: bare(new(("fmot.fqir.graph_proto.graph_proto", "GraphProto")))),
    "tensor_no_state": ("its state is missing", lambda: bare(graph(inputs=[new(TENSOR)]))),
    "missing_nodes": ("'nodes' must be present", lambda: bare(graph(nodes=MISSING))),
    "missing_inputs": ("'inputs' must be present", lambda: bare(graph(inputs=MISSING))),
    "missing_constants": ("'constants' must be present", lambda: bare(graph(nodes=[node(constants=MISSING)]))),
    "missing_optype": ("'optype' must be present", lambda: bare(graph(nodes=[node(optype=MISSING)]))),
    "missing_shape": ("'shape' must be present", lambda: with_input(shape=MISSING)),
    "nodes_none": ("must be a list", lambda: bare(graph(nodes=None))),
    "nodes_tuple": ("must be a list", lambda: bare(graph(nodes=(node(),)))),
    "nodes_dict": ("must be a list", lambda: bare(graph(nodes={"a": node()}))),
    "tensor_as_node": ("must be a node, not a TensorProto", lambda: bare(graph(nodes=[tensor()]))),
    "node_as_input": ("must be a tensor, not a NodeProto", lambda: bare(graph(inputs=[node()]))),
    "node_as_argument": ("must be a tensor, not a NodeProto", lambda: bare(graph(nodes=[node(inputs={"x": node()})]))),
    "int_as_output": ("must be a tensor, not 5", lambda: bare(graph(outputs=[5]))),
    "stray_node_as_output": ("node of another graph", lambda: bare(graph(outputs=[node()]))),
    "node_as_graph": ("must be a graph, not a NodeProto", lambda: bare(graph(subgraphs={"ARITH": node()}))),
    "inputs_list": ("must be a dict", lambda: bare(graph(nodes=[node(inputs=[tensor()])]))),
    "inputs_set": ("must be a list", lambda: bare(graph(inputs=reduce(("builtins", "set"), [tensor()])))),
    "reshaper_record": ("reshaper must be None", lambda: bare(graph(reshaper=tensor()))),
    "reshaper_module": ("must only name", lambda: bare(graph(reshaper=new(("torch.nn.modules.linear", "Linear"))))),
    "unbind_text": ("unbind_dim", lambda: bare(graph(unbind_dim="0"))),
    "unbind_huge": ("unbind_dim", lambda: bare(graph(unbind_dim=1 << 70))),
    "op_mismatch": ("must be named relu", lambda: bare(graph(nodes=[node(optype=operator("RELU", "vvadd"))]))),
    "opname_mismatch": ("opname must agree", lambda: bare(graph(nodes=[node(opname="vvadd")]))),
    "optype_int": ("must be an operator, not 1", lambda: bare(graph(nodes=[node(optype=1)]))),
    "optype_tensor": ("must be an operator", lambda: bare(graph(nodes=[node(optype=tensor())]))),
    "call_nothing": ("must have one subgraph", lambda: bare(graph(nodes=[node(optype=None, opname="")]))),
    "call_two": ("must have one subgraph", lambda: bare(graph(nodes=[node(optype=None, subgraphs=two())]))),
    "subgraph_other": ("must be one of subgraphs", lambda: bare(graph(nodes=[node(subgraph=graph())]))),
    "const_shadows_input": ("name of an input", lambda: bare(graph(nodes=[node(constants={"x": 1})]))),
    "const_type": ("must be an array", lambda: bare(constant(name("builtins", "int")))),
    "const_dict": ("must be an array", lambda: bare(constant({"a": 1}))),
    "const_bytes": ("must be an array", lambda: bare(constant(b"abc"))),
    "const_set": ("must be an array", lambda: bare(constant(reduce(("builtins", "set"), [])))),
    "const_graph": ("must be an array", lambda: bare(constant(graph()))),
    "const_huge": ("must fit 64 bits", lambda: bare(constant(1 << 100))),
    "const_nan": ("finite", lambda: bare(constant(float("nan")))),
    "const_function": ("must only name", lambda: bare(constant(name("builtins", "print")))),
    "value_list": ("must be an array", lambda: with_input(value=[1, 2])),
    "value_graph": ("must be an array", lambda: with_input(value=graph())),
    "value_float": ("array of whole numbers, not of float32", lambda: valued(array(of=dtype("f4")))),
    "value_int": ("must be an array", lambda: with_input(value=5)),
    "quanta_str": ("number from -1000", lambda: with_input(quanta="-7")),
    "quanta_nan": ("number from -1000", lambda: with_input(quanta=float("nan"))),
    "quanta_huge": ("number from -1000", lambda: with_input(quanta=1 << 100)),
    "quanta_bool": ("number from -1000", lambda: with_input(quanta=True)),
    "shape_negative": (SHAPE, lambda: with_input(shape=[-4])),
    "shape_huge": (SHAPE, lambda: with_input(shape=[1 << 40])),
    "shape_float": (SHAPE, lambda: with_input(shape=[4.0])),
    "shape_bool": (SHAPE, lambda: with_input(shape=[True])),
    "shape_text": ("must be a list", lambda: with_input(shape="4")),
    "shape_none": ("must be a list", lambda: with_input(shape=None)),
    "shape_long": ("at most 8 dimensions", lambda: with_input(shape=[1] * 1000)),
    "name_not_str": ("must be text", lambda: with_input(label=5)),
    "name_bytes": ("must be text", lambda: with_input(label=b"x")),
    "name_10mb": ("at most 1000 characters", lambda: with_input(label="x" * 10_000_000)),
    "node_name": ("must be text", lambda: bare(graph(nodes=[node(name=None)]))),
    "graph_name": ("must be text", lambda: bare(graph(name=5))),
    "key_10mb": ("at most 1000 characters", lambda: bare(graph(subgraphs={"x" * 10_000_000: graph()}))),
    "dtype_int": ("must be text", lambda: with_input(dtype=16)),
    "dtype_callable": ("must be text", lambda: with_input(dtype=name("builtins", "set"))),
    "is_bool_int": ("True or False", lambda: with_input(is_bool=1)),
    "table_no_state": ("its state is missing", lambda: bare(constant(new(TABLE)))),
    "table_missing": ("'y' must be present", lambda: table(y=MISSING)),
    "table_unequal": ("equally long", lambda: table(y=array(bytes(12), (3,)))),
    "table_2d": ("equally long", lambda: table(x=array(shape=(2, 2)), y=array(shape=(2, 2)))),
    "table_list": ("must be an array", lambda: table(x=[1, 2, 3, 4])),
    "table_float": ("whole numbers", lambda: table(y=array(of=dtype("f4")))),
    "table_size": ("N must be", lambda: table(N=1 << 40)),
    "table_name": ("must be text", lambda: table(name=5)),
    "no_arith": ("must have a subgraph ARITH", lambda: bare(graph(subgraphs={"QUANT": graph()}))),
    "odd_subgraph": ("subgraphs must be", lambda: bare(graph(subgraphs={"ARITH": graph(), "EVIL": graph()}))),
    "nothing": ("it is empty", lambda: bare(graph(nodes=[]))),
}


def two() -> dict[str, Raw]:
    return {"true": graph(), "false": graph()}


ROWS: Rows = {**DTYPES, **ARRAYS, **GRAPHS}
