"""temporal_conv2d against a direct transcription of the specification's sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.fqir.graph import Network
from tests.fqir.small_networks import graph, network, node, parameter, run, tensor, zeros

PLAIN: dict[str, Any] = {
    "kernel_size_t": 1,
    "kernel_size_band": 1,
    "d_band_in": 1,
    "n_band_in": 1,
    "dilation_t": 1,
    "dilation_band": 1,
    "stride_band": 1,
    "padding_band": 0,
    "groups": 1,
    "shamt_bwred": 0,
    "shamt_bias": None,
    "bw": 16,
}


def conv(weight: Any, bias: Any = None, free_weight: bool = False, **changed: Any) -> Network:
    """A network of one convolution; ``free_weight`` makes the weight an input, so that nothing is prepared."""
    constants = {**PLAIN, **changed}
    size = constants["n_band_in"] * constants["d_band_in"]
    rows = (constants["kernel_size_t"] - 1) * constants["dilation_t"]
    given = {"input": tensor("x", [size]), "weight": parameter("w", weight)}
    if bias is not None:
        given["bias"] = parameter("bias", bias)
    if rows:
        given["buffer"] = tensor("buffer", [rows * size])
    parameters = [given[key] for key in ("weight", "bias") if key in given]
    inputs = [given["input"]]
    if free_weight:
        inputs += [tensor(item.name, item.shape) for item in parameters]
        parameters = []
    frame = graph([node("temporal_conv2d", given, **constants)], inputs, ["out"], parameters)
    return network(frame, zeros(buffer=[rows * size]) if rows else None)


def outputs(net: Network, *frames: Any) -> list[Any]:
    return [result["out"] for result in run(net, *({"x": frame} for frame in frames))]


def test_time_index_0_of_the_weight_is_the_oldest_frame() -> None:
    net = conv([[[[100, 10, 1]]]], kernel_size_t=3)
    assert outputs(net, [1], [2], [3], [4]) == [[1], [12], [123], [234]]


def test_dilation_in_time() -> None:
    net = conv([[[[10, 1]]]], kernel_size_t=2, dilation_t=2)
    assert outputs(net, [1], [2], [3], [4]) == [[1], [2], [13], [24]]


def test_bands_are_padded_with_zeros() -> None:
    weight = [[[[100], [10], [1]]]]
    assert outputs(conv(weight, kernel_size_band=3, n_band_in=3, padding_band=1), [1, 2, 3]) == [[12, 123, 230]]
    assert outputs(conv(weight, kernel_size_band=3, n_band_in=3), [1, 2, 3]) == [[123]]


def test_stride_and_dilation_of_bands() -> None:
    weight = [[[[10], [1]]]]
    constants: dict[str, Any] = {"kernel_size_band": 2, "n_band_in": 5, "stride_band": 2}
    assert outputs(conv(weight, **constants), [1, 2, 3, 4, 5]) == [[12, 34]]
    assert outputs(conv(weight, **constants, dilation_band=2), [1, 2, 3, 4, 5]) == [[13, 35]]


def test_vectors_are_band_major() -> None:
    weight = [[[[1]], [[10]]], [[[2]], [[20]]]]  # two channels to two channels
    assert outputs(conv(weight, d_band_in=2, n_band_in=2), [1, 2, 3, 4]) == [[21, 42, 43, 86]]


def test_depthwise_convolves_each_channel_on_its_own() -> None:
    weight = [[[[1, 2]]], [[[3, 4]]]]
    net = conv(weight, d_band_in=2, groups=2, kernel_size_t=2)
    assert outputs(net, [1, 1], [10, 10]) == [[2, 4], [21, 43]]


def test_the_bias_is_shifted_and_the_result_floored() -> None:
    net = conv([[[[1]]]], bias=[3], shamt_bias=-1, shamt_bwred=-1, bw=8)
    assert outputs(net, [2], [-4], [1000]) == [[1], [-2], [127]]


def direct(constants: dict[str, int], weight: Any, bias: Any, shamt_bias: int, history: list[Any]) -> list[int]:
    """One output frame, band by band and tap by tap, in Python integers."""
    channels, bands, pad = constants["d_band_in"], constants["n_band_in"], constants["padding_band"]
    reach = (constants["kernel_size_band"] - 1) * constants["dilation_band"]
    result = []
    for start in range(0, bands + 2 * pad - reach, constants["stride_band"]):
        for c in range(len(weight)):
            total = 0 if bias is None else int(np.floor(bias[c] * 2.0**shamt_bias))
            for a in range(constants["kernel_size_t"]):
                for k in range(constants["kernel_size_band"]):
                    band = start + k * constants["dilation_band"] - pad
                    if not 0 <= band < bands:
                        continue
                    row = history[a * constants["dilation_t"]][band * channels : (band + 1) * channels]
                    if constants["groups"] > 1:
                        total += weight[c][0][k][a] * row[c]
                    else:
                        total += sum(weight[c][i][k][a] * row[i] for i in range(channels))
            result.append(max(-(1 << 15), min((1 << 15) - 1, total >> 3)))
    return result


@pytest.mark.parametrize("free_weight", [False, True])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_geometry(free_weight: bool, data: st.DataObject) -> None:
    draw = data.draw
    constants = {
        "kernel_size_t": draw(st.integers(1, 3)),
        "kernel_size_band": draw(st.integers(1, 3)),
        "d_band_in": draw(st.integers(1, 3)),
        "n_band_in": draw(st.integers(5, 7)),
        "dilation_t": draw(st.integers(1, 2)),
        "dilation_band": draw(st.integers(1, 2)),
        "stride_band": draw(st.integers(1, 3)),
        "padding_band": draw(st.integers(0, 2)),
    }
    channels = constants["d_band_in"]
    constants["groups"] = draw(st.sampled_from([1, channels]))
    cout = channels if constants["groups"] > 1 else draw(st.integers(1, 3))
    numbers = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    inner = channels // constants["groups"]
    weight = numbers.integers(-128, 128, (cout, inner, constants["kernel_size_band"], constants["kernel_size_t"]))
    bias = numbers.integers(-99, 99, cout) if draw(st.booleans()) else None
    shamt_bias = draw(st.integers(-2, 4))
    net = conv(weight, bias, free_weight, **constants, shamt_bwred=-3, shamt_bias=shamt_bias)
    rows = (constants["kernel_size_t"] - 1) * constants["dilation_t"]
    size = constants["n_band_in"] * channels
    frames = numbers.integers(-128, 128, (4, size))
    history = [[0] * size] * rows + frames.tolist()
    weights = {"w": weight} | ({} if bias is None else {"bias": bias}) if free_weight else {}
    results = run(net, *({"x": frame, **weights} for frame in frames))
    for time, result in enumerate(results):
        window = history[time : time + rows + 1]
        assert result["out"] == direct(constants, weight.tolist(), bias, shamt_bias, window)
