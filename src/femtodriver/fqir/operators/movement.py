"""Moving and making data: copy, cat, split, chunk, stack, reshape, transpose, fills."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from math import prod

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import Axis, Count, ElementNumbers, Immediate, PartLengths, Sizes
from femtodriver.fqir.operators.example import Example, ShapeForm
from femtodriver.fqir.operators.lowering_interface import Build
from femtodriver.fqir.operators.operator import Elementwise, Operator, Ranges, Shape, Shapes, rule
from femtodriver.fqir.operators.ranges import Range, hull

VECTOR_OR_MATRIX = (ShapeForm("x[a]"), ShapeForm("x[a, b]"))


def axis_fault(dim: int, rank: int) -> str | None:
    """What is wrong with an axis of something of ``rank`` axes; None if it exists."""
    return None if -rank <= dim < rank else f"{dim} for {rank} axes"


class Movement(Operator):
    """Operators that only choose and order elements: lowering evaluates them on the elements' numbers."""

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        return (hull(*ranges.values()),) * len(self.results)

    def lower(self, build: Build) -> None:
        shaped = self.shaped(build)
        numbers, first = [], 0
        for value, shape in shaped:
            numbers.append(np.arange(first, first + build.size(value)).reshape(shape))
            first += build.size(value)
        everything = build.cat([value for value, _ in shaped])
        found = self.evaluate(*numbers)
        results = [build.take(everything, chosen) for chosen in ((found,) if self.single else found)]
        for name, result in zip(self.results, results, strict=True):
            build.bind(name, result)


class Fill(Operator):
    """Operators whose result is a constant."""

    def filling(self) -> int:
        """The number that fills it."""
        raise NotImplementedError(self.name)

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        return ((self.filling(), self.filling()),)

    def lower(self, build: Build) -> None:
        shapes = dict(zip(self.arguments, (shape for _, shape in self.shaped(build)), strict=True))
        value = self.evaluate(*(np.zeros(shapes[argument], np.int64) for argument in self.arguments))
        self.give(build, build.constant(value))


class Copy(Movement, Elementwise):
    """The same value."""

    name = "copy"
    inputs = ("x",)

    def evaluate(self, x: Int64Array) -> Int64Array:
        return x


class Cat(Movement):
    """Concatenation of x0, x1, ... along the axis ``dim``."""

    name = "cat"
    inputs = ("x#",)
    forms = (ShapeForm("x#[_]"), ShapeForm("x#[a, b]"))
    examples = (Example("48, 16 elements", {"x0": (48,), "x1": (16,)}),)
    dim = Axis()

    @rule
    def has_inputs(self, shapes: Shapes) -> str | None:
        """inputs must be at least x0"""
        return None if shapes else "none"

    @rule
    def axis_exists(self, shapes: Shapes) -> str | None:
        """dim must be an axis of the inputs"""
        return axis_fault(self.dim, len(shapes["x0"]))

    @rule
    def other_axes_agree(self, shapes: Shapes) -> str | None:
        """inputs must have equal shapes apart from the axis dim"""
        first = shapes["x0"]
        for argument, shape in shapes.items():
            if len(shape) != len(first) or self._without_axis(shape) != self._without_axis(first):
                return f"{list(first)} for x0 and {list(shape)} for {argument}"
        return None

    def _without_axis(self, shape: Shape) -> Shape:
        axis = self.dim % len(shape)
        return shape[:axis] + shape[axis + 1 :]

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        joined = list(shapes["x0"])
        joined[self.dim] = sum(shape[self.dim] for shape in shapes.values())
        return (tuple(joined),)

    def evaluate(self, *values: Int64Array) -> Int64Array:
        return np.concatenate(values, axis=self.dim)


