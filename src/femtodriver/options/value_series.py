"""Options that take several values: lists such as ``1,2,5`` and ranges such as ``10e6..50e6:5``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from femtodriver.options.value_kinds import PATH, ValueKind

MOST_STEPS = 1000
_DIGITS = 9  # of the values of a range, so that they can be read


def each(value: Any) -> tuple[Any, ...]:
    """The values of an option that takes several: of a sequence its items, of anything else itself, of None none."""
    if value is None:
        return ()
    if isinstance(value, (str, os.PathLike)) or not isinstance(value, Sequence):
        return (value,)
    return tuple(value)


def series(kind: ValueKind) -> ValueKind:
    """Numbers of this kind: one, or several; ``LO..HI:N`` means N of them, evenly spaced, both ends among them."""
    return _several(kind, f"{kind.wanted}, or several: 1,2,3 or LO..HI:N", _numbers(kind))


def several(kind: ValueKind) -> ValueKind:
    """Texts or paths of this kind: one, or several."""
    return _several(
        kind, f"{kind.wanted}, or several, separated by commas or in a list", lambda word: [kind.parse(word)]
    )


def _several(kind: ValueKind, wanted: str, parse: Callable[[str], list[Any]]) -> ValueKind:
    def accepts(value: Any) -> bool:
        return bool(each(value)) and all(kind.accepts(item) for item in each(value))

    def parsed(word: str) -> tuple[Any, ...]:
        return tuple(item for part in word.split(",") for item in parse(part.strip()))

    return ValueKind(wanted, accepts, parsed, kind.words)


def _numbers(kind: ValueKind) -> Callable[[str], list[Any]]:
    def parse(part: str) -> list[Any]:
        ends, colon, steps = part.partition(":")
        low, dots, high = ends.partition("..")
        if not (dots and colon):
            return [kind.parse(part)]
        return _evenly(float(low), float(high), int(steps))

    return parse


def _evenly(low: float, high: float, steps: int) -> list[float]:
    if not 2 <= steps <= MOST_STEPS:
        raise ValueError(steps)
    values = [low + (high - low) * place / (steps - 1) for place in range(steps)]
    return [float(f"{value:.{_DIGITS}g}") for value in values]


PATHS = several(PATH)
