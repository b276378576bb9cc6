"""Pictures row by row: a loop over the rows whose windows lie inside the picture, and what is above and below apart.

A convolution of a large picture is as many products as it has windows. In a loop, the program holds those of one row.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from femtodriver.fqir.graph import Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.movement_imports import taken
from femtodriver.tflite.network_in_making import NetworkInMaking
from femtodriver.tflite.picture_strip import Strip

FEWEST_ROWS = 4
"""Of a loop that is worth its setting up."""

MOST_SLICES = 16
"""Of the picture, for one row of windows: as many as they reach rows beyond their stride."""


MakeRows = Callable[[Tensor, Strip], Tensor]
"""From rows of the picture, flat, to the rows of results, flat."""


def by_rows(op: CheckedOperator, net: NetworkInMaking, whole: Strip, make: MakeRows) -> list[Tensor]:
    """The operator's output in pieces, flat."""
    x, width = net.value(op, op.input()), prod(op.input().shape[2:])
    begin, end = whole.inside
    if end - begin < FEWEST_ROWS or whole.reach > MOST_SLICES * whole.stride:
        return [make(x, whole)]

    def piece(strip: Strip) -> Tensor:
        numbers = np.arange(strip.first * width, (strip.first + strip.rows) * width)
        return make(taken(op, net, x, numbers, "rows"), strip)

    edges = ((0, begin), (end, whole.results))
    above, below = ([piece(whole.part(*edge))] if edge[0] < edge[1] else [] for edge in edges)
    return [*above, _loop(op, net, x, whole.part(begin, end), make, width), *below]


def _loop(op: CheckedOperator, net: NetworkInMaking, x: Tensor, strip: Strip, make: MakeRows, width: int) -> Tensor:
    """Every iteration takes the next ``stride`` rows, and those after them that its windows reach."""
    block, count = strip.stride * width, strip.results
    parts = []
    for step in range(-(-strip.reach // strip.stride)):
        start = strip.first * width + step * block
        numbers = np.arange(start, start + block * count)
        parts.append((taken(op, net, x, numbers, "rows"), block))
    one = strip.part(0, 1)

    def body(slices: list[Tensor]) -> Tensor:
        inputs = {f"x{place}": part for place, part in enumerate(slices)}
        joined = slices[0]
        if len(slices) > 1:
            size = (block * len(slices),)
            joined = net.inner(op, "cat", inputs, net.step_name(op.output(), "rows of windows"), size, dim=0)
        return make(taken(op, net, joined, np.arange(one.rows * width), "row of windows"), one)

    return net.repeated(op, parts, count, net.step_name(op.output(), "looped rows"), body)


def joined(op: CheckedOperator, net: NetworkInMaking, pieces: list[Tensor]) -> None:
    """The operator's output from its pieces."""
    if len(pieces) == 1:
        net.node(op, "copy", {"x": pieces[0]}, op.output())
        return
    net.node(op, "cat", {f"x{place}": piece for place, piece in enumerate(pieces)}, op.output(), dim=0)
