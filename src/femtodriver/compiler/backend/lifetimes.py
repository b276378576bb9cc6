"""From when to when a buffer holds something, in operation numbers, loops included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from femtodriver.compiler.fmir.ir import Fmir, Loop, Op, Role, bodies, reads, writes

Life = tuple[int, int]
# Roles whose buffers may share memory; all others keep theirs forever.
SHORT_LIVED = (Role.TEMP, Role.CARRIED)


@dataclass
class _Record:
    """Where buffers are touched, and which operations each loop spans."""

    number: int = 0
    touched: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)  # operation, whether it only reads
    loops: list[Life] = field(default_factory=list)


def lifetimes(fmir: Fmir, core: int) -> Mapping[str, Life]:
    """First and last operation at which each short-lived buffer of a core holds a value.

    What is carried through a loop, or is made before it and read in it, lives through all of it.
    """
    record = _Record()
    _visit(fmir.ops, record)
    lives = {}
    for name, touches in record.touched.items():
        buffer = fmir.buffers[name]
        if buffer.core == core and buffer.role in SHORT_LIVED:
            lives[name] = _life(touches, record.loops)
    return lives


def overlap(one: Life, other: Life) -> bool:
    """Whether both hold something at some operation."""
    return one[0] <= other[1] and other[0] <= one[1]


def _visit(ops: Iterable[Op], record: _Record) -> None:
    for op in ops:
        record.number += 1
        start = record.number
        for view in reads(op):
            record.touched.setdefault(view.buffer, []).append((start, True))
        for view in writes(op):
            record.touched.setdefault(view.buffer, []).append((start, False))
        for body in bodies(op):
            _visit(body, record)
        if isinstance(op, Loop):
            record.loops.append((start, record.number))


def _life(touches: list[tuple[int, bool]], loops: list[Life]) -> Life:
    first, last = touches[0][0], touches[-1][0]
    for start, end in loops:
        inside = [entry for entry in touches if start <= entry[0] <= end]
        if inside and (len(inside) < len(touches) or inside[0][1]):
            first, last = min(first, start), max(last, end)
    return first, last
