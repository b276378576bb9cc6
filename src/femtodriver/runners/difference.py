"""Where two runs part: each variable that differs, with the first place in time, count and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from femtodriver.runners.distance import distances, farther_than


@dataclass(frozen=True)
class Difference:
    """How two runs part in one variable, and the first place where they do.

    ``frame`` is -1 where they cannot be compared frame by frame; then there are no ``element`` and no ``values`` (of
    the one and the other run) either. ``count`` of ``compared`` values differ, by at most ``largest``.
    """

    frame: int
    reason: str
    variable: str = ""
    element: tuple[int, ...] = ()
    values: tuple[int | float, ...] = ()
    count: int = 0
    compared: int = 0
    largest: int | float = 0

    @property
    def text(self) -> str:
        """The first place with both values, how many values differ, and by how much."""
        if not self.count:
            return self.reason
        return f"{self.reason} ({self.count:,} of {self.compared:,} values differ, by at most {self.largest})"


@dataclass(frozen=True)
class _Pair:
    """One variable of two runs, from a frame on."""

    kind: str
    variable: str
    name_a: str
    name_b: str
    first_frame: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.variable!r}"


def differences(
    kind: str,
    name_a: str,
    a: Mapping[str, Any],
    name_b: str,
    b: Mapping[str, Any],
    error_tolerance: float | None = None,
    first_frame: int = 0,
) -> tuple[Difference, ...]:
    """Every variable in which two sets of arrays (frames, elements) differ, the first in time first.

    Both must have the same variables of the same rank. Where exactly one axis has two lengths, what both have is
    compared; if that is nothing, or more axes differ, the variable differs. Values may differ by at most
    ``error_tolerance`` (None: not at all). Variables that part in the same frame are in the order of ``a``.
    ``first_frame``: the number of the first of these frames.
    """
    shared = [name for name in a if name in b]
    pairs = {name: _Pair(kind, name, name_a, name_b, first_frame) for name in shared}
    found = [_variable(pairs[name], a[name], b[name], error_tolerance) for name in shared]
    if a.keys() != b.keys():
        lists = [", ".join(map(repr, values)) or "none" for values in (a, b)]
        reason = f"the {kind}s must be the same: {name_a} has {lists[0]}, {name_b} has {lists[1]}"
        found.insert(0, Difference(-1, reason))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.frame))


def difference(
    kind: str,
    name_a: str,
    a: Mapping[str, Any],
    name_b: str,
    b: Mapping[str, Any],
    error_tolerance: float | None = None,
) -> Difference | None:
    """The first of ``differences``, or None."""
    return next(iter(differences(kind, name_a, a, name_b, b, error_tolerance)), None)


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
    sizes = distances(a, b)
    apart = farther_than(sizes, tolerance)
    if not apart.any():
        return None
    place = tuple(int(index) for index in np.argwhere(apart)[0])
    told = f"{pair.name_a} gives {a[place]}, {pair.name_b} gives {b[place]}"
    frame = pair.first_frame + (place[0] if place else 0)
    return Difference(
        frame=frame,
        reason=f"{pair}, {_place(frame, place[1:])}: {told}",
        variable=pair.variable,
        element=place[1:],
        values=(_number(a[place]), _number(b[place])),
        count=int(apart.sum()),
        compared=apart.size,
        largest=_number(sizes.max()),
    )


def _number(value: Any) -> int | float:
    """A number of Python, from one of NumPy or an array of objects."""
    found: int | float = np.asarray(value).item()
    return found


def _place(frame: int, element: tuple[int, ...]) -> str:
    return f"frame {frame}, element {', '.join(map(str, element))}" if element else f"frame {frame}"
