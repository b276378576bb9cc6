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
from femtodriver.fixed import Int64Array
from femtodriver.fqir.operators.base import Operator, Shape, Shapes, rule
from femtodriver.fqir.operators.constants import Flag, shift_amount, width
from femtodriver.fqir.operators.exact import FixedMatrix, Known
from femtodriver.fqir.operators.verbs import Build, Value

BIAS_BITS = 32

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

    def weights_and_vector(self, build: Build) -> tuple[Int64Array, Value]:
        """The weights as (activations, outputs) and the vector; the 2-D operand must be a parameter."""
        for name, other in (("y", "x"), ("x", "y")):
            tensor, vector = self.node.inputs[name], self.node.inputs[other]
            known = build.known(build.value(tensor.name))
            if len(tensor.shape) == 2 and len(vector.shape) == 1 and known is not None:
                matrix = known.reshape(tensor.shape)
                return (matrix if name == "y" else matrix.T), build.value(vector.name)
        raise self.place.unsupported(
            "one operand must be a vector and the other a matrix of constants, not two computed values",
            "Make the matrix a parameter.",
        )

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
    shamt_bwred = shift_amount()
    bw_out = width()
    rounded = Flag(default=False)

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return (self.product_shape(shapes),)

    def evaluate(self, x: Int64Array, y: Int64Array, product: Product = multiply) -> Int64Array:
        return fixed.saturate(fixed.round_shift(product(x, y), self.shamt_bwred, self.rounded), self.bw_out)

    def specialised(self, known: Known) -> Callable[..., Any]:
        product = self.product(known)
        return lambda x, y: self.evaluate(x, y, product)

    def lower(self, build: Build) -> None:
        weights, x = self.weights_and_vector(build)
        if weights.shape[0] == 1 and (weights == 1).all():
            x = build.vec("vpass", x, shift=self.shamt_bwred, rounded=self.rounded, saturate=self.bw_out)
            self.give(build, build.spread(x, weights.shape[1]))
            return
        result = build.mac([(weights, x)], shift=self.shamt_bwred, rounded=self.rounded, saturate=self.bw_out)
        self.give(build, result)


class Addmm(Product2):
    """Product plus bias b: Sat(R(x @ y + Sat(R(b, shamt_bias, rounded), 32), shamt_bwred, rounded), bw_out).

    ``rounded`` applies twice: to a bias shifted right and to the result.
    """

    name = "addmm"
    inputs = ("bias", "x", "y")
    shamt_bias = shift_amount()
    shamt_bwred = shift_amount()
    bw_out = width()
    rounded = Flag(default=False)

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
        weights, x = self.weights_and_vector(build)
        bias, shift = self.lowered_bias(build, build.value(self.node.inputs["bias"].name))
        result = build.mac(
            [(weights, x)],
            bias,
            bias_shift=shift,
            shift=self.shamt_bwred,
            rounded=self.rounded,
            saturate=self.bw_out,
        )
        self.give(build, result)

    def lowered_bias(self, build: Build, bias: Value) -> tuple[Value, int]:
        """The bias and its left shift; a constant bias keeps its narrow form where the shift is exact."""
        known = build.known(bias)
        if known is None:
            aligned = build.vec("vpass", bias, shift=self.shamt_bias, rounded=self.rounded, saturate=BIAS_BITS)
            return aligned, 0
        exact = self.shamt_bias >= 0 and (self.aligned_bias(known) == fixed.shift(known, self.shamt_bias)).all()
        return (bias, self.shamt_bias) if exact else (build.constant(self.aligned_bias(known)), 0)