class Take(Movement):
    """The elements of x, row by row, at ``indices``; an element may be taken any number of times."""

    name = "take"
    inputs = ("x",)
    forms = VECTOR_OR_MATRIX
    examples = (
        Example("the last 16 of 64 elements", {"x": (64,)}, {"indices": tuple(range(48, 64))}),
        Example("every other of 64 elements", {"x": (64,)}, {"indices": tuple(range(0, 64, 2))}),
    )
    indices = ElementNumbers()

    @rule
    def elements_exist(self, shapes: Shapes) -> str | None:
        """indices must be below the number of elements of x"""
        most, size = max(self.indices, default=-1), prod(shapes["x"])
        return None if most < size else f"{most} for {size} elements"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return ((len(self.indices),),)

    def evaluate(self, x: Int64Array) -> Int64Array:
        return x.reshape(-1)[self._array]

    @cached_property
    def _array(self) -> Int64Array:
        return np.array(self.indices, np.int64)


class Split(Movement):
    """Consecutive slices of the given lengths along axis 0; ``dim`` is ignored.

    Lengths past the end give short or empty slices; only a two-dimensional test graph of fmot has such.
    """

    name = "split"
    inputs = ("x",)
    outputs = None
    forms = VECTOR_OR_MATRIX
    examples = (Example("64 elements", {"x": (64,)}, {"lengths": (48, 16)}, outputs=2),)
    lengths = PartLengths()
    dim = Axis()

    @rule
    def has_axis(self, shapes: Shapes) -> str | None:
        """x must have an axis"""
        return None if shapes["x"] else "a scalar"

    @rule
    def lengths_cover(self, shapes: Shapes) -> str | None:
        """lengths must sum to the length of x"""
        shape, total = shapes["x"], sum(self.lengths)
        axes = {0, self.dim} if len(shape) > 1 and axis_fault(self.dim, len(shape)) is None else {0}
        return None if any(shape[axis] == total for axis in axes) else f"{total} for x of {list(shape)}"

    @rule
    def one_length_each(self, shapes: Shapes) -> str | None:
        """lengths must have one entry for each output"""
        lengths, outputs = len(self.lengths), len(self.node.outputs)
        return None if lengths == outputs else f"{lengths} for {outputs}"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        size, rest = shapes["x"][0], shapes["x"][1:]
        ends = [min(end, size) for end in accumulate(self.lengths)]
        return tuple((end - start, *rest) for start, end in zip([0, *ends], ends, strict=False))

    def evaluate(self, x: Int64Array) -> tuple[Int64Array, ...]:
        ends = list(accumulate(self.lengths))
        return tuple(x[start:end] for start, end in zip([0, *ends], ends, strict=False))


class Chunk(Movement):
    """``chunks`` near-equal parts along ``dim``: of n = q*k + r, the first r parts have q + 1 elements."""

    name = "chunk"
    inputs = ("x",)
    outputs = None
    forms = VECTOR_OR_MATRIX
    examples = (Example("64 elements", {"x": (64,)}, {"chunks": 2}, outputs=2),)
    chunks = Count(usual=(1, 7))
    dim = Axis()

    @rule
    def one_chunk_each(self, shapes: Shapes) -> str | None:
        """chunks must be the number of outputs"""
        return None if self.chunks == len(self.node.outputs) else f"{self.chunks} for {len(self.node.outputs)}"

    @rule
    def axis_exists(self, shapes: Shapes) -> str | None:
        """dim must be an axis of x"""
        return axis_fault(self.dim, len(shapes["x"]))

    def bounds(self, size: int) -> Iterator[tuple[int, int]]:
        """Start and end of each part of an axis of this size."""
        quotient, longer = divmod(size, self.chunks)
        start = 0
        for index in range(self.chunks):
            end = start + quotient + (index < longer)
            yield start, end
            start = end

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        shape = shapes["x"]
        axis = self.dim % len(shape)
        return tuple((*shape[:axis], end - start, *shape[axis + 1 :]) for start, end in self.bounds(shape[axis]))

    def evaluate(self, x: Int64Array) -> tuple[Int64Array, ...]:
        before = (slice(None),) * (self.dim % x.ndim)
        parts = ((*before, slice(start, end)) for start, end in self.bounds(x.shape[self.dim]))
        return tuple(x[part] for part in parts)


