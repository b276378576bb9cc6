"""State: assignment and the buffer of a temporal unfold. States change at the node, at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import Count
from femtodriver.fqir.operators.example import Example, ShapeForm
from femtodriver.fqir.operators.lowering_interface import Build
from femtodriver.fqir.operators.movement import Movement
from femtodriver.fqir.operators.operator import EXAMPLE_SIZES, Operator, Ranges, Shape, Shapes, rule
from femtodriver.fqir.operators.ranges import Range, hull


class Assign(Operator):
    """The state y takes the value of x. There is no output."""

    name = "assign"
    inputs = ("y", "x")
    outputs = 0
    updates = ("y",)
    forms = (ShapeForm("y[a] x[a]"), ShapeForm("y[a, b] x[a, b]"), ShapeForm("y[] x[]"))
    examples = tuple(Example(f"{size} elements", {"y": (size,), "x": (size,)}, outputs=0) for size in EXAMPLE_SIZES)

    @rule
    def keeps_shape(self, shapes: Shapes) -> str | None:
        """x must have the shape of the state y"""
        return None if shapes["x"] == shapes["y"] else f"{list(shapes['x'])} for {list(shapes['y'])}"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (shapes["x"],)

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        return (ranges["x"],)

    def evaluate(self, y: Int64Array, x: Int64Array) -> tuple[Int64Array]:
        return (x,)

    def lower(self, build: Build) -> None:
        value, shape = self.shaped(build)[self.arguments.index("x")]
        build.bind(self.node.inputs["y"].name, value, shape)


class TemporalUnfold(Movement):
    """``kernel_size`` frames, ``dilation`` apart, oldest first, the present one last, in one vector.

    ``buffer`` holds the last ``buffer_length`` frames, oldest first.
    """

    name = "temporal_unfold"
    inputs = ("x", "buffer")
    updates = ("buffer",)
    forms = (ShapeForm("x[n] buffer[buffer_length * n]", constants={"buffer_length": "(kernel_size - 1) * dilation"}),)
    examples = tuple(
        Example(
            f"{frames} frames of {size}",
            {"x": (size,), "buffer": ((frames - 1) * size,)},
            {"kernel_size": frames, "dilation": 1, "buffer_length": frames - 1},
        )
        for size, frames in ((16, 3), (64, 3), (64, 9))
    )
    kernel_size = Count(usual=(1, 5))
    dilation = Count()
    buffer_length = Count(0)

    @rule
    def x_is_vector(self, shapes: Shapes) -> str | None:
        """x must be a vector"""
        return None if len(shapes["x"]) == 1 else f"{list(shapes['x'])}"

    @rule
    def length_consistent(self, shapes: Shapes) -> str | None:
        """buffer_length must be (kernel_size - 1) * dilation"""
        expected = (self.kernel_size - 1) * self.dilation
        return None if self.buffer_length == expected else f"{self.buffer_length} for {expected}"

    @rule
    def buffer_fits(self, shapes: Shapes) -> str | None:
        """buffer must hold buffer_length frames of x"""
        expected = (self.buffer_length * shapes["x"][0],)
        return None if shapes["buffer"] == expected else f"{list(shapes['buffer'])} for {list(expected)}"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (self.kernel_size * shapes["x"][0],), shapes["buffer"]

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        return (hull(ranges["x"], ranges["buffer"]),) * 2

    def evaluate(self, x: Int64Array, buffer: Int64Array) -> tuple[Int64Array, Int64Array]:
        rows = np.concatenate((buffer, x)).reshape(self.buffer_length + 1, x.size)
        return rows[:: self.dilation].reshape(-1), rows[1:].reshape(-1)

    def work(self, shapes: Shapes, results: Sequence[Shape]) -> int:
        return super().work(shapes, results) + shapes["buffer"][0]
