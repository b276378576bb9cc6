"""Operators that copy: RESHAPE, CONCATENATION, STRIDED_SLICE, SPLIT, SPLIT_V. They cost nothing in a program."""

from __future__ import annotations

from math import prod

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.fqir.graph import Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.network_in_making import CENTRED_BITS, NetworkInMaking
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


def pad(op: CheckedOperator, net: NetworkInMaking) -> None:
    """Zeros around the input: the longest run of them is a constant, of which shorter ones are parts."""
    source, size = op.input(), prod(op.input().shape)
    counts = op.integers(1, "the padding", (len(source.shape), 2)).reshape(-1, 2).tolist()
    numbers = np.pad(element_numbers(source), counts, constant_values=-1).reshape(-1)
    if not (numbers < 0).any():
        net.same_value(op, source, op.output())
        return
    runs = _places_in_runs(numbers < 0)
    zeros = net.parameter(net.step_name(op.output(), "zeros"), np.zeros(int(runs.max()) + 1, np.int64))
    inputs, name = {"x0": net.value(op, source), "x1": zeros}, net.step_name(op.output(), "with zeros")
    joined = net.inner(op, "cat", inputs, name, (size + zeros.size,), dim=0)
    indices = np.where(numbers < 0, size + runs, numbers)
    net.node(op, "take", {"x": joined}, op.output(), indices=tuple(indices.tolist()))


def taken(op: CheckedOperator, net: NetworkInMaking, x: Tensor, numbers: Int64Array, step: str) -> Tensor:
    """These elements of a value, on the way to the operator's output."""
    if np.array_equal(numbers, np.arange(x.size)):
        return x
    name, bits = net.step_name(op.output(), step), x.bits or CENTRED_BITS
    return net.inner(op, "take", {"x": x}, name, numbers.shape, bits, indices=tuple(numbers.tolist()))


def _places_in_runs(chosen: AnyArray) -> Int64Array:
    """For each element of a run of true ones, which one of it that is, from 0."""
    number = np.cumsum(chosen)
    return np.asarray(number - np.maximum.accumulate(np.where(chosen, 0, number)) - 1)


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
