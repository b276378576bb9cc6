"""Elementwise arithmetic: add, subtract, multiply, negate, shift, relu, sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import (
    IMMEDIATE_HIGH,
    IMMEDIATE_LOW,
    MAX_WIDTH,
    Axes,
    Flag,
    Ignored,
    Immediate,
    ShiftAmount,
    Width,
)
from femtodriver.fqir.operators.exact_matmul import Known
from femtodriver.fqir.operators.example import Example, ShapeForm
from femtodriver.fqir.operators.lowering_interface import Build, Value
from femtodriver.fqir.operators.operator import (
    EXAMPLE_SIZES,
    Elementwise,
    Operator,
    Ranges,
    Shape,
    Shapes,
    rule,
    value_rule,
)
from femtodriver.fqir.operators.ranges import Range, bits_of, product, shifted


class Aligned(Elementwise):
    """Shared by sums and differences: two operands aligned by floors, one rounded shift of the result."""

    shamt_x = ShiftAmount()
    shamt_y = ShiftAmount(typical=-1)
    shamt_bwred = ShiftAmount(typical=-1)
    bw = Width()
    rounded = Flag(default=False)
    bw_x = Ignored()
    bw_y = Ignored()

    def finish(self, total: Int64Array) -> Int64Array:
        """Reduce an aligned sum to the output's width."""
        return fixed.saturate(fixed.round_shift(total, self.shamt_bwred, self.rounded), self.bw)

    def lower_as(self, build: Build, op: str, x: Value, y: Value) -> None:
        """One vector operation does all of it."""
        result = build.vec(
            op,
            x,
            y,
            shift_a=self.shamt_x,
            shift_b=self.shamt_y,
            shift=self.shamt_bwred,
            rounded=self.rounded,
            saturate=self.bw,
        )
        self.give(build, result)


class Vvadd(Aligned):
    """Sum: Sat(R(A(x, shamt_x) + A(y, shamt_y), shamt_bwred, rounded), bw)."""

    name = "vvadd"
    inputs = ("x", "y")

    def evaluate(self, x: Int64Array, y: Int64Array) -> Int64Array:
        return self.finish(fixed.shift(x, self.shamt_x) + fixed.shift(y, self.shamt_y))

    def lower(self, build: Build) -> None:
        self.lower_as(build, "vadd", *self.taken(build))


class Vvsub(Aligned):
    """Difference: Sat(R(A(x, shamt_x) - A(y, shamt_y), shamt_bwred, rounded), bw)."""

    name = "vvsub"
    inputs = ("x", "y")

    def evaluate(self, x: Int64Array, y: Int64Array) -> Int64Array:
        return self.finish(fixed.shift(x, self.shamt_x) - fixed.shift(y, self.shamt_y))

    def lower(self, build: Build) -> None:
        self.lower_as(build, "vsub", *self.taken(build))


class Viadd(Aligned):
    """Sum with an immediate: as vvadd, with the scalar y."""

    name = "viadd"
    inputs = ("x",)
    shamt_y = ShiftAmount()
    y = Immediate(typical=5)

    @property
    def aligned_y(self) -> int:
        """The immediate, aligned like the operand of a vvadd."""
        return int(fixed.shift(np.array([self.y], dtype=np.int64), self.shamt_y)[0])

    def evaluate(self, x: Int64Array) -> Int64Array:
        return self.finish(fixed.shift(x, self.shamt_x) + self.aligned_y)

    def specialised(self, known: Known) -> Callable[..., Any]:
        aligned_y = self.aligned_y
        return lambda x: self.finish(fixed.shift(x, self.shamt_x) + aligned_y)

    def lower(self, build: Build) -> None:
        (x,) = self.taken(build)
        exact = IMMEDIATE_LOW <= self.aligned_y <= IMMEDIATE_HIGH
        result = build.vec(
            "vadd",
            x,
            self.aligned_y if exact else self.y,
            shift_a=self.shamt_x,
            shift_b=0 if exact else self.shamt_y,
            shift=self.shamt_bwred,
            rounded=self.rounded,
            saturate=self.bw,
        )
        self.give(build, result)


class Vvmul(Elementwise):
    """Product: Sat(R(x * y, shamt_bwred, rounded), bw)."""

    name = "vvmul"
    inputs = ("x", "y")
    shamt_bwred = ShiftAmount(typical=-8, usual=(-16, 2))
    bw = Width()
    rounded = Flag(default=False)

    def evaluate(self, x: Int64Array, y: Int64Array) -> Int64Array:
        return fixed.saturate(fixed.round_shift(x * y, self.shamt_bwred, self.rounded), self.bw)

    def lower(self, build: Build) -> None:
        x, y = self.taken(build)
        self.give(build, build.vec("vmul", x, y, shift=self.shamt_bwred, rounded=self.rounded, saturate=self.bw))


class Vimul(Elementwise):
    """Product with an immediate: Sat(R(x * y, shamt_bwred, rounded), bw), x first reduced to 32 bits."""

    name = "vimul"
    inputs = ("x",)
    y = Immediate(typical=181)
    shamt_bwred = ShiftAmount(typical=-8, usual=(-16, 2))
    bw = Width()
    rounded = Flag(default=False)

    def evaluate(self, x: Int64Array) -> Int64Array:
        product = x.astype(np.int32).astype(np.int64) * self.y
        return fixed.saturate(fixed.round_shift(product, self.shamt_bwred, self.rounded), self.bw)

    def lower(self, build: Build) -> None:
        (x,) = self.taken(build)
        self.give(build, build.vec("vmul", x, self.y, shift=self.shamt_bwred, rounded=self.rounded, saturate=self.bw))


