"""For every operator that can be executed one valid node, to be spoiled by tests; and the sentence of a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from example_networks import example_constants

from femtodriver.errors import ModelError
from femtodriver.fqir.graph import Graph, Network, Node, Table, Tensor
from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.registry import OPERATORS
from femtodriver.fqir.validate import validate
from tests.fqir.small_networks import graph, network, node, parameter, tensor, zeros

AGAIN = " Correct the graph, or export the model again with fmot."

ADD: dict[str, Any] = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "rounded": False}
MULTIPLY: dict[str, Any] = {"shamt_bwred": 0, "bw": 16, "rounded": False}
PRODUCT: dict[str, Any] = {"shamt_bwred": 0, "bw_out": 16, "rounded": False}
ADDRESSES = np.arange(-128, 128)
PAIR = {"x": [4], "y": [4]}


@dataclass(frozen=True)
class Sample:
    """Shapes of the inputs, names of those that are states, the outputs, constants and bodies."""

    shapes: Mapping[str, Any]
    constants: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ("out",)
    states: tuple[str, ...] = ()
    bodies: Mapping[str, Graph] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)

    def node(self, op: str | None) -> Node:
        given = {key: tensor(f"{key}_in", shape, self.dtypes.get(key, "int16")) for key, shape in self.shapes.items()}
        return node(op, given, self.outputs, self.bodies, **self.constants)

    def network(self, op: str | None) -> Network:
        made = self.node(op)
        inputs = [item for key, item in made.inputs.items() if key not in self.states]
        init = zeros(**{f"{key}_in": self.shapes[key] for key in self.states if key in self.shapes})
        return network(graph([made], inputs, self.outputs or [next(iter(made.inputs.values())).name]), init)


def body(inputs: int, outputs: int, size: int = 1) -> Graph:
    """Copies its first input to each output."""
    names = [f"body_out{index}" for index in range(outputs)]
    tensors: list[Tensor] = [tensor(f"body_in{index}", [size]) for index in range(inputs)]
    return graph([node("copy", {"x": tensors[0]}, [name]) for name in names], tensors, names)


GMAC = Sample(
    {"x_vv_0": [4], "y_vv_0": [4], "x_vi_0": [4]},
    {"shamts_vv": (-3,), "shamts_vi": (0,), "immediates_vi": (5,), "bits_out": (13, 12)},
    ("low", "high"),
)
CONV = Sample(
    {"input": [10], "weight": [3, 2, 3, 2], "bias": [3], "buffer": [20]},
    {
        "kernel_size_t": 2,
        "kernel_size_band": 3,
        "d_band_in": 2,
        "n_band_in": 5,
        "dilation_t": 2,
        "dilation_band": 1,
        "stride_band": 2,
        "padding_band": 1,
        "groups": 1,
        "shamt_bwred": -4,
        "shamt_bias": 2,
        "bw": 16,
    },
    states=("buffer",),
)
LOOP = Sample(
    {"x_recurse_0": [2], "x_sliced_0": [6], "x_scope_0": [2]},
    {
        "n_iter": 3,
        "n_recurse": 1,
        "n_sliced": 1,
        "n_scope": 1,
        "n_concat": 1,
        "n_final": 1,
        "block_size_sliced": (2,),
        "reverse_sliced": (False,),
        "reverse_concat": (False,),
    },
    ("all", "last"),
    bodies={"body": body(3, 3, 2)},
)
CONDITIONAL = Sample(
    {"condition": [1], "input_0": [2]},
    {"num_inputs": 1, "num_outputs": 1},
    bodies={"true": body(1, 1, 2), "false": body(1, 1, 2)},
)
STRIDED = Sample(
    {"counter": [1], "input_0": [2], "default_output_0": [2]},
    {"n": 4, "k": 3, "num_inputs": 1, "num_outputs": 1},
    states=("counter",),
    bodies={"body": body(1, 1, 2)},
)
LUT: dict[str, Any] = {"shamt_address": 0, "bw_address": 8, "table": Table("t", ADDRESSES, ADDRESSES), "function": "t"}
UNFOLD = Sample({"x": [3], "buffer": [12]}, {"kernel_size": 3, "dilation": 2, "buffer_length": 4}, states=("buffer",))

# Nodes whose refusals the tests know by heart; all other operators follow from their classes.
HAND_MADE: dict[str | None, Sample] = {
    "vvadd": Sample(PAIR, ADD),
    "vvsub": Sample(PAIR, ADD),
    "viadd": Sample({"x": [4]}, {**ADD, "y": 5}),
    "vvmul": Sample(PAIR, MULTIPLY),
    "vimul": Sample({"x": [4]}, {**MULTIPLY, "y": 5}),
    "vneg": Sample({"x": [4]}, {"bw": 16}),
    "relu": Sample({"x": [4]}),
    "shift": Sample({"x": [4]}, {"shamt": -1, "bw": 16, "rounded": True}),
    "temp_i24_bool_mul": Sample(
        {"x": [4], "y_bool": [4]}, {"shamt": -1, "rounded": False}, dtypes={"x": "int8", "y_bool": "int8"}
    ),
    "sum": Sample({"x": [4]}, {"dim": (0,), "keepdim": True, "shamt_bwred": 0, "bw": 16}),
    "matmul": Sample({"x": [4], "y": [4, 3]}, PRODUCT),
    "addmm": Sample({"bias": [3], "x": [4], "y": [4, 3]}, {**PRODUCT, "shamt_bias": 0}),
    "gmac_v2": GMAC,
    "lut": Sample({"x": [4]}, LUT),
    "temporal_conv2d": CONV,
    "copy": Sample({"x": [4]}),
    "cat": Sample({"x0": [4], "x1": [2]}, {"dim": 0}),
    "split": Sample({"x": [5]}, {"lengths": (2, 3), "dim": 0}, ("a", "b")),
    "chunk": Sample({"x": [5]}, {"chunks": 2, "dim": -1}, ("a", "b")),
    "stack": Sample({"x0": [4], "x1": [4]}, {"dim": 0}),
    "reshape": Sample({"x": [6]}, {"shape": (2, -1)}),
    "transpose": Sample({"x": [2, 3]}, {"dim0": 0, "dim1": 1}),
    "constant_like": Sample({"x": [4]}, {"imm": 1}),
    "zeros": Sample({}, {"shape": (3,)}),
    "constant": Sample({}, {"shape": (3,), "value": 1}),
    "assign": Sample({"y": [4], "x": [4]}, outputs=(), states=("y",)),
    "temporal_unfold": UNFOLD,
    "gt0": Sample({"x": [4]}, {"bw": 8}),
    **{f"vv{test}": Sample(PAIR) for test in ("max", "min", "gt", "ge", "lt", "le", "eq", "and", "or", "xor")},
    **{f"vi{test}": Sample({"x": [4]}, {"imm": 3}) for test in ("gt", "ge", "lt", "le", "eq", "and", "or", "xor")},
    "loop": LOOP,
    "conditional": CONDITIONAL,
    "strided_subgraph": STRIDED,
    "quantize": Sample({"x": [4]}, {"quanta": -3, "bw": 8}),
    None: Sample({"a": [2]}, bodies={"body": body(1, 1, 2)}),
}


def of_class(operator: type[Operator]) -> Sample:
    """The first example of an operator."""
    example = operator.shown_examples()[0]
    outputs = tuple(f"out{index}" for index in range(example.outputs))
    states = tuple(name for name in operator.updates if name in example.shapes)
    constants = example_constants(operator, example)
    dtypes = dict.fromkeys(operator.booleans, "int1")
    return Sample(example.shapes, constants, outputs, states, example.bodies, dtypes)


SAMPLES: dict[str | None, Sample] = {
    **{name: of_class(cls) for name, cls in OPERATORS.items() if cls.refusal is None},
    **HAND_MADE,
}


def with_parameter(value: Any, dtype: str = "int8", shape: Any = None) -> Network:
    """A network that copies a parameter; ``shape`` overrides the declared shape."""
    weight = parameter("w", value, dtype)
    if shape is not None:
        weight = Tensor("w", dtype, tuple(shape), weight.value)
    return network(graph([node("copy", {"x": weight})], parameters=[weight]))


def fault(net: Network) -> str:
    """The sentence with which a network is refused."""
    with pytest.raises(ModelError) as caught:
        validate(net)
    return str(caught.value)
