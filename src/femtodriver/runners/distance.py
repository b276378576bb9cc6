"""How far apart the values of two runs are, exactly: 64-bit differences neither wrap nor lose their low bits."""

from __future__ import annotations

import math

import numpy as np

from femtodriver.arrays import AnyArray, BoolArray, Float64Array

_FARTHEST = (1 << 64) - 1
_SIGNED = "bi"


def distances(a: AnyArray, b: AnyArray) -> AnyArray:
    """The distance of each pair of numbers, from 0: uint64 for signed integers, else numbers that are as exact.

    NaN is infinitely far from every number, and equal to NaN.
    """
    if a.dtype.kind in _SIGNED and b.dtype.kind in _SIGNED:
        one, other = a.astype(np.int64), b.astype(np.int64)
        larger, smaller = np.maximum(one, other).view(np.uint64), np.minimum(one, other).view(np.uint64)
        return np.asarray(larger - smaller)
    if "f" in (a.dtype.kind, b.dtype.kind) and a.dtype.kind == b.dtype.kind:
        return _float_distances(a, b)
    # Unsigned with signed, or integers with floats: no type of NumPy holds both.
    pairs = zip(a.astype(object).ravel(), b.astype(object).ravel(), strict=True)
    found = np.array([_distance(one, other) for one, other in pairs], object)
    return found.reshape(a.shape)


def farther_than(apart: AnyArray, tolerance: float | None) -> BoolArray:
    """Which of the distances are larger than the tolerance, a number from 0; None stands for 0."""
    limit: float = tolerance or 0
    if apart.dtype == np.uint64:
        return np.asarray(apart > np.uint64(min(math.floor(limit), _FARTHEST)))
    return np.asarray(apart > limit, np.bool_)


def signed_differences(first: AnyArray, other: AnyArray) -> Float64Array:
    """other - first as float64, rounded only once: 0 where the two are equal, and nowhere else."""
    sizes = distances(first, other).astype(np.float64)
    return np.where(other < first, -sizes, sizes)


def _float_distances(a: AnyArray, b: AnyArray) -> AnyArray:
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.abs(a - b)
    found = np.where(np.isnan(found), np.inf, found)
    same: AnyArray = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, found)
    return same


def _distance(one: float, other: float) -> float:
    exact = [int(value) if isinstance(value, float) and value.is_integer() else value for value in (one, other)]
    if exact[0] == exact[1] or (one != one and other != other):
        return 0
    found = abs(exact[0] - exact[1])
    return math.inf if found != found else found or math.ulp(0.0)