class Stack(Movement):
    """x0, x1, ... side by side along a new axis ``dim``."""

    name = "stack"
    inputs = ("x#",)
    forms = (ShapeForm("x#[a]"), ShapeForm("x#[a, b]"), ShapeForm("x#[]"))
    examples = (Example("32, 32 elements", {"x0": (32,), "x1": (32,)}),)
    dim = Axis(new=True)

    @rule
    def equal_shapes(self, shapes: Shapes) -> str | None:
        """inputs must be at least x0, all of one shape"""
        distinct = list(dict.fromkeys(shapes.values()))
        return None if len(distinct) == 1 else " and ".join(str(list(shape)) for shape in distinct[:2]) or "none"

    @rule
    def axis_exists(self, shapes: Shapes) -> str | None:
        """dim must be an axis of the result"""
        return axis_fault(self.dim, len(shapes["x0"]) + 1)

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        shape = shapes["x0"]
        axis = self.dim % (len(shape) + 1)
        return ((*shape[:axis], len(shapes), *shape[axis:]),)

    def evaluate(self, *values: Int64Array) -> Int64Array:
        return np.stack(values, axis=self.dim)


class Reshape(Movement):
    """The same elements, row by row, in another shape; one entry of ``shape`` may be -1."""

    name = "reshape"
    inputs = ("x",)
    forms = (*VECTOR_OR_MATRIX, ShapeForm("x[]"))
    examples = (Example("64 elements", {"x": (64,)}, {"shape": (8, -1)}),)
    shape = Sizes(fitting=True)

    @rule
    def same_size(self, shapes: Shapes) -> str | None:
        """shape must have as many elements as x"""
        shape, size = self.shape, prod(shapes["x"])
        known = prod(item for item in shape if item != -1)
        free = shape.count(-1)
        fits = known == size if free == 0 else free == 1 and known > 0 and size % known == 0
        return None if fits else f"{list(shape)} for x of {list(shapes['x'])}"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        known = prod(item for item in self.shape if item != -1)
        return (tuple(prod(shapes["x"]) // known if item == -1 else item for item in self.shape),)

    def evaluate(self, x: Int64Array) -> Int64Array:
        return x.reshape(self.shape)


class Transpose(Movement):
    """Swap of the two axes of a matrix; a vector stays as it is."""

    name = "transpose"
    inputs = ("x",)
    forms = VECTOR_OR_MATRIX
    examples = (Example("8 x 8 elements", {"x": (8, 8)}, {"dim1": 1}),)
    dim0 = Axis()
    dim1 = Axis()

    @rule
    def rank_known(self, shapes: Shapes) -> str | None:
        """x must have at most two axes"""
        return None if len(shapes["x"]) <= 2 else f"{len(shapes['x'])}"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (shapes["x"][::-1],)

    def evaluate(self, x: Int64Array) -> Int64Array:
        return np.asarray(x.T)


class ConstantLike(Fill, Elementwise):
    """An array of the shape of x, filled with ``imm``."""

    name = "constant_like"
    inputs = ("x",)
    examples = (Example("64 elements", {"x": (64,)}),)
    imm = Immediate(typical=7)

    def filling(self) -> int:
        return self.imm

    def evaluate(self, x: Int64Array) -> Int64Array:
        return np.full(x.shape, self.imm, dtype=np.int64)


class Zeros(Fill):
    """An array of zeros."""

    name = "zeros"
    forms = (ShapeForm(""),)
    examples = (Example("64 elements", {}, {"shape": (64,)}),)
    shape = Sizes()

    def filling(self) -> int:
        return 0

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (self.shape,)

    def evaluate(self) -> Int64Array:
        return np.zeros(self.shape, dtype=np.int64)


class ConstantFill(Fill):
    """An array filled with ``value``."""

    name = "constant"
    forms = (ShapeForm(""),)
    examples = (Example("64 elements", {}, {"shape": (64,)}),)
    shape = Sizes()
    value = Immediate(typical=7)

    def filling(self) -> int:
        return self.value

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (self.shape,)

    def evaluate(self) -> Int64Array:
        return np.full(self.shape, self.value, dtype=np.int64)
