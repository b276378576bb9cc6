"""QUANTIZE, DEQUANTIZE and functions of one element: LOGISTIC."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from femtodriver.arrays import Float64Array
from femtodriver.fqir.graph import Table
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.network_in_making import CENTRED_BITS, LIMITS, NetworkInMaking
from femtodriver.tflite.rescaling import XNNPACK, centred_limits, pair_constants
from femtodriver.tflite.value_rules import activation

ADDRESS_BITS = 8


def quantize(op: CheckedOperator, net: NetworkInMaking) -> None:
    """Another scale and zero point. A real tensor must be an input of the network, which then takes the integers."""
    if op.input().kind == "FLOAT32":
        net.door(op, op.input(), op.output())
        return
    source, result = (activation(op, tensor, tuple(LIMITS)) for tensor in (op.input(), op.output()))
    given, limits = centred_limits(op, op.input()), centred_limits(op, op.output())
    same = source.scale[0] == result.scale[0]
    if same and limits["low"] <= given["low"] and given["high"] <= limits["high"]:
        net.same_value(op, op.input(), op.output())
        return
    mode, real = "double", float(source.scale[0]) / float(result.scale[0])
    if net.requantize == XNNPACK and op.output().kind == op.input().kind == "INT8":
        mode, real = "single", float(np.rint(256 * (source.scale[0] / result.scale[0])) / 256)
    constants = pair_constants(op, mode, real, CENTRED_BITS)
    net.node(op, "rescale", {"x": net.value(op, op.input())}, op.output(), **constants, **limits)


def dequantize(op: CheckedOperator, net: NetworkInMaking) -> None:
    """To reals: only for an output of the network, which then gives the integers."""
    if op.output().index not in net.graph.outputs:
        raise op.unsupported("a real tensor must be an input or an output of the network", op.output())
    net.quantized(op.output(), activation(op, op.input(), tuple(LIMITS)), op.input().kind)
    net.same_value(op, op.input(), op.output())


def logistic(op: CheckedOperator, net: NetworkInMaking) -> None:
    """1 / (1 + exp(-x)), in steps of 1/256 from -128."""
    looked_up(op, net, lambda x: 256 / (1 + np.exp(-x)))


def tanh(op: CheckedOperator, net: NetworkInMaking) -> None:
    """tanh(x), in steps of 1/128."""
    looked_up(op, net, lambda x: 128 * np.tanh(x))


def looked_up(op: CheckedOperator, net: NetworkInMaking, function: Callable[[Float64Array], Float64Array]) -> None:
    """A table of all values of the input: it depends on nothing else. ``function`` gives results in steps."""
    given, limits = activation(op, op.input()), centred_limits(op, op.output())
    zero_point, addresses = int(given.zero_point[0]), np.arange(-128, 128)
    reals = (np.float32(given.scale[0]) * (addresses - zero_point).astype(np.float32)).astype(np.float64)
    made = function(reals)
    values = np.clip(np.copysign(np.floor(np.abs(made) + 0.5), made).astype(np.int64), limits["low"], limits["high"])
    x = net.value(op, op.input())
    if zero_point:
        shifted = {"y": zero_point, "shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": ADDRESS_BITS, "rounded": False}
        x = net.inner(op, "viadd", {"x": x}, net.step_name(op.output(), "address"), x.shape, CENTRED_BITS, **shifted)
    table = Table(op.operator.name.lower(), addresses, values)
    net.node(op, "lut", {"x": x}, op.output(), shamt_address=0, bw_address=ADDRESS_BITS, table=table, function=None)
