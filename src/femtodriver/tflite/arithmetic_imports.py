"""ADD, SUB, MUL, RELU and RELU6: element by element, each tensor with a scale of its own."""

from __future__ import annotations

from math import floor, log2, prod
from typing import Any

import numpy as np

from femtodriver.fqir.graph import Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.movement_imports import element_numbers, taken
from femtodriver.tflite.network_in_making import CENTRED_BITS, NetworkInMaking
from femtodriver.tflite.records import FileTensor
from femtodriver.tflite.rescaling import XNNPACK, centred_limits, pair_constants, rescale_constants
from femtodriver.tflite.value_rules import activation

ELEMENT_BITS, SUM_BITS, PRODUCT_BITS = 32, 30, 18
_FRACTION_BITS = 20
"""Of the units in which the reference kernels add, and of the accelerated ones' multipliers."""

_MULTIPLIER_BITS = 31
_WIDEST = 255
_PLAIN = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "rounded": False}


def addition(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The sum, or for SUB the difference, of two tensors."""
    sums = _accelerated_sums if net.requantize == XNNPACK else _reference_sums
    made, constants = sums(op, net, "vvadd" if op.operator.name == "ADD" else "vvsub")
    net.node(op, "rescale", {"x": made}, op.output(), **constants, **centred_limits(op, op.output()))


def multiplication(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The product of two tensors. Its multiplier is made in float32 by both kernels."""
    x, y = (_operand(op, net, op.input(place)) for place in range(2))
    name, shape = net.step_name(op.output(), "products"), (prod(op.output().shape),)
    products = net.inner(
        op, "vvmul", {"x": x, "y": y}, name, shape, ELEMENT_BITS, shamt_bwred=0, bw=PRODUCT_BITS, rounded=False
    )
    first, second, result = (_scale(op, tensor) for tensor in (op.input(0), op.input(1), op.output()))
    mode = "single" if net.requantize == XNNPACK else "double"
    constants = pair_constants(op, mode, float((first * second) / result), PRODUCT_BITS)
    net.node(op, "rescale", {"x": products}, op.output(), **constants, **centred_limits(op, op.output()))


def rectified(op: CheckedOperator, net: NetworkInMaking) -> None:
    """RELU and RELU6 as operators of their own."""
    real = np.float64(_scale(op, op.input())) / np.float64(_scale(op, op.output()))
    constants = pair_constants(op, "double", float(real), CENTRED_BITS)
    net.node(
        op, "rescale", {"x": net.value(op, op.input())}, op.output(), **constants, **centred_limits(op, op.output())
    )


def _reference_sums(op: CheckedOperator, net: NetworkInMaking, name: str) -> tuple[Tensor, dict[str, Any]]:
    """Both tensors in units of twice the larger scale / 2**20, added; and how the sum is scaled."""
    scales = [np.float64(_scale(op, op.input(place))) for place in range(2)]
    unit = 2 * max(scales)
    terms = [_in_units(op, net, place, scale / unit) for place, scale in enumerate(scales)]
    (x, shift_x), (y, shift_y) = terms
    total = _added(op, net, name, x, y, shamt_x=shift_x, shamt_y=shift_y)
    result = np.float64(_scale(op, op.output()))
    real = float(unit / ((1 << _FRACTION_BITS) * result))
    if real >= 1:  # the reference kernels end the process, or shift by a negative number
        raise op.unsupported(f"the output's scale must be above {unit / (1 << _FRACTION_BITS):.6g}", op.output())
    return total, pair_constants(op, "double", real, SUM_BITS)


def _in_units(op: CheckedOperator, net: NetworkInMaking, place: int, real: float) -> tuple[Tensor, int]:
    """An input times ``real`` * 2**20, in two roundings, as a tensor and a shift to the left."""
    x = _operand(op, net, op.input(place))
    if real == 0.5:
        return x, _FRACTION_BITS - 1
    found = rescale_constants("double", np.array([real]))
    multiplier, right = found["multipliers"][0], -found["exponents"][0]
    first = _MULTIPLIER_BITS - _FRACTION_BITS
    once = {"y": multiplier, "shamt_bwred": -(first + right), "bw": SUM_BITS, "rounded": True}
    if _one_rounding_suffices(multiplier, first, right):
        return net.inner(op, "vimul", {"x": x}, _term_name(op, net, place), x.shape, ELEMENT_BITS, **once), 0
    once["shamt_bwred"] = -first
    v = net.inner(op, "vimul", {"x": x}, _term_name(op, net, place), x.shape, ELEMENT_BITS, **once)
    # v - 1 below 0, so that halves go away from 0
    away = {"shamt_x": 0, "shamt_y": -63, "shamt_bwred": -right, "bw": SUM_BITS, "rounded": True}
    return net.inner(op, "vvadd", {"x": v, "y": v}, _term_name(op, net, place), x.shape, ELEMENT_BITS, **away), 0


def _one_rounding_suffices(multiplier: int, first: int, right: int) -> bool:
    """Whether rounding once, halves upward, gives the same for all values that an input can have."""
    products = np.arange(-_WIDEST, _WIDEST + 1, dtype=np.int64) * multiplier
    v = (products + (1 << (first - 1))) >> first
    twice = (v + ((1 << right) >> 1) - ((v < 0) & (right > 0))) >> right
    return bool((twice == (products + (1 << (first + right - 1))) >> (first + right)).all())


def _accelerated_sums(op: CheckedOperator, net: NetworkInMaking, name: str) -> tuple[Tensor, dict[str, Any]]:
    """Both tensors times whole numbers, added; and how the sum is scaled, in one rounding."""
    result = _scale(op, op.output())
    ratios = [float(_scale(op, op.input(place)) / result) for place in range(2)]
    nearest = 2.0 ** (_FRACTION_BITS - ELEMENT_BITS + 1), 2.0**_FRACTION_BITS
    if not nearest[0] <= max(ratios) < nearest[1]:
        raise op.unsupported("the scales of inputs and output must be nearer to each other", op.output())
    bits = _FRACTION_BITS - floor(log2(max(ratios)))
    terms = []
    for place, ratio in enumerate(ratios):
        x = _operand(op, net, op.input(place))
        factor = {"y": int(np.rint(np.ldexp(ratio, bits))), "shamt_bwred": 0, "bw": ELEMENT_BITS, "rounded": False}
        terms.append(net.inner(op, "vimul", {"x": x}, _term_name(op, net, place), x.shape, ELEMENT_BITS, **factor))
    total = _added(op, net, name, *terms, shamt_x=0, shamt_y=0, bw=ELEMENT_BITS)
    return total, rescale_constants("single", np.array([np.ldexp(1.0, -bits)]))


def _added(op: CheckedOperator, net: NetworkInMaking, name: str, x: Tensor, y: Tensor, **shifts: int) -> Tensor:
    constants = {**_PLAIN, "bw": SUM_BITS, **shifts}
    shape = (prod(op.output().shape),)
    return net.inner(op, name, {"x": x, "y": y}, net.step_name(op.output(), "sum"), shape, ELEMENT_BITS, **constants)


def _operand(op: CheckedOperator, net: NetworkInMaking, tensor: FileTensor) -> Tensor:
    """The value of an input, repeated to the shape of the output; a single element needs no repeating."""
    x, shape = net.value(op, tensor), op.output().shape
    if x.size in (1, prod(shape)):
        return x
    numbers = np.broadcast_to(element_numbers(tensor), shape).reshape(-1)
    return taken(op, net, x, numbers, f"repeated {tensor.index}")


def _term_name(op: CheckedOperator, net: NetworkInMaking, place: int) -> str:
    return net.step_name(op.output(), f"term {place}")


def _scale(op: CheckedOperator, tensor: FileTensor) -> np.float32:
    found: np.float32 = activation(op, tensor).scale[0]
    return found
