"""Which operations use each buffer, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from femtodriver.compiler.fmir.ir import Op, View, touches, walk


def users(ops: Iterable[Op], views: Callable[[Op], tuple[View, ...]] = touches) -> dict[str, list[int]]:
    """Numbers of the operations of a block that use each buffer, in ascending order; bodies count as their operation.

    ``views``: what counts as use, which is ``touches``, ``reads`` or ``writes`` of ``ir``.
    """
    found: dict[str, list[int]] = {}
    for number, op in enumerate(ops):
        for name in dict.fromkeys(view.buffer for entry in walk((op,)) for view in views(entry)):
            found.setdefault(name, []).append(number)
    return found


def times_touched(ops: Iterable[Op]) -> Counter[str]:
    """How many views of each buffer operations read or write, bodies included."""
    return Counter(view.buffer for op in walk(ops) for view in touches(op))
