"""Exact integer products with a matrix, by floating-point BLAS where that is provably exact.

A float64 holds every integer below 2**53. If the sum of |w| * |x| along a row stays below, no partial sum
in any order (nor a fused multiply-add) is ever rounded, and the result is the integer result. By
Cauchy-Schwarz that sum is at most norm(w) * norm(x), which costs one dot product per call to verify.
Everything else is computed in int64, modulo 2**64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from femtodriver.arrays import Float64Array, Int64Array

T = TypeVar("T")


# Half of (2**53)**2: the slack of a factor two covers the rounding of the norms themselves.
SAFE_SQUARE = 2.0**105


class FixedMatrix:
    """A matrix [m, k] of int64 that is multiplied often.

    ``reach`` is how large the squared norm of a vector of k numbers may be for the float path to be exact.
    """

    def __init__(self, matrix: Int64Array) -> None:
        self.matrix = matrix
        self.real: Float64Array = np.ascontiguousarray(matrix, dtype=np.float64)
        largest = float(np.einsum("ij,ij->i", self.real, self.real).max(initial=0.0))
        self.reach = SAFE_SQUARE / largest if largest > 0 else np.inf

    def times(self, vector: Int64Array) -> Int64Array:
        """Product [m] with a vector [k]."""
        real = vector.astype(np.float64)
        if real.dot(real) < self.reach:
            return np.asarray(self.real.dot(real), dtype=np.int64)
        return np.asarray(self.matrix @ vector)

    def times_rows(self, rows: Int64Array, squared_norm: float) -> Int64Array:
        """Products [n, m] with each row of an array [n, k]; no row's squared norm exceeds ``squared_norm``."""
        if squared_norm < self.reach:
            return np.asarray(rows.astype(np.float64).dot(self.real.T), dtype=np.int64)
        return np.asarray(rows @ self.matrix.T)


class Known:
    """Arguments of one node whose values never change, and what was prepared from them.

    ``values`` is {argument: array}. ``store`` is shared by all nodes of a network, so that what is made of one
    array exists once, however many nodes use it.
    """

    def __init__(self, values: Mapping[str, Int64Array], store: dict[tuple[object, ...], Any]) -> None:
        self.values = values
        self._store = store

    def __contains__(self, argument: str) -> bool:
        return argument in self.values

    def prepared(self, argument: str, make: Callable[[Int64Array], T], *key: object) -> T:
        """``make(value of argument)``, made once for each array and key. The key must determine the outcome."""
        value = self.values[argument]
        place = (id(value), *key)
        if place not in self._store:
            self._store[place] = (value, make(value))  # holding the array keeps its id from being used again
        made: T = self._store[place][1]
        return made


def squared_norm(vector: Int64Array) -> float:
    """Sum of squares of all elements, in float64."""
    real = vector.astype(np.float64).ravel()
    return float(real.dot(real))
