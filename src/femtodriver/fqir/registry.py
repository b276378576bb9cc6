"""All operators by name. An operator exists because its class stands in this list, and for no other reason."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from femtodriver.fqir.graph import Node
from femtodriver.fqir.location import NAME_CHARACTERS, NodePlace, named
from femtodriver.fqir.operators import (
    arithmetic,
    comparison,
    control_flow,
    convolution,
    gmac,
    matrix_product,
    movement,
    quantization,
    refused,
    state,
    table_lookup,
)
from femtodriver.fqir.operators.operator import Operator

_CLASSES: tuple[type[Operator], ...] = (
    arithmetic.Vvadd,
    arithmetic.Viadd,
    arithmetic.Vvsub,
    arithmetic.Vneg,
    arithmetic.Vvmul,
    arithmetic.Vimul,
    arithmetic.Relu,
    arithmetic.Shift,
    arithmetic.I24BoolMul,
    arithmetic.Sum,
    matrix_product.Matmul,
    matrix_product.Addmm,
    gmac.GmacV2,
    table_lookup.Lut,
    convolution.TemporalConv2d,
    movement.Copy,
    movement.Cat,
    movement.Split,
    movement.Chunk,
    movement.Stack,
    movement.Reshape,
    movement.Transpose,
    movement.ConstantLike,
    movement.Zeros,
    movement.ConstantFill,
    state.Assign,
    state.TemporalUnfold,
    comparison.Gt0,
    comparison.Vvmax,
    comparison.Vvmin,
    comparison.Vvgt,
    comparison.Vvge,
    comparison.Vvlt,
    comparison.Vvle,
    comparison.Vveq,
    comparison.Vigt,
    comparison.Vige,
    comparison.Vilt,
    comparison.Vile,
    comparison.Vieq,
    comparison.Vvand,
    comparison.Vvor,
    comparison.Vvxor,
    comparison.Viand,
    comparison.Vior,
    comparison.Vixor,
    control_flow.Loop,
    control_flow.Conditional,
    control_flow.StridedSubgraph,
    quantization.Quantize,
    quantization.Dequantize,
    refused.Pwlin,
    refused.Squeeze,
    refused.Lstm,
    refused.Print,
    refused.FqirWriterKernel,
    refused.TemporalUnfoldUnkernelized,
    refused.TemporalTransposeFoldUnkernelized,
)

OPERATORS: Mapping[str, type[Operator]] = MappingProxyType({operator.name: operator for operator in _CLASSES})

CLOSE_NAMES = 3
LIKENESS = 0.7


def close_names(name: str) -> list[str]:
    """Names of known operators that resemble ``name``, best first, at most three."""
    return difflib.get_close_matches(name[:NAME_CHARACTERS].lower(), OPERATORS, CLOSE_NAMES, LIKENESS)


def bind(node: Node, place: NodePlace) -> Operator:
    """The operator of a node, with checked constants and input names.

    UnsupportedError for operators that are unknown or cannot be executed, ModelError for wrong nodes.
    """
    if node.op is None:
        return control_flow.Call(node, place)
    found = OPERATORS.get(node.op)
    if found is not None:
        return found(node, place)
    close = close_names(node.op)
    meant = f"Did you mean {' or '.join(close)}?" if close else "It may come from a newer fmot; export with 3.21.7."
    raise place.unsupported(f"operator must be one of the {len(OPERATORS)} known ones, not {named(node.op)}", meant)
