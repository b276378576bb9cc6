"""Validation of single nodes: every constant and every rule of every operator refuses with its one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from femtodriver.fqir.graph import Network, Table
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.registry import OPERATORS
from femtodriver.fqir.validate import validate
from tests.fqir.valid_nodes import AGAIN, SAMPLES, Sample, body, fault


def spoiled(op: str | None, change: dict[str, Any], where: str = "constants") -> Network:
    """The valid node of an operator with some entries replaced, or (value ...) removed."""
    sample = SAMPLES[op]
    if where in ("outputs", "states"):
        return replace(sample, **{where: change[where]}).network(op)
    kept: Any = {key: item for key, item in {**getattr(sample, where), **change}.items() if item is not ...}
    return changed(sample, where, kept).network(op)


def changed(sample: Sample, part: str, value: Any) -> Sample:
    return replace(sample, **{part: value})


@pytest.mark.parametrize("op", SAMPLES, ids=str)
def test_valid_nodes_pass_and_run(op: str | None) -> None:
    net = SAMPLES[op].network(op)
    validate(net)
    reference = Reference(net)
    shapes = {item.name: item.shape for item in net.inputs}
    for _ in range(5):
        results = reference.step({name: np.ones(shape, dtype=np.int64) for name, shape in shapes.items()})
    assert set(results) == {item.name for item in net.outputs}


def test_every_operator_has_a_valid_node_or_is_refused() -> None:
    refused = {name for name, operator in OPERATORS.items() if operator.refusal}
    assert refused | set(SAMPLES) == {*OPERATORS, None}
    assert not refused & set(SAMPLES)
    assert len(OPERATORS) > 50


CONSTANTS: list[tuple[str, dict[str, Any], str]] = [
    ("vvadd", {"shamt_x": -(1 << 62)}, "shamt_x must be an integer from -63 to 63, not -4611686018427387904."),
    ("vvadd", {"shamt_y": -70}, "shamt_y must be an integer from -63 to 63, not -70."),
    ("vvadd", {"shamt_bwred": 64}, "shamt_bwred must be an integer from -63 to 63, not 64."),
    ("vvadd", {"shamt_x": True}, "shamt_x must be an integer from -63 to 63, not True."),
    ("vvadd", {"shamt_x": None}, "shamt_x must be an integer from -63 to 63, not None."),
    ("vvadd", {"bw": 1 << 62}, "bw must be an integer from 1 to 32, not 4611686018427387904."),
    ("vvadd", {"bw": 1 << 99}, "bw must be an integer from 1 to 32, not a whole number of 100 bits."),
    ("vvadd", {"bw": 0}, "bw must be an integer from 1 to 32, not 0."),
    ("vvadd", {"bw": 16.0}, "bw must be an integer from 1 to 32, not the real number 16.0."),
    ("vvadd", {"bw": True}, "bw must be an integer from 1 to 32, not True."),
    ("vvadd", {"bw": ...}, "bw must be an integer from 1 to 32, not missing."),
    ("vvadd", {"rounded": 1}, "rounded must be a boolean, not 1."),
    ("vvadd", {"rounded": "no"}, 'rounded must be a boolean, not the text "no".'),
    ("matmul", {"bw_out": 33}, "bw_out must be an integer from 1 to 32, not 33."),
    ("addmm", {"shamt_bias": 99}, "shamt_bias must be an integer from -63 to 63, not 99."),
    ("shift", {"shamt": ...}, "shamt must be an integer from -63 to 63, not missing."),
    ("vimul", {"y": 1 << 62}, "y must be an integer from -2147483648 to 2147483647, not 4611686018427387904."),
    ("vigt", {"imm": 1 << 31}, "imm must be an integer from -2147483648 to 2147483647, not 2147483648."),
    ("sum", {"keepdim": 1}, "keepdim must be a boolean, not 1."),
    ("sum", {"dim": "x"}, 'dim must be an axis or a tuple of axes from -8 to 7, not the text "x".'),
    ("gmac_v2", {"bits_out": (1000,)}, "bits_out must be a list of at least 1 integers from 2 to 32, not [1000]."),
    ("gmac_v2", {"bits_out": ()}, "bits_out must be a list of at least 1 integers from 2 to 32, not []."),
    ("gmac_v2", {"shamts_vv": (-70,)}, "shamts_vv must be a list of integers from -63 to 63, not [-70]."),
    ("gmac_v2", {"shamts_vi": ((0,),)}, "shamts_vi must be a list of integers from -63 to 63, not a tuple of 1."),
    (
        "gmac_v2",
        {"immediates_vi": (1 << 62,)},
        "immediates_vi must be a list of integers from -2147483648 to 2147483647, not [4611686018427387904].",
    ),
    ("lut", {"bw_address": 60}, "bw_address must be an integer from 1 to 16, not 60."),
    ("lut", {"shamt_address": -64}, "shamt_address must be an integer from -63 to 63, not -64."),
    ("lut", {"table": 5}, "table must be a table, not 5."),
    ("chunk", {"chunks": 1 << 40}, "chunks must be an integer from 1 to 1048576, not 1099511627776."),
    ("chunk", {"chunks": 0}, "chunks must be an integer from 1 to 1048576, not 0."),
    ("split", {"lengths": (-1, 6)}, "lengths must be a list of integers from 0 to 4611686018427387904, not [-1, 6]."),
    ("zeros", {"shape": (-1,)}, "shape must be a list of integers from 0 to 1048576, not [-1]."),
    ("zeros", {"shape": (1 << 40,)}, "shape must be a list of integers from 0 to 1048576, not [1099511627776]."),
    ("loop", {"n_iter": 1 << 40}, "n_iter must be an integer from 1 to 1048576, not 1099511627776."),
    ("loop", {"n_iter": 0}, "n_iter must be an integer from 1 to 1048576, not 0."),
    ("loop", {"n_scope": ...}, "n_scope must be an integer from 0 to 1048576, not missing."),
    (
        "loop",
        {"block_size_sliced": (0,)},
        "block_size_sliced must be a list of integers from 1 to 2147483648, not [0].",
    ),
    ("loop", {"reverse_sliced": (0,)}, "reverse_sliced must be a list of booleans, not [0]."),
    ("strided_subgraph", {"n": 0}, "n must be an integer from 1 to 1048576, not 0."),
    ("strided_subgraph", {"k": -1}, "k must be an integer from 0 to 1048576, not -1."),
    ("temporal_conv2d", {"stride_band": 0}, "stride_band must be an integer from 1 to 1048576, not 0."),
    ("temporal_conv2d", {"dilation_t": 0}, "dilation_t must be an integer from 1 to 1048576, not 0."),
    ("temporal_conv2d", {"dilation_band": 0}, "dilation_band must be an integer from 1 to 1048576, not 0."),
    ("temporal_conv2d", {"groups": 0}, "groups must be an integer from 1 to 1048576, not 0."),
    (
        "temporal_conv2d",
        {"padding_band": 1 << 40},
        "padding_band must be an integer from 0 to 1048576, not 1099511627776.",
    ),
    ("temporal_conv2d", {"shamt_bias": 64}, "shamt_bias must be an integer from -63 to 63, or None, not 64."),
    ("temporal_unfold", {"dilation": 0}, "dilation must be an integer from 1 to 1048576, not 0."),
    ("quantize", {"quanta": 1e9}, "quanta must be a number from -256 to 256, not the real number 1000000000.0."),
    ("quantize", {"quanta": float("nan")}, "quanta must be a number from -256 to 256, not the real number nan."),
]


@pytest.mark.parametrize(("op", "change", "sentence"), CONSTANTS)
def test_constants(op: str, change: dict[str, Any], sentence: str) -> None:
    net = spoiled(op, change)
    first = net.frame.nodes[0].outputs[0].name
    assert fault(net) == f'network "net", graph ARITH, node 0 ("{first}", operator {op}): constant {sentence}{AGAIN}'


SHORT = Table("t", np.arange(-50, 50), np.arange(100))
UPWARDS = Table("t", np.arange(256), np.arange(256))
UNEQUAL = Table("t", np.arange(-128, 128), np.arange(3))
OTHER_BODY = {"body": body(1, 1)}

NODES: list[tuple[str | None, str, dict[str, Any], str]] = [
    ("vvadd", "shapes", {"y": ...}, "input y must be a tensor, not missing."),
    ("vvadd", "shapes", {"z": [4]}, 'inputs must be x, y, not "z".'),
    ("vvadd", "shapes", {"y": [3]}, "inputs must have equal shapes, or one of them shape [1], not [4] and [3]."),
    ("vvadd", "bodies", OTHER_BODY, 'bodies must be none, not "body".'),
    ("vvadd", "outputs", {"outputs": ("out", "more")}, "outputs must be 1 in number, not 2."),
    ("vvadd", "outputs", {"outputs": ()}, "outputs must be 1 in number, not 0."),
    ("relu", "shapes", {"x": ...}, "input x must be a tensor, not missing."),
    ("sum", "constants", {"dim": (0, 1)}, "dim must name different axes of x, not [0, 1] for 1 axes."),
    ("sum", "constants", {"dim": (0, -1)}, "dim must name different axes of x, not [0, -1] for 1 axes."),
    ("matmul", "shapes", {"x": [2, 2, 4]}, "x and y must be a vector and a matrix, not of 3 and 2 axes."),
    (
        "matmul",
        "shapes",
        {"x": [5]},
        "the last axis of x and the first axis of y must have equal sizes, not [5] and [4, 3].",
    ),
    (
        "addmm",
        "shapes",
        {"bias": [4]},
        "bias must have the shape of the product, or its first axis, or shape [1], not [4] for [3].",
    ),
    (
        "gmac_v2",
        "constants",
        {"shamts_vv": (0, 0)},
        "inputs x_vv and y_vv and the list shamts_vv must be equal in number, not 1, 1 and 2.",
    ),
    (
        "gmac_v2",
        "shapes",
        {"y_vv_0": ...},
        "inputs x_vv and y_vv and the list shamts_vv must be equal in number, not 1, 0 and 1.",
    ),
    (
        "gmac_v2",
        "constants",
        {"immediates_vi": ()},
        "inputs x_vi and the lists shamts_vi and immediates_vi must be equal in number, not 1, 1 and 0.",
    ),
    (
        "gmac_v2",
        "shapes",
        {"x_vi_2": [4]},
        "inputs must be x_vv_0, x_vv_1, ... without gaps, y_vv_0, y_vv_1, ... without gaps, x_vi_0, x_vi_1, ..."
        ' without gaps, not "x_vi_2".',
    ),
    ("gmac_v2", "constants", {"bits_out": (16,)}, "bits_out must have one entry for each output, not 1 for 2."),
    (
        "gmac_v2",
        "dtypes",
        {"x_vi_0": ""},
        "inputs must have a declared type, since it decides how many bits are lost, not x_vi_0 without one.",
    ),
    (
        "lut",
        "constants",
        {"table": SHORT},
        "table must have the addresses of its full domain, -2**(bw_address-1) to 2**(bw_address-1)-1, ascending, not"
        " 100 entries for 8 bits.",
    ),
    (
        "lut",
        "constants",
        {"table": UPWARDS},
        "table must have the addresses of its full domain, -2**(bw_address-1) to 2**(bw_address-1)-1, ascending, not"
        " addresses from 0 to 255.",
    ),
    (
        "lut",
        "constants",
        {"table": UNEQUAL},
        "table must have one integer value for each address, not 3 values of type int64.",
    ),
    ("cat", "shapes", {"x0": ..., "x1": ...}, "inputs must be at least x0, not none."),
    ("cat", "shapes", {"x3": [4]}, 'inputs must be x0, x1, ... without gaps, not "x3".'),
    ("cat", "constants", {"dim": 1}, "dim must be an axis of the inputs, not 1 for 1 axes."),
    (
        "cat",
        "shapes",
        {"x1": [2, 2]},
        "inputs must have equal shapes apart from the axis dim, not [4] for x0 and [2, 2] for x1.",
    ),
    ("split", "constants", {"lengths": (2, 2)}, "lengths must sum to the length of x, not 4 for x of [5]."),
    (
        "split",
        "constants",
        {"lengths": (1 << 40, 3)},
        "lengths must sum to the length of x, not 1099511627779 for x of [5].",
    ),
    ("split", "constants", {"lengths": (5,)}, "lengths must have one entry for each output, not 1 for 2."),
    ("chunk", "constants", {"chunks": 3}, "chunks must be the number of outputs, not 3 for 2."),
    ("chunk", "constants", {"dim": 1}, "dim must be an axis of x, not 1 for 1 axes."),
    ("stack", "shapes", {"x1": [3]}, "inputs must be at least x0, all of one shape, not [4] and [3]."),
    ("stack", "constants", {"dim": 2}, "dim must be an axis of the result, not 2 for 2 axes."),
    ("reshape", "constants", {"shape": (4, 2)}, "shape must have as many elements as x, not [4, 2] for x of [6]."),
    ("reshape", "constants", {"shape": (-1, -1)}, "shape must have as many elements as x, not [-1, -1] for x of [6]."),
    ("transpose", "shapes", {"x": [1, 2, 3]}, "x must have at most two axes, not 3."),
    ("assign", "shapes", {"x": [3]}, "x must have the shape of the state y, not [3] for [4]."),
    ("temporal_unfold", "shapes", {"x": [1, 3]}, "x must be a vector, not [1, 3]."),
    (
        "temporal_unfold",
        "constants",
        {"buffer_length": 3},
        "buffer_length must be (kernel_size - 1) * dilation, not 3 for 4.",
    ),
    ("temporal_unfold", "shapes", {"buffer": [9]}, "buffer must hold buffer_length frames of x, not [9] for [12]."),
    (
        "temporal_conv2d",
        "shapes",
        {"input": [9]},
        "input must be a vector of n_band_in * d_band_in elements, not [9] for [10].",
    ),
    (
        "temporal_conv2d",
        "shapes",
        {"weight": [3, 2, 2, 2]},
        "weight must be [cout, d_band_in / groups, kernel_size_band, kernel_size_t], "
        "not [3, 2, 2, 2] for [cout, 2, 3, 2].",
    ),
    (
        "temporal_conv2d",
        "constants",
        {"groups": 2},
        "weight must be [cout, d_band_in / groups, kernel_size_band, kernel_size_t], "
        "not [3, 2, 3, 2] for [cout, 1, 3, 2].",
    ),
    (
        "temporal_conv2d",
        "constants",
        {"dilation_band": 4},
        "the kernel must fit into the padded bands, not 9 bands of 7.",
    ),
    (
        "temporal_conv2d",
        "shapes",
        {"buffer": [10]},
        "buffer must hold (kernel_size_t - 1) * dilation_t frames, and may be absent only if that is none, "
        "not [10] for [20].",
    ),
    (
        "temporal_conv2d",
        "shapes",
        {"buffer": ...},
        "buffer must hold (kernel_size_t - 1) * dilation_t frames, and may be absent only if that is none, not absent.",
    ),
    (
        "temporal_conv2d",
        "shapes",
        {"bias": [4]},
        "bias must have one element for each output channel, and a shift, not [4] for 3 channels.",
    ),
    (
        "temporal_conv2d",
        "constants",
        {"shamt_bias": None},
        "bias must have one element for each output channel, and a shift, not without shamt_bias.",
    ),
    (
        "loop",
        "constants",
        {"n_scope": 2},
        "n_recurse, n_sliced and n_scope must be the numbers of inputs of each kind, not [1, 1, 2] for [1, 1, 1].",
    ),
    (
        "loop",
        "constants",
        {"reverse_sliced": (False, False)},
        "block_size_sliced, reverse_sliced and reverse_concat must have one entry for each slice and each piece,"
        " not [1, 2, 1] for [1, 1, 1].",
    ),
    (
        "loop",
        "bodies",
        {"body": body(2, 3, 2)},
        "the body must take n_recurse + n_sliced + n_scope inputs, not 2 for 3.",
    ),
    (
        "loop",
        "bodies",
        {"body": body(3, 2, 2)},
        "the body must give n_recurse + n_concat + n_final outputs, the loop n_concat + n_final, "
        "not [2, 2] for [3, 2].",
    ),
    (
        "loop",
        "constants",
        {"n_iter": 4},
        "n_iter blocks of each sliced input must lie inside it, not 4 blocks of 2 in x_sliced_0 of [6].",
    ),
    ("loop", "bodies", {"body": ...}, "bodies must be body, not none."),
    (
        "loop",
        "shapes",
        {"x_sliced_2": [4]},
        "inputs must be x_recurse_0, x_recurse_1, ... without gaps, x_sliced_0, x_sliced_1, ... without gaps,"
        ' x_scope_0, x_scope_1, ... without gaps, not "x_sliced_2".',
    ),
    ("conditional", "bodies", {"false": ...}, 'bodies must be true and false, not "true".'),
    (
        "conditional",
        "bodies",
        {"false": body(1, 2, 2)},
        "both bodies must take num_inputs inputs and give num_outputs outputs, not [1, 2] for [1, 1] in body false.",
    ),
    (
        "conditional",
        "constants",
        {"num_inputs": 2},
        "num_inputs and num_outputs must be the numbers of inputs and outputs, not [2, 1] for [1, 1].",
    ),
    ("conditional", "shapes", {"condition": [0]}, "condition must have an element, not [0]."),
    ("strided_subgraph", "constants", {"k": 4}, "k must be less than n, not 4 for 4."),
    ("strided_subgraph", "shapes", {"counter": [2]}, "counter must have shape [1], not [2]."),
    (
        "strided_subgraph",
        "constants",
        {"num_outputs": 2},
        "num_inputs and num_outputs must be the numbers of inputs, default outputs and outputs,"
        " not [1, 2, 2] for [1, 1, 1].",
    ),
    (
        "strided_subgraph",
        "bodies",
        {"body": body(2, 1, 2)},
        "the body must take num_inputs inputs and give num_outputs outputs, not [2, 1] for [1, 1].",
    ),
    (
        "strided_subgraph",
        "shapes",
        {"default_output_0": [3]},
        "default_output_0 must have the body's output shape [2], not [3].",
    ),
    (None, "bodies", {"other": body(1, 1)}, "a call must have exactly one body, not 2."),
    (
        None,
        "outputs",
        {"outputs": ("a", "b")},
        "the body must have an output for each output of the call, not 1 for 2.",
    ),
]


@pytest.mark.parametrize(("op", "where", "change", "sentence"), NODES)
def test_nodes(op: str | None, where: str, change: dict[str, Any], sentence: str) -> None:
    net = spoiled(op, change, where)
    outputs = net.frame.nodes[0].outputs
    first = f'"{outputs[0].name}"' if outputs else "no output"
    place = f'network "net", graph ARITH, node 0 ({first}, operator {op or "call"}): '
    assert fault(net) == f"{place}{sentence}{AGAIN}"


def test_depthwise_channels_must_agree() -> None:
    net = spoiled("temporal_conv2d", {"weight": [4, 1, 3, 2], "bias": [4]}, "shapes")
    made = net.frame.nodes[0]
    wrong = replace(net.frame, nodes=(replace(made, constants={**made.constants, "groups": 2}),))
    assert "groups must be 1, or the number of input channels and of output channels, not 2 for 2 and 4" in fault(
        replace(net, frame=wrong)
    )
