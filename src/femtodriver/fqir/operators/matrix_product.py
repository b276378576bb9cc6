"""Matrix products with a vector.

Two orientations occur: a vector x [k] with weights y [k, n] (traced layers), and weights x [m, k] with
a vector y [k] (writer graphs). The matrix is a parameter in practice; then it is prepared once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Tensor
from femtodriver.fqir.operators.constant_kinds import Flag, ShiftAmount, Width
from femtodriver.fqir.operators.exact_matmul import FixedMatrix, Known
from femtodriver.fqir.operators.example import Example, ShapeForm
from femtodriver.fqir.operators.lowering_interface import Build, Value
from femtodriver.fqir.operators.operator import Operator, Shape, Shapes, rule

BIAS_BITS = 32
# Products of two computed operands are unrolled; real networks have none.
MOST_COMPUTED_PRODUCTS = 4096
EXAMPLE_MATRICES = ((64, 64, 8), (128, 128, 8), (256, 256, 8), (128, 128, 4), (128, 128, 16))

Product = Callable[[Int64Array, Int64Array], Int64Array]


def multiply(x: Int64Array, y: Int64Array) -> Int64Array:
    """x @ y in int64, modulo 2**64."""
    return np.asarray(x @ y, dtype=np.int64)


class Product2(Operator):
    """Shared by matmul and addmm: ranks, inner sizes, and the choice of the fast product."""

    @rule
    def ranks(self, shapes: Shapes) -> str | None:
        """x and y must be a vector and a matrix"""
        ranks = len(shapes["x"]), len(shapes["y"])
        return None if set(ranks) <= {1, 2} else f"of {ranks[0]} and {ranks[1]} axes"

    @rule
    def inner_sizes(self, shapes: Shapes) -> str | None:
        """the last axis of x and the first axis of y must have equal sizes"""
        x, y = shapes["x"], shapes["y"]
        return None if x[-1] == y[0] else f"{list(x)} and {list(y)}"

    @staticmethod
    def product_shape(shapes: Shapes) -> Shape:
        """Shape of x @ y."""
        return shapes["x"][:-1] + shapes["y"][1:]

    def work(self, shapes: Shapes, results: Sequence[Shape]) -> int:
        return shapes["x"][-1] * prod(self.product_shape(shapes)) + 1

    def products(self, build: Build) -> list[tuple[Int64Array, Value]] | None:
        """The matrix products to compute, one per row or column of the operand that is not constant.

        Weights are (activations, outputs). None if no operand is a constant matrix.
        """
        left, right = (self.node.inputs[name].name for name in ("x", "y"))
        (x, x_shape), (y, y_shape) = ((build.value(name), build.shape(name)) for name in (left, right))
        weights = build.known(y)
        if weights is not None and len(y_shape) == 2:
            step, rows = y_shape[0], prod(x_shape[:-1])
            return [(weights.reshape(y_shape), build.part(x, row * step, (row + 1) * step)) for row in range(rows)]
        weights = build.known(x)
        if weights is not None and len(x_shape) == 2:
            columns = prod(y_shape[1:])
            matrix, order = weights.reshape(x_shape).T, np.arange(prod(y_shape)).reshape(y_shape[0], columns)
            return [(matrix, build.take(y, order[:, column])) for column in range(columns)]
        return None

    def computed_rows(self, build: Build) -> list[tuple[list[tuple[Value, Value]], int]]:
        """Rows of a product of two computed operands: factor and vector of each term, and the row's length."""
        (x, x_shape), (y, y_shape) = ((build.value(t.name), build.shape(t.name)) for t in self._operands())
        inner, columns = x_shape[-1], prod(y_shape[1:])
        if prod(x_shape) * columns > MOST_COMPUTED_PRODUCTS:
            raise self.place.unsupported(
                f"a product of two computed operands must have at most {MOST_COMPUTED_PRODUCTS} multiplications, "
                f"not {prod(x_shape) * columns}",
                "Make the matrix a parameter.",
            )
        rows = []
        for first in (row * inner for row in range(prod(x_shape[:-1]))):
            factors = [build.part(x, first + k, first + k + 1) for k in range(inner)]
            vectors = [build.part(y, k * columns, (k + 1) * columns) for k in range(inner)]
            rows.append((list(zip(factors, vectors, strict=True)), columns))
        return rows

    def _operands(self) -> tuple[Tensor, Tensor]:
        return self.node.inputs["x"], self.node.inputs["y"]

    def lower_computed(self, build: Build, bias: Value | None, shift: int) -> Value:
        """Both operands computed: vector multiplications, a few columns at a time; ``bias`` covers the whole result."""
        results = []
        for row, (terms, columns) in enumerate(self.computed_rows(build)):
            for first in range(0, columns, build.wide_elements):
                end = min(first + build.wide_elements, columns)
                total: Value | None = None
                if bias is not None:
                    at = row * columns
                    total = build.vec("vpass", build.part(bias, at + first, at + end), shift_a=shift)
                for factor, vector in terms:
                    product = build.vec("vmul", build.part(vector, first, end), factor)
                    total = product if total is None else build.vec("vadd", total, product)
                if total is None:
                    total = build.constant(np.zeros(end - first, np.int64))
                results.append(self.reduced(build, total))
        return build.cat(results)

    def reduced(self, build: Build, total: Value) -> Value:
        """The sum, shifted and saturated as the operator says."""
        raise NotImplementedError(self.name)

    def joined(self, build: Build, results: list[Value]) -> Value:
        """The products' results in row-major order of the whole result."""
        whole = build.cat(results)
        if len(results) <= 1 or build.known(build.value(self.node.inputs["y"].name)) is not None:
            return whole
        size = build.size(results[0])
        return build.take(whole, np.arange(size * len(results)).reshape(len(results), size).T)

    @staticmethod
    def product(known: Known) -> Product:
        """x @ y, with BLAS if one operand is a matrix of known value and the other a vector."""
        if "y" in known and known.values["y"].ndim == 2:
            right = known.prepared("y", lambda y: FixedMatrix(y.T), "transposed matrix")
            return lambda x, y: right.times(x) if x.ndim == 1 else multiply(x, y)
        if "x" in known and known.values["x"].ndim == 2:
            left = known.prepared("x", FixedMatrix, "matrix")
            return lambda x, y: left.times(y) if y.ndim == 1 else multiply(x, y)
        return multiply