class Vneg(Elementwise):
    """Negation: Sat(-x, bw), so that -128 becomes 127 at 8 bits."""

    name = "vneg"
    inputs = ("x",)
    bw = Width()

    def evaluate(self, x: Int64Array) -> Int64Array:
        return fixed.saturate(-x, self.bw)

    def lower(self, build: Build) -> None:
        (x,) = self.taken(build)
        self.give(build, build.vec("vsub", 0, x, saturate=self.bw))


class Relu(Elementwise):
    """max(x, 0)."""

    name = "relu"
    inputs = ("x",)

    def evaluate(self, x: Int64Array) -> Int64Array:
        return np.maximum(x, 0)

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        low, high = ranges["x"]
        return ((max(low, 0), max(high, 0)),)

    def lower(self, build: Build) -> None:
        (x,) = self.taken(build)
        self.give(build, build.vec("vmax", x, 0))


class Shift(Elementwise):
    """Change of scale or width: Sat(R(x, shamt, rounded), bw)."""

    name = "shift"
    inputs = ("x",)
    shamt = ShiftAmount(typical=-3)
    bw = Width(typical=8)
    rounded = Flag(default=False, typical=True)

    def evaluate(self, x: Int64Array) -> Int64Array:
        return fixed.saturate(fixed.round_shift(x, self.shamt, self.rounded), self.bw)

    def lower(self, build: Build) -> None:
        (x,) = self.taken(build)
        self.give(build, build.vec("vpass", x, shift=self.shamt, rounded=self.rounded, saturate=self.bw))


class I24BoolMul(Elementwise):
    """A 24-bit value times a boolean: R(x * y_bool, shamt, rounded), without saturation."""

    name = "temp_i24_bool_mul"
    producer_class = "I24BoolMul"
    inputs = ("x", "y_bool")
    booleans = ("y_bool",)
    examples = tuple(
        Example(f"{size} elements", {"x": (size,), "y_bool": (size,)}, types={"x": "fqint24", "out": "fqint24"})
        for size in EXAMPLE_SIZES
    )
    shamt = ShiftAmount(usual=(-9, 0))
    rounded = Flag()

    @value_rule
    def product_fits(self, ranges: Ranges) -> str | None:
        """the product must fit the type of the output, as it does if y_bool is 0 or 1"""
        (found,), declared = self.ranges(ranges), self.node.outputs[0].bits or MAX_WIDTH
        if bits_of(found) <= declared:
            return None
        low, high = ranges["y_bool"]
        return f"need {bits_of(found)} bits for {declared}, with y_bool from {low} to {high}"

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        return (shifted(product(ranges["x"], ranges["y_bool"]), self.shamt),)

    def evaluate(self, x: Int64Array, y_bool: Int64Array) -> Int64Array:
        return fixed.round_shift(x * y_bool, self.shamt, self.rounded)

    def lower(self, build: Build) -> None:
        x, y = self.taken(build)
        self.give(build, build.vec("vmul", x, y, shift=self.shamt, rounded=self.rounded, saturate=MAX_WIDTH))


class Sum(Operator):
    """Sum along axes: Sat(A(sum over dim, shamt_bwred), bw)."""

    name = "sum"
    inputs = ("x",)
    forms = (ShapeForm("x[a]"), ShapeForm("x[a, b]"))
    examples = tuple(Example(f"{size} elements", {"x": (size,)}, {"dim": (0,)}) for size in EXAMPLE_SIZES)
    dim = Axes()
    keepdim = Flag(typical=True)
    shamt_bwred = ShiftAmount(typical=-4)
    bw = Width()

    @rule
    def axes_exist(self, shapes: Shapes) -> str | None:
        """dim must name different axes of x"""
        rank = len(shapes["x"])
        inside = all(-rank <= axis < rank for axis in self.dim)
        different = inside and len({axis % rank for axis in self.dim}) == len(self.dim)
        return None if different else f"{list(self.dim)} for {rank} axes"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        shape = shapes["x"]
        summed = {axis % len(shape) for axis in self.dim}
        if self.keepdim:
            return (tuple(1 if axis in summed else size for axis, size in enumerate(shape)),)
        return (tuple(size for axis, size in enumerate(shape) if axis not in summed),)

    def work(self, shapes: Shapes, results: Sequence[Shape]) -> int:
        return prod(shapes["x"]) + 1

    def evaluate(self, x: Int64Array) -> Int64Array:
        total = np.asarray(x.sum(axis=self.dim, keepdims=self.keepdim), dtype=np.int64)
        return fixed.saturate(fixed.shift(total, self.shamt_bwred), self.bw)

    def lower(self, build: Build) -> None:
        """A product with a matrix of zeros and ones."""
        ((x, shape),) = self.shaped(build)
        results = prod(self.shapes({"x": shape})[0])
        axes = [axis % len(shape) for axis in self.dim]
        kept = [axis for axis in range(len(shape)) if axis not in axes]
        summed = prod(shape[axis] for axis in axes)
        order = np.arange(prod(shape)).reshape(shape).transpose(*kept, *axes).reshape(results, summed)
        weights = np.zeros((prod(shape), results), np.int64)
        weights[order, np.arange(results)[:, np.newaxis]] = 1
        self.give(build, build.mac([(weights, x)], shift=self.shamt_bwred, saturate=self.bw))
