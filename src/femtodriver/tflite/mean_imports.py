"""MEAN, and sums and quotients for it and for AVERAGE_POOL_2D."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.movement_imports import element_numbers, taken
from femtodriver.tflite.network_in_making import CENTRED_BITS, NetworkInMaking
from femtodriver.tflite.rescaling import XNNPACK, centred_limits, mean_constants, rescale_constants
from femtodriver.tflite.value_rules import activation, same_quantization

SUM_BITS = 32
_PLAIN: dict[str, Any] = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "rounded": False}
# Above every quotient of whole numbers that is halfway, below the next one.
_HALVES_AWAY = 1 + 2.0**-40


def mean(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The mean along axes, in the arithmetic of the kernels."""
    shape, axes = op.input().shape, _axes(op)
    count = prod(shape[axis] for axis in axes)
    rest = [axis for axis in range(len(shape)) if axis not in axes]
    numbers = element_numbers(op.input()).transpose(*axes, *rest).reshape(-1)
    sums = sum_of_rows(op, net, taken(op, net, net.value(op, op.input()), numbers, "rows"), count)
    given, made = activation(op, op.input()), activation(op, op.output())
    if net.requantize == XNNPACK and same_quantization(given, made):
        _to_even(op, net, sums, count)
        return
    constants = mean_constants(op, count, net.requantize)
    net.node(op, "rescale", {"x": sums}, op.output(), **constants, **centred_limits(op, op.output()))


def sum_of_rows(op: CheckedOperator, net: NetworkInMaking, x: Tensor, count: int) -> Tensor:
    """The sum of ``count`` vectors that follow each other: of halves, until one is left."""
    size, bits = x.size // count, CENTRED_BITS if count * 255 < 1 << (CENTRED_BITS - 1) else SUM_BITS
    while count > 1:
        half, odd = divmod(count, 2)
        halves = [_rows(op, net, x, row * size, half * size) for row in (0, half)]
        total = _sum(op, net, halves[0], halves[1], bits)
        if odd:
            last = _rows(op, net, x, 2 * half * size, size)
            head = _sum(op, net, _rows(op, net, total, 0, size), last, bits)
            tail = [] if half == 1 else [_rows(op, net, total, size, (half - 1) * size)]
            inputs = {f"x{place}": part for place, part in enumerate([head, *tail])}
            total = net.inner(op, "cat", inputs, _step(op, net, "rows"), (half * size,), bits, dim=0)
        x, count = total, half
    return x


def _sum(op: CheckedOperator, net: NetworkInMaking, x: Tensor, y: Tensor, bits: int) -> Tensor:
    return net.inner(op, "vvadd", {"x": x, "y": y}, _step(op, net, "sum"), x.shape, bits, **_PLAIN, bw=bits)


def divided(op: CheckedOperator, net: NetworkInMaking, sums: Tensor, counts: Int64Array) -> None:
    """Sums by counts; where halves can be, of the numbers with their zero point, because they go away from 0."""
    zero_point = int(activation(op, op.output()).zero_point[0])
    constants = rescale_constants("exact", _HALVES_AWAY / counts)
    if not zero_point or (counts % 2 == 1).all():
        net.node(op, "rescale", {"x": sums}, op.output(), **constants, **centred_limits(op, op.output()))
        return
    raw = _with_zero_points(op, net, sums, counts)
    rounded = net.inner(
        op, "rescale", {"x": raw}, _step(op, net, "raw"), sums.shape, CENTRED_BITS, **constants, **_raw_limits(op)
    )
    _centred(op, net, rounded)


def _to_even(op: CheckedOperator, net: NetworkInMaking, sums: Tensor, count: int) -> None:
    """Sums by ``count``, of the file's own numbers, halves to the even neighbour: rounded away, and then taken back."""
    if count % 2:
        divided(op, net, sums, np.full(sums.size, count))
        return
    raw = _with_zero_points(op, net, sums, np.full(sums.size, count))
    constants = rescale_constants("exact", np.array([_HALVES_AWAY / count]))
    shape = sums.shape

    def step(name: str, what: str, inputs: dict[str, Tensor], bits: int, **constants: Any) -> Tensor:
        return net.inner(op, name, inputs, _step(op, net, what), shape, bits, **constants)

    away = step("rescale", "away", {"x": raw}, CENTRED_BITS, **constants, **_raw_limits(op))
    whole = step("vimul", "whole", {"x": away}, SUM_BITS, y=count, shamt_bwred=0, bw=SUM_BITS, rounded=False)
    rest = step("vvsub", "rest", {"x": raw, "y": whole}, SUM_BITS, **_PLAIN, bw=SUM_BITS)
    ties = [step("vieq", "tie", {"x": rest}, 8, imm=half) for half in (count // 2, -count // 2)]
    half = step("shift", "half", {"x": away}, CENTRED_BITS, shamt=-1, bw=CENTRED_BITS, rounded=False)
    odd = step("vvsub", "odd", {"x": away, "y": half}, CENTRED_BITS, **{**_PLAIN, "shamt_y": 1}, bw=CENTRED_BITS)
    back = step("vvsub", "back", dict(zip("xy", ties, strict=True)), CENTRED_BITS, **_PLAIN, bw=CENTRED_BITS)
    taken_back = step("vvmul", "taken back", {"x": odd, "y": back}, CENTRED_BITS, shamt_bwred=0, bw=CENTRED_BITS)
    even = step("vvadd", "even", {"x": away, "y": taken_back}, CENTRED_BITS, **_PLAIN, bw=CENTRED_BITS)
    _centred(op, net, even)


def _with_zero_points(op: CheckedOperator, net: NetworkInMaking, sums: Tensor, counts: Int64Array) -> Tensor:
    """Sums of the file's own numbers."""
    zero_point = int(activation(op, op.output()).zero_point[0])
    if not zero_point:
        return sums
    added = net.parameter(_step(op, net, "zeros"), counts * zero_point, SUM_BITS)
    name = _step(op, net, "raw sums")
    return net.inner(op, "vvadd", {"x": sums, "y": added}, name, sums.shape, SUM_BITS, **_PLAIN, bw=SUM_BITS)


def _raw_limits(op: CheckedOperator) -> dict[str, int]:
    zero_point = int(activation(op, op.output()).zero_point[0])
    return {side: limit + zero_point for side, limit in centred_limits(op, op.output()).items()}


def _centred(op: CheckedOperator, net: NetworkInMaking, raw: Tensor) -> None:
    """The output, from the file's own numbers."""
    zero_point = int(activation(op, op.output()).zero_point[0])
    net.node(op, "viadd", {"x": raw}, op.output(), **_PLAIN, y=-zero_point, bw=CENTRED_BITS)


def _rows(op: CheckedOperator, net: NetworkInMaking, x: Tensor, first: int, size: int) -> Tensor:
    return taken(op, net, x, np.arange(first, first + size), "part")


def _axes(op: CheckedOperator) -> list[int]:
    return [op.axis(number, len(op.input().shape)) for number in op.integers(1, "the axes").tolist()]


def _step(op: CheckedOperator, net: NetworkInMaking, step: str) -> str:
    return net.step_name(op.output(), step)