class Matmul(Product2):
    """Matrix times vector: Sat(R(x @ y, shamt_bwred, rounded), bw_out)."""

    name = "matmul"
    inputs = ("x", "y")
    forms = (
        ShapeForm("x[k] y[k, n]", ("y",)),
        ShapeForm("x[m, k] y[k]", ("x",)),
        ShapeForm("x[m, k] y[k, n]", ("y",)),
    )
    examples = tuple(
        Example(f"{k} x {n}, {bits}-bit weights", {"x": (k,), "y": (k, n)}, weights={"y": bits})
        for k, n, bits in EXAMPLE_MATRICES
    )
    shamt_bwred = ShiftAmount(typical=-7, usual=(-14, 1))
    bw_out = Width()
    rounded = Flag(default=False, typical=True)

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (self.product_shape(shapes),)

    def evaluate(self, x: Int64Array, y: Int64Array, product: Product = multiply) -> Int64Array:
        return fixed.saturate(fixed.round_shift(product(x, y), self.shamt_bwred, self.rounded), self.bw_out)

    def specialised(self, known: Known) -> Callable[..., Any]:
        product = self.product(known)
        return lambda x, y: self.evaluate(x, y, product)

    def lower(self, build: Build) -> None:
        products = self.products(build)
        if products is None:
            self.give(build, self.lower_computed(build, None, 0))
            return
        self.give(build, self.joined(build, [self._lower_one(build, *product) for product in products]))

    def reduced(self, build: Build, total: Value) -> Value:
        return build.vec("vpass", total, shift=self.shamt_bwred, rounded=self.rounded, saturate=self.bw_out)

    def _lower_one(self, build: Build, weights: Int64Array, x: Value) -> Value:
        if weights.shape[0] == 1 and (weights == 1).all():  # repeats one element, as producers express it
            x = build.vec("vpass", x, shift=self.shamt_bwred, rounded=self.rounded, saturate=self.bw_out)
            return build.spread(x, weights.shape[1])
        return build.mac([(weights, x)], shift=self.shamt_bwred, rounded=self.rounded, saturate=self.bw_out)


