"""frame_conv2d against a direct transcription of its sums, on all executors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.compiler.fmir.ir import Mac
from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.graph import Network
from femtodriver.part import load_part
from tests.agree.agreement import EXACT, SHARED, Target, checked
from tests.fqir.small_networks import graph, network, node, parameter, run, tensor

SIDES = ("pad_top", "pad_bottom", "pad_left", "pad_right")
PLAIN: dict[str, Any] = {
    **dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w", "groups"), 1),
    **dict.fromkeys(SIDES, 0),
    "bw": 32,
}
PART = load_part("spu001")


def conv(shape: tuple[int, int, int], weight: Any, bias: Any = None, **changed: Any) -> Network:
    given = {"x": tensor("x", shape), "weight": parameter("w", weight, "int16")}
    if bias is not None:
        given["bias"] = parameter("bias", bias, "int32")
    parameters = [given[key] for key in ("weight", "bias") if key in given]
    found = node("frame_conv2d", given, **{**PLAIN, **changed})
    shapes = replace(found, outputs=(tensor("out", (1,), "int32"),))
    frame = graph([shapes], [given["x"]], ["out"], parameters)
    return network(replace(frame, outputs=shapes.outputs))


def outputs(net: Network, x: Any) -> Any:
    return np.asarray(run(net, {"x": x})[0]["out"]).tolist()


def test_windows_go_row_by_row() -> None:
    weight = [[[[1000], [100]], [[10], [1]]]]
    net = conv((3, 3, 1), weight)
    assert outputs(net, [[[1], [2], [3]], [[4], [5], [6]], [[7], [8], [9]]]) == [[[1245], [2356]], [[4578], [5689]]]


def test_cells_around_the_picture_are_zero() -> None:
    weight = [[[[100], [10], [1]]]]
    assert outputs(conv((1, 3, 1), weight, pad_left=1, pad_right=2), [[[1], [2], [3]]]) == [[[12], [123], [230], [300]]]
    assert outputs(conv((1, 1, 1), weight, pad_top=1, pad_left=2), [[[7]]]) == [[[0]], [[7]]]


def test_strides_and_dilations() -> None:
    weight = [[[[10], [1]]]]
    x = [[[1], [2], [3], [4], [5]]]
    assert outputs(conv((1, 5, 1), weight, stride_w=2), x) == [[[12], [34]]]
    assert outputs(conv((1, 5, 1), weight, stride_w=2, dilation_w=2), x) == [[[13], [35]]]


def test_depthwise_convolves_each_channel_on_its_own() -> None:
    weight = [[[[1], [2]]], [[[3], [4]]]]
    assert outputs(conv((1, 2, 2), weight, [100, 200], groups=2), [[[1, 10], [5, 50]]]) == [[[111, 430]]]


def test_sums_are_saturated() -> None:
    assert outputs(conv((1, 1, 1), [[[[100]]]], bw=8), [[[2]]]) == [[[127]]]


def direct(x: Any, weight: Any, bias: Any, constants: dict[str, int]) -> Any:
    """Window by window and cell by cell."""
    height, width = x.shape[:2]
    counts = [
        (size + sum(constants[side] for side in sides) - (kernel - 1) * constants[f"dilation_{name}"] - 1)
        // constants[f"stride_{name}"]
        + 1
        for size, kernel, name, sides in (
            (height, weight.shape[1], "h", SIDES[:2]),
            (width, weight.shape[2], "w", SIDES[2:]),
        )
    ]
    found = np.zeros((*counts, len(weight)), np.int64)
    for row, column, output in np.ndindex(found.shape):
        total = int(bias[output])
        for a, b in np.ndindex(weight.shape[1:3]):
            there = row * constants["stride_h"] + a * constants["dilation_h"] - constants["pad_top"]
            across = column * constants["stride_w"] + b * constants["dilation_w"] - constants["pad_left"]
            if 0 <= there < height and 0 <= across < width:
                cell = x[there, across]
                depthwise = constants["groups"] > 1
                total += int(weight[output, a, b, 0] * cell[output] if depthwise else weight[output, a, b] @ cell)
        found[row, column, output] = total
    return found


@st.composite
def geometries(draw: Any) -> dict[str, Any]:
    depthwise = draw(st.booleans())
    channels = draw(st.sampled_from([2, 3, 8, 16]))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    shape = (*draw(st.tuples(st.integers(1, 6), st.integers(1, 6))), channels)
    constants = {**PLAIN, "groups": channels if depthwise else 1}
    constants |= {name: draw(st.integers(1, 2)) for name in ("stride_h", "stride_w", "dilation_h", "dilation_w")}
    constants |= {side: draw(st.integers(0, 2)) for side in SIDES}
    outputs = channels if depthwise else draw(st.sampled_from([1, 5, 8, 16]))
    for size, reach, name, sides in zip(shape[:2], kernel, "hw", (SIDES[:2], SIDES[2:]), strict=True):
        missing = (reach - 1) * constants[f"dilation_{name}"] + 1 - size - sum(constants[side] for side in sides)
        constants[sides[1]] += max(0, missing)
    weight = (outputs, *kernel, 1 if depthwise else channels)
    return {"shape": shape, "weight": weight, "constants": constants, "seed": draw(st.integers(0, 99))}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(geometries())
def test_any_geometry_on_all_executors(drawn: dict[str, Any]) -> None:
    random = np.random.default_rng(drawn["seed"])
    weight = random.integers(-128, 128, drawn["weight"])
    bias = random.integers(-5000, 5000, len(weight))
    net = conv(drawn["shape"], weight, bias, **drawn["constants"])
    frames = [random.integers(-255, 256, drawn["shape"]) for _ in range(2)]
    for x in frames:
        np.testing.assert_array_equal(outputs(net, x), direct(x, weight, bias, drawn["constants"]))
    found = checked(net, [{"x": x} for x in frames], Target(PART))
    assert found.kind in (EXACT, SHARED), found


def test_a_kernel_of_one_cell_is_one_instruction_for_many_cells() -> None:
    weight = np.arange(8 * 4).reshape(8, 1, 1, 4)
    compiled = compile_network(conv((4, 6, 4), weight, np.arange(8)), PART)
    products = [op for op in compiled.fmir.ops if isinstance(op, Mac)]
    assert [op.repeat for op in products] == [24]
