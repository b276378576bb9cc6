"""Operators that copy: RESHAPE, CONCATENATION, STRIDED_SLICE, SPLIT, SPLIT_V. They cost nothing in a program."""

from __future__ import annotations

from math import prod

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.network_in_making import NetworkInMaking
from femtodriver.tflite.operator_shapes import slices
from femtodriver.tflite.records import FileTensor


def reshape(op: CheckedOperator, net: NetworkInMaking) -> None:
    """The same elements."""
    net.same_value(op, op.input(), op.output())


def concatenation(op: CheckedOperator, net: NetworkInMaking) -> None:
    """Inputs joined along an axis: one behind the other, then in the order of the output."""
    sources = [op.input(place) for place in range(len(op.operator.inputs))]
    numbers, first = [], 0
    for source in sources:
        numbers.append(element_numbers(source) + first)
        first += prod(source.shape)
    order = np.concatenate(numbers, axis=op.number("axis")).reshape(-1)
    inputs = {f"x{place}": net.value(op, source) for place, source in enumerate(sources)}
    if (np.diff(order) == 1).all():
        net.node(op, "cat", inputs, op.output(), dim=0)
        return
    joined = net.inner(op, "cat", inputs, net.step_name(op.output(), "joined"), (first,), dim=0)
    net.node(op, "take", {"x": joined}, op.output(), indices=tuple(order.tolist()))


def strided_slice(op: CheckedOperator, net: NetworkInMaking) -> None:
    """What Python's slices take."""
    chosen(op, net, op.input(), op.output(), element_numbers(op.input())[tuple(slices(op))])


def split(op: CheckedOperator, net: NetworkInMaking) -> None:
    """Parts along an axis; the outputs' shapes, which were checked, say where it is cut."""
    source, axis = (op.input(1), op.input(0)) if op.operator.name == "SPLIT" else (op.input(0), op.input(2))
    along = int(op.constant(axis, "the axis").reshape(-1)[0])
    results = [op.output(place) for place in range(len(op.operator.outputs))]
    ends = np.cumsum([result.shape[along] for result in results])[:-1]
    for result, numbers in zip(results, np.split(element_numbers(source), ends, axis=along), strict=True):
        chosen(op, net, source, result, numbers)


def chosen(
    op: CheckedOperator, net: NetworkInMaking, source: FileTensor, result: FileTensor, numbers: Int64Array
) -> None:
    """``result`` has these elements of ``source``."""
    if np.array_equal(numbers.reshape(-1), np.arange(prod(source.shape))):
        net.same_value(op, source, result)
        return
    net.node(op, "take", {"x": net.value(op, source)}, result, indices=tuple(numbers.reshape(-1).tolist()))


def element_numbers(tensor: FileTensor) -> Int64Array:
    """The number of each element, row by row, in the tensor's shape."""
    return np.arange(prod(tensor.shape)).reshape(tensor.shape)
