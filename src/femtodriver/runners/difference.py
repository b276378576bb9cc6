"""Where two runs part: the first difference in time between their arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Difference:
    """The first place where two runs part. ``frame`` is -1 where they cannot be compared frame by frame; then there
    are no ``element`` and no ``values`` (of the one and the other run) either."""

    frame: int
    text: str
    variable: str = ""
    element: tuple[int, ...] = ()
    values: tuple[int | float, ...] = ()


@dataclass(frozen=True)
class _Pair:
    """One variable of two runs."""

    kind: str
    variable: str
    name_a: str
    name_b: str

    def __str__(self) -> str:
        return f"{self.kind} {self.variable!r}"


def difference(
    kind: str,
    name_a: str,
    a: Mapping[str, Any],
    name_b: str,
    b: Mapping[str, Any],
    error_tolerance: float | None = None,
) -> Difference | None:
    """The first difference in time between two sets of arrays (frames, elements), or None.

    Both must have the same variables of the same rank. Where exactly one axis has two lengths, what both have is
    compared; if that is nothing, or more axes differ, the variable differs. Values may differ by at most
    ``error_tolerance`` (None: not at all). Of variables that part in the same frame, the first one of ``a`` counts.
    """
    if a.keys() != b.keys():
        lists = [", ".join(map(repr, values)) or "none" for values in (a, b)]
        return Difference(-1, f"the {kind}s must be the same: {name_a} has {lists[0]}, {name_b} has {lists[1]}")
    found = [_variable(_Pair(kind, name, name_a, name_b), a[name], b[name], error_tolerance) for name in a]
    return min((one for one in found if one is not None), key=lambda one: one.frame, default=None)


def internal_difference(
    name_a: str, a: Mapping[str, Any], name_b: str, b: Mapping[str, Any], error_tolerance: float | None = None
) -> Difference | None:
    """The first difference between the internal values that both runs have, or None."""
    shared = [name for name in a if name in b]
    both = [{name: values[name] for name in shared} for values in (a, b)]
    return difference("internal value", name_a, both[0], name_b, both[1], error_tolerance)


def _variable(pair: _Pair, first: Any, second: Any, tolerance: float | None) -> Difference | None:
    a, b = np.asarray(first), np.asarray(second)
    odd = [axis for axis, (one, two) in enumerate(zip(a.shape, b.shape, strict=False)) if one != two]
    if a.ndim != b.ndim or len(odd) > 1:
        shapes = f"{pair.name_a} gives {a.shape}, {pair.name_b} gives {b.shape}"
        return Difference(-1, f"{pair}: the shapes must agree: {shapes}", pair.variable)
    for axis in odd:
        length = min(a.shape[axis], b.shape[axis])
        a, b = a.take(range(length), axis), b.take(range(length), axis)
    if odd and not a.size:
        return Difference(-1, f"{pair}: there is nothing that both have to compare", pair.variable)
    apart = a != b if not tolerance else np.abs(a - b) > tolerance
    if not apart.any():
        return None
    place = tuple(int(index) for index in np.argwhere(apart)[0])
    told = f"{pair.name_a} gives {a[place]}, {pair.name_b} gives {b[place]}"
    frame = place[0] if place else 0
    values = a[place].item(), b[place].item()
    return Difference(frame, f"{pair}, {_place(place)}: {told}", pair.variable, place[1:], values)


def _place(place: tuple[int, ...]) -> str:
    if len(place) < 2:
        return f"frame {place[0] if place else 0}"
    return f"frame {place[0]}, element {', '.join(map(str, place[1:]))}"