class Addmm(Product2):
    """Product plus bias b: Sat(R(x @ y + Sat(R(b, shamt_bias, rounded), 32), shamt_bwred, rounded), bw_out).

    ``rounded`` applies twice: to a bias shifted right and to the result.
    """

    name = "addmm"
    inputs = ("bias", "x", "y")
    forms = (
        ShapeForm("x[k] y[k, n] bias[n]", ("y", "bias")),
        ShapeForm("x[m, k] y[k] bias[m]", ("x", "bias")),
        ShapeForm("x[m, k] y[k, n] bias[m]", ("y", "bias")),
        ShapeForm("x[m, k] y[k, n] bias[m, n]", ("y", "bias")),
        ShapeForm("x[k] y[k, n] bias[1]", ("y", "bias")),
    )
    examples = tuple(
        Example(
            f"{k} x {n}, {bits}-bit weights",
            {"bias": (n,), "x": (k,), "y": (k, n)},
            weights={"bias": 8, "y": bits},
        )
        for k, n, bits in EXAMPLE_MATRICES
    )
    shamt_bias = ShiftAmount(typical=4, usual=(-4, 12))
    shamt_bwred = ShiftAmount(typical=-7, usual=(-14, 1))
    bw_out = Width()
    rounded = Flag(default=False, typical=True)

    @rule
    def bias_fits(self, shapes: Shapes) -> str | None:
        """bias must have the shape of the product, or its first axis, or shape [1]"""
        bias, result = shapes["bias"], self.product_shape(shapes)
        return None if bias in (result, result[:1], (1,)) else f"{list(bias)} for {list(result)}"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (self.product_shape(shapes) or shapes["bias"],)

    def aligned_bias(self, bias: Int64Array) -> Int64Array:
        """The bias in the scale of the product."""
        return fixed.saturate(fixed.round_shift(bias, self.shamt_bias, self.rounded), BIAS_BITS)

    def finish(self, product: Int64Array, aligned: Int64Array) -> Int64Array:
        """Add the aligned bias and reduce to the output's width."""
        if product.ndim == 2 and aligned.ndim == 1:
            aligned = aligned[:, np.newaxis]  # runs along axis 0, unlike broadcasting
        return fixed.saturate(fixed.round_shift(product + aligned, self.shamt_bwred, self.rounded), self.bw_out)

    def evaluate(self, bias: Int64Array, x: Int64Array, y: Int64Array) -> Int64Array:
        return self.finish(multiply(x, y), self.aligned_bias(bias))

    def specialised(self, known: Known) -> Callable[..., Any]:
        product = self.product(known)
        if "bias" not in known:
            return lambda bias, x, y: self.finish(product(x, y), self.aligned_bias(bias))
        aligned = known.prepared("bias", self.aligned_bias, "addmm bias", self.shamt_bias, self.rounded)
        return lambda bias, x, y: self.finish(product(x, y), aligned)

    def lower(self, build: Build) -> None:
        bias, shift = self.lowered_bias(build, build.value(self.node.inputs["bias"].name))
        bias = build.take(bias, self._bias_order(build))
        products = self.products(build)
        if products is None:
            self.give(build, self.lower_computed(build, bias, shift))
            return
        by_column = len(products) > 1 and build.known(build.value(self.node.inputs["y"].name)) is None
        size, count = products[0][0].shape[1] if products else 0, len(products)
        if by_column:  # the products are columns of the result
            bias = build.take(bias, np.arange(size * count).reshape(size, count).T)
        starts = [build.part(bias, index * size, (index + 1) * size) for index in range(count)]
        results = [self._lower_one(build, *pair, shift) for pair in zip(products, starts, strict=True)]
        self.give(build, self.joined(build, results))

    def _bias_order(self, build: Build) -> Int64Array:
        """Which element of the bias each element of the result gets."""
        x, y, bias = (build.shape(self.node.inputs[name].name) for name in ("x", "y", "bias"))
        result = x[:-1] + y[1:]
        numbers = np.arange(prod(bias)).reshape(bias)
        if len(result) == 2 and len(bias) == 1:
            numbers = numbers[:, np.newaxis]  # runs along axis 0, unlike broadcasting
        return np.broadcast_to(numbers, result)

    def reduced(self, build: Build, total: Value) -> Value:
        return build.vec("vpass", total, shift=self.shamt_bwred, rounded=self.rounded, saturate=self.bw_out)

    def _lower_one(self, build: Build, product: tuple[Int64Array, Value], bias: Value, shift: int) -> Value:
        return build.mac(
            [product],
            bias,
            bias_shift=shift,
            shift=self.shamt_bwred,
            rounded=self.rounded,
            saturate=self.bw_out,
        )

    def lowered_bias(self, build: Build, bias: Value) -> tuple[Value, int]:
        """The bias and its left shift; a constant bias keeps its narrow form where the shift is exact."""
        known = build.known(bias)
        if known is None:
            aligned = build.vec("vpass", bias, shift=self.shamt_bias, rounded=self.rounded, saturate=BIAS_BITS)
            return aligned, 0
        exact = self.shamt_bias >= 0 and (self.aligned_bias(known) == fixed.shift(known, self.shamt_bias)).all()
        return (bias, self.shamt_bias) if exact else (build.constant(self.aligned_bias(known)), 0)
