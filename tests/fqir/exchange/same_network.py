"""Whether two networks are equal in value, field by field, whatever fields the records have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from femtodriver.fqir.graph import Graph, Network, Tensor

UNORDERED = ("constants",)


def difference(one: Network, other: Network) -> str:
    """The first difference, with its place; "" if there is none.

    Graphs and tensors must also be shared alike: what is one object here is one object there.
    """
    return next(_Comparison().of(one, other, "network"), "")


class _Comparison:
    def __init__(self) -> None:
        self._partners: dict[int, object] = {}
        self._back: dict[int, object] = {}

    def of(self, one: Any, other: Any, where: str) -> Iterator[str]:
        """The differences of two values."""
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from self._members(one, other, where)
        elif type(one) is not type(other):
            yield f"{where}: {type(one).__name__} and {type(other).__name__}"
        elif is_dataclass(one):
            yield from self._records(one, other, where)
        elif isinstance(one, tuple) and len(one) == len(other):
            for place, (first, second) in enumerate(zip(one, other, strict=True)):
                yield from self.of(first, second, f"{where}[{place}]")
        elif isinstance(one, np.ndarray):
            if one.dtype != other.dtype or not np.array_equal(one, other) or other.flags.writeable:
                yield f"{where}: the arrays differ"
        elif one != other:
            yield f"{where}: {one!r} and {other!r}"

    def _records(self, one: Any, other: Any, where: str) -> Iterator[str]:
        if isinstance(one, (Graph, Tensor)):
            known = id(one) in self._partners, id(other) in self._back
            if all(known) and self._partners[id(one)] is other:
                return
            if any(known):
                yield f"{where}: shared in one of them"
            self._partners[id(one)], self._back[id(other)] = other, one
        for field in fields(one):
            yield from self.of(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")

    def _members(self, one: Mapping[str, Any], other: Mapping[str, Any], where: str) -> Iterator[str]:
        ordered = not where.endswith(UNORDERED)
        if (list(one) != list(other)) if ordered else (set(one) != set(other)):
            yield f"{where}: {list(one)} and {list(other)}"
            return
        for key, value in one.items():
            yield from self.of(value, other[key], f"{where}[{key!r}]")
