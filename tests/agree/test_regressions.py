"""Counterexamples that random graphs have found, made small: once wrong, now forever right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import ModelError
from femtodriver.fqir.graph import Network, Table
from femtodriver.part import load_part
from tests.agree.agreement import Outcome, Target, checked
from tests.agree.networks import ADD, MULTIPLY, PRODUCT, graph, loop, network, node, parameter, tensor

ONE_CORE = Target(load_part())
EAGER = Target(load_part(), eager=True)
IN_MEMORY = Target(load_part(), Options().without("accumulators"))
TWO_CORES = Target(load_part(), Options(cores=2), eager=True)
X = tensor("x", 4)
TIMES_TWO = {**MULTIPLY, "y": 2}


def outcome(net: Network, frames: Sequence[dict[str, Any]], target: Target = ONE_CORE) -> Outcome:
    shapes = {item.name: item.shape for item in net.inputs}
    arrays = [{name: np.asarray(frame[name], np.int64).reshape(shapes[name]) for name in shapes} for frame in frames]
    return checked(net, arrays, target)


def exact(net: Network, *frames: dict[str, Any], target: Target = ONE_CORE) -> None:
    found = outcome(net, frames or ({item.name: np.arange(item.size) + 1 for item in net.inputs},) * 4, target)
    assert found.kind.startswith("exact"), found


# ---- widths ------------------------------------------------------------------------------------------------------


def gmac(x: Any, **constants: Any) -> Network:
    outputs = " ".join(f"out{index}" for index in range(len(constants["bits_out"])))
    inputs = {f"x_vi_{index}": x for index in range(len(constants["shamts_vi"]))}
    return network(graph([node("gmac_v2", inputs, outputs, {"shamts_vv": (), **constants})], [x], outputs))


def test_an_immediate_aligned_beyond_32_bits() -> None:
    constants = {**ADD, "y": 1 << 20, "shamt_y": 40, "shamt_bwred": -46}
    exact(network(graph([node("viadd", {"x": X}, "out", constants)], [X], "out")))


def test_a_product_of_constants_beyond_32_bits() -> None:
    weight = tensor("w", dtype="int24", value=[-8388608, 8388607, 3, -5])
    inputs = {"x_vv_0": weight, "y_vv_0": weight, "x_vi_0": X}
    constants = {"shamts_vv": (-20,), "shamts_vi": (0,), "immediates_vi": (1,), "bits_out": (32,)}
    exact(network(graph([node("gmac_v2", inputs, "out", constants)], [X], "out", [weight])))


def test_a_sum_in_more_than_64_bits() -> None:
    exact(gmac(X, shamts_vi=(3,), immediates_vi=(-7,), bits_out=(32, 32, 32)))
    exact(gmac(X, shamts_vi=(3,), immediates_vi=(-7,), bits_out=(32, 32, 32, 32)))


def test_shifts_beyond_63() -> None:
    x = tensor("x", 4, "int24")
    exact(gmac(x, shamts_vi=(63,), immediates_vi=(1 << 30,), bits_out=(32,)))
    exact(gmac(x, shamts_vi=(63, -63), immediates_vi=(1 << 30, 12345), bits_out=(16,)))


def test_a_bias_of_a_depthwise_convolution_keeps_its_bits() -> None:
    conv = {"kernel_size_t": 1, "kernel_size_band": 1, "d_band_in": 4, "n_band_in": 1, "dilation_t": 1}
    conv |= {"dilation_band": 1, "stride_band": 1, "padding_band": 0, "groups": 4, "shamt_bwred": -8}
    weight = parameter("w", np.zeros((4, 1, 1, 1)), "int8")
    bias = parameter("b", [100, -100, 127, -128], "int8")
    inputs = {"input": X, "weight": weight, "bias": bias}
    made = node("temporal_conv2d", inputs, "out", {**conv, "shamt_bias": 12, "bw": 16})
    exact(
        network(graph([made], [X], "out", [weight, bias])),
        target=IN_MEMORY,
    )
    computed = node("temporal_conv2d", {**inputs, "bias": "y"}, "out", {**conv, "shamt_bias": 12, "bw": 16})
    frame = graph([node("shift", {"x": X}, "y", {"shamt": 5, "bw": 8}), computed], [X], "out", [weight])
    exact(network(frame), target=IN_MEMORY)


def test_numbers_beyond_32_bits_are_refused_before_anything_runs() -> None:
    for dtype in ("", "int32"):
        wide = parameter("p", [1 << 40, 1, 2, 3], dtype)
        for op, constants in (("vimul", TIMES_TWO), ("relu", {}), ("copy", {})):
            frame = graph([node(op, {"x": wide}, "out", constants)], [X], "out", [wide])
            with pytest.raises(ModelError, match=r'parameter "p" must be from -2147483648 to 2147483647 \('):
                compile_network(network(frame), load_part())


def test_an_output_declared_narrower_than_its_value() -> None:
    frame = graph([node("vimul", {"x": X}, "out", {**MULTIPLY, "y": 1000})], [X], "out")
    narrow = tuple(tensor("out", 4, dtype) for dtype in ("int8",))
    exact(network(type(frame)("", frame.inputs, narrow, (), frame.nodes)))


@pytest.mark.parametrize("factor", ["input", "sum", "parameter"])
def test_a_factor_that_is_no_boolean_is_refused_before_anything_runs(factor: str) -> None:
    x, y = tensor("x", 4, "int24"), tensor("y", 4)
    constants = {"shamt": 0, "rounded": False}
    two = parameter("p", [1, 0, 2, 0])
    factors: dict[str, Any] = {"input": y, "sum": "s", "parameter": two}
    product = node("temp_i24_bool_mul", {"x": x, "y_bool": factors[factor]}, "out", constants)
    nodes = [node("vvadd", {"x": y, "y": y}, "s", ADD), product]
    frame = graph(nodes, [x, y], "out", [two])
    with pytest.raises(ModelError, match="the product must fit the type of the output, as it does if y_bool is 0 or 1"):
        compile_network(network(frame), load_part())


def test_booleans_stay_booleans_through_copies_branches_loops_and_states() -> None:
    """Whatever 0 or 1 goes through on its way to the product, all executors compute alike."""
    x = tensor("x", 4, "int24")
    body = graph([node("copy", {"x": "a"}, "b")], ["a"], "b")
    branches = {"true": body, "false": graph([node("vigt", {"x": "c"}, "d", {"imm": 5})], ["c"], "d")}
    out = tensor("out", 4, "int24")
    counted = {"num_inputs": 1, "num_outputs": 1}
    product = node("temp_i24_bool_mul", {"x": x, "y_bool": "s"}, "", {"shamt": 0, "rounded": False})
    nodes = [
        node("gt0", {"x": x}, "flag"),
        node("loop", {"x_sliced_0": "flag"}, "each", loop(4, sliced=1, concat=1), {"body": body}),
        node("conditional", {"condition": "each", "input_0": "each"}, "one", counted, branches),
        replace(product, outputs=(out,)),
        node("assign", {"y": "s", "x": "one"}, ""),
    ]
    frame = graph(nodes, [x], "")
    extremes = {"x": [8388607, -8388608, 0, 5]}
    exact(network(replace(frame, outputs=(out,)), s=[0, 0, 0, 0]), extremes, extremes, {"x": [-1, 1, 1, 1]}, extremes)


def test_an_output_whose_values_leave_its_type_is_as_wide_as_they_are() -> None:
    """A split of 32-bit values, declared to have 24 bits: memory holds both in 32 bits, and the port said 24."""
    x = tensor("x", 4, "int32")
    out = tensor("out", 2, "int24")
    halves = replace(node("split", {"x": x}, "", {"lengths": (2, 2), "dim": 0}), outputs=(out, tensor("rest", 2)))
    frame = replace(graph([halves], [x], ""), outputs=(out,))
    assert compile_network(network(frame), load_part()).fmir.outputs[0].bits == 32
    exact(network(frame), {"x": [-(1 << 31), (1 << 31) - 1, 0, 1]})


# ---- nothing at all ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shapes", [((0,), (0, 3)), ((4,), (4, 0)), ((0,), (0, 0))])
def test_products_with_nothing(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    x, weight = tensor("x", shapes[0]), parameter("w", np.ones(shapes[1]), "int8")
    bias = parameter("b", np.ones(shapes[1][1]))
    turned = parameter("v", np.ones(shapes[1][::-1]), "int8")
    addmm = {**PRODUCT, "shamt_bias": 2}
    nodes = [
        node("matmul", {"x": x, "y": weight}, "a", PRODUCT),
        node("matmul", {"x": turned, "y": x}, "b2", PRODUCT),
        node("addmm", {"bias": bias, "x": x, "y": weight}, "c", addmm),
        node("addmm", {"bias": bias, "x": turned, "y": x}, "d", addmm),
        node("sum", {"x": x}, "e", {"dim": 0, "keepdim": True, "shamt_bwred": 0, "bw": 16}),
    ]
    exact(network(graph(nodes, [x], "a b2 c d e", [weight, turned, bias])))


def test_computed_products_with_nothing() -> None:
    x = tensor("x", 0)
    nodes = [node("reshape", {"x": x}, "y", {"shape": (0, 3)}), node("matmul", {"x": x, "y": "y"}, "out", PRODUCT)]
    exact(network(graph(nodes, [x], "out")))


def test_sums_of_nothing() -> None:
    exact(gmac(tensor("x", 0), shamts_vi=(0, -1), immediates_vi=(3, 4), bits_out=(9, 8)))
    x, nothing = tensor("x", 1), tensor("y", 0)
    constants = {"shamts_vv": (0,), "shamts_vi": (), "immediates_vi": (), "bits_out": (16,)}
    frame = graph([node("gmac_v2", {"x_vv_0": x, "y_vv_0": nothing}, "out", constants)], [x, nothing], "out")
    exact(network(frame))
    empty = tensor("x", (0, 3))
    sums = [
        node("sum", {"x": empty}, f"out{axis}", {"dim": axis, "keepdim": False, "shamt_bwred": 0, "bw": 8})
        for axis in (0, 1)
    ]
    exact(network(graph(sums, [empty], "out0 out1")))


def test_nothing_is_carried_through_a_loop_by_name() -> None:
    x = tensor("x", 1)
    inner = graph([], ["b"], "b")
    nodes = [
        node("loop", {"x_recurse_0": "nothing"}, "", loop(2, carried=1), {"body": inner}),
        node("copy", {"x": "nothing"}, "nothing"),
    ]
    body = graph(nodes, ["a"], "a")
    nodes = [
        node("split", {"x": x}, "nothing all", {"lengths": (0, 1), "dim": 0}),
        node("loop", {"x_scope_0": x}, "out", loop(2, scope=1, final=1), {"body": body}),
        node("cat", {"x0": "nothing", "x1": "out"}, "out2", {"dim": 0}),
    ]
    exact(network(graph(nodes, [x], "out2")))


# ---- names -------------------------------------------------------------------------------------------------------


def test_a_name_that_a_loop_leaves_behind() -> None:
    body = graph([node("copy", {"x": "a"}, "left")], ["a"], "")
    nodes = [
        node("loop", {"x_sliced_0": X}, "", loop(4, sliced=1), {"body": body}),
        node("vvadd", {"x": "left", "y": "a"}, "out", ADD),
    ]
    exact(network(graph(nodes, [X], "out")))


def test_an_input_of_a_body_with_the_name_of_an_outer_value() -> None:
    body = graph([node("vimul", {"x": "y"}, "b", TIMES_TWO)], ["y"], "b")
    nodes = [
        node("vimul", {"x": X}, "y", TIMES_TWO),
        node("vimul", {"x": X}, "z", {**MULTIPLY, "y": 5}),
        node("loop", {"x_scope_0": "z"}, "out", loop(2, scope=1, final=1), {"body": body}),
        node("vvadd", {"x": "y", "y": "out"}, "sum", ADD),
    ]
    exact(network(graph(nodes, [X], "sum y")))


def test_a_parameter_of_a_body_with_the_name_of_a_state() -> None:
    body = graph([], [], "s", [parameter("s", [7])])
    x = tensor("x", 1)
    nodes = [node("vvadd", {"x": x, "y": "s"}, "out", ADD), node(None, {}, "again", {}, {"body": body})]
    exact(network(graph(nodes, [x], "out again"), s=[1]))


def test_an_outer_value_that_one_branch_overwrites() -> None:
    true = graph([node("vimul", {"x": "y"}, "y", TIMES_TWO)], [], "")
    x = tensor("x", 2)
    nodes = [
        node("copy", {"x": x}, "y"),
        node(
            "conditional",
            {"condition": x},
            "",
            {"num_inputs": 0, "num_outputs": 0},
            {"true": true, "false": graph([], [], "")},
        ),
        node("copy", {"x": "y"}, "out"),
    ]
    exact(network(graph(nodes, [x], "out")), {"x": [0, 5]}, {"x": [3, 5]}, {"x": [0, 1]})


def test_a_name_that_both_branches_leave_behind() -> None:
    branches = {
        "true": graph([node("vimul", {"x": "a"}, "left", TIMES_TWO)], ["a"], "left"),
        "false": graph([node("vneg", {"x": "b"}, "left", {"bw": 16})], ["b"], "left"),
    }
    nodes = [
        node("conditional", {"condition": X, "input_0": X}, "out", {"num_inputs": 1, "num_outputs": 1}, branches),
        node("vvadd", {"x": "left", "y": "out"}, "sum", ADD),
    ]
    exact(network(graph(nodes, [X], "sum")), {"x": [0, 1, 2, 3]}, {"x": [4, 1, 2, 3]})


def test_a_call_without_arguments_for_its_last_inputs() -> None:
    called = graph([node("vvadd", {"x": "a", "y": "y"}, "b", ADD)], ["a", "y"], "b")
    nodes = [
        node(None, {"first": "c"}, "d", {}, {"body": called}),
        node("vimul", {"x": "d"}, "y", TIMES_TWO),
    ]
    body = graph(nodes, ["c"], "d")
    nodes = [
        node("vneg", {"x": X}, "y", {"bw": 16}),
        node("loop", {"x_scope_0": X}, "out", loop(3, scope=1, final=1), {"body": body}),
        node("vvadd", {"x": "y", "y": "out"}, "sum", ADD),
    ]
    exact(network(graph(nodes, [X], "sum")))


# ---- states ------------------------------------------------------------------------------------------------------


def test_a_loop_gets_a_state_that_its_body_assigns() -> None:
    x = tensor("x", 1)
    nodes = [node("vvadd", {"x": "a", "y": "b"}, "c", ADD), node("assign", {"y": "s", "x": "c"}, "")]
    body, constants = graph(nodes, ["a", "b"], "c"), loop(2, sliced=1, scope=1, final=1)
    nodes = [
        node("cat", {"x0": x, "x1": "s"}, "both", {"dim": 0}),
        node("loop", {"x_sliced_0": "both", "x_scope_0": "s"}, "out", constants, {"body": body}),
    ]
    exact(network(graph(nodes, [x], "out s"), s=[5]))


def strided(n: int, k: int, body: Any, counter: str = "c") -> Any:
    return node(
        "strided_subgraph",
        {"counter": counter, "input_0": X, "default_output_0": X},
        f"out{n}{k}",
        {"n": n, "k": k, "num_inputs": 1, "num_outputs": 1},
        {"body": body},
    )


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, 3, 4, 11, -1, -300, 1 << 30])
def test_a_counter_that_starts_anywhere(first: int) -> None:
    body = graph([node("vneg", {"x": "a"}, "b", {"bw": 16})], ["a"], "b")
    exact(network(graph([strided(3, 1, body)], [X], "out31 c"), c=[first]))


def test_a_counter_that_counts_for_two() -> None:
    body = graph([node("vneg", {"x": "a"}, "b", {"bw": 16})], ["a"], "b")
    exact(
        network(graph([strided(5, 1, body), strided(2, 1, body)], [X], "out51 out21 c"), c=[2]),
        *[{"x": [1, 2, 3, 4]}] * 9,
    )


def test_a_body_that_assigns_its_own_counter() -> None:
    body = graph([node("assign", {"y": "c", "x": "nine"}, "")], ["a"], "a", [parameter("nine", [9])])
    exact(network(graph([strided(4, 0, body)], [X], "out40 c"), c=[0]), *[{"x": [1, 2, 3, 4]}] * 9)


def test_a_counter_that_another_node_assigns() -> None:
    body = graph([node("vneg", {"x": "a"}, "b", {"bw": 16})], ["a"], "b")
    nodes = [strided(4, 1, body), node("assign", {"y": "c", "x": "nine"}, "")]
    exact(network(graph(nodes, [X], "out41 c", [parameter("nine", [9])]), c=[0]))


# ---- several cores, passes ---------------------------------------------------------------------------------------


def test_wide_values_are_not_sent() -> None:
    x = tensor("x", 8)
    weight = parameter("w", np.arange(8 * 64).reshape(8, 64) % 17 - 8, "int8")
    inputs = {"x_vv_0": "low", "y_vv_0": "low", "x_vv_1": "high", "y_vv_1": "low"}
    constants = {"shamts_vv": (-1, -3), "shamts_vi": (), "immediates_vi": (), "bits_out": (8, 9)}
    nodes = [
        node("matmul", {"x": x, "y": weight}, "y", PRODUCT),
        node("split", {"x": "y"}, "low mid high rest", {"lengths": (16, 28, 16, 4), "dim": 0}),
        node("gmac_v2", inputs, "a b", constants),
    ]
    exact(network(graph(nodes, [x], "y a b", [weight])), target=TWO_CORES)


def test_another_core_learns_that_a_condition_has_changed_a_state() -> None:
    x = tensor("x", 8)
    weight = parameter("w", np.arange(8 * 32).reshape(8, 32) % 17 - 8, "int8")
    true = graph([node("assign", {"y": "s", "x": x}, "")], [], "")
    nodes = [
        node("matmul", {"x": "s", "y": weight}, "before", PRODUCT),
        node(
            "conditional",
            {"condition": x},
            "",
            {"num_inputs": 0, "num_outputs": 0},
            {"true": true, "false": graph([], [], "")},
        ),
        node("matmul", {"x": "s", "y": weight}, "after", PRODUCT),
    ]
    exact(network(graph(nodes, [x], "before after", [weight]), s=[1] * 8), target=TWO_CORES)


def test_look_ups_of_constants_are_packed() -> None:
    table = Table("f", np.arange(-128, 128), np.arange(256) * 3 % 101)
    first, second = parameter("p", [1, 2, 3], "int8"), parameter("q", [9, 8, 7], "int8")
    constants = {"shamt_address": 0, "bw_address": 8, "table": table}
    nodes = [
        node("lut", {"x": first}, "a", constants),
        node("lut", {"x": second}, "b", constants),
        node("cat", {"x0": "a", "x1": "b", "x2": X}, "out", {"dim": 0}),
    ]
    exact(network(graph(nodes, [X], "out", [first, second])), target=EAGER)
