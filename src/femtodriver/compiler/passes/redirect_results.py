"""What passes share that let the makers of a temporary write what its only reader would write."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from femtodriver.compiler.fmir.buffer_uses import times_touched, users
from femtodriver.compiler.fmir.ir import Fmir, If, Loop, Op, Role, Send, Vec, View, touches, walk, writes
from femtodriver.compiler.fmir.rewriting import doing_also, with_bodies

Touching = Mapping[str, list[int]]
"""Numbers of the operations of a block that touch each buffer, in ascending order."""
SourceOf = Callable[[Op], View | None]
"""What an operation reads, if it is a reader that could vanish."""
Change = Callable[[Op, Vec], Op | None]
"""A maker that does what the reader does to its result, but for the destination; None if it cannot."""


def redirect_results(fmir: Fmir, source_of: SourceOf, change: Change) -> Fmir:
    """Readers vanish whose temporary nobody else reads, and all of whose makers can be changed.

    The destination is then written where the temporary was, which nobody may notice: nothing touches these elements
    from the first maker to the reader.
    """
    return fmir.with_ops(_Redirection(fmir, source_of, change).block(fmir.ops))


class _Redirection:
    def __init__(self, fmir: Fmir, source_of: SourceOf, change: Change) -> None:
        self.fmir, self.source_of, self.change = fmir, source_of, change
        self.uses = times_touched(fmir.ops)

    def block(self, block: tuple[Op, ...]) -> tuple[Op, ...]:
        """The operations of a block without the readers that have vanished."""
        ops = [with_bodies(op, self.block) for op in block]
        makers: dict[str, list[int]] = {}
        touching = users(ops)
        gone: set[int] = set()
        for index, op in enumerate(ops):
            x = self.source_of(op)
            mine = makers.get(x.buffer, []) if x is not None else []
            changed = self._changed(ops, touching, mine, index, x) if x is not None and mine else None
            if changed is not None:
                for number, maker in zip(mine, changed, strict=True):
                    ops[number] = maker
                    insort(touching[writes(op)[0].buffer], number)
                makers.setdefault(writes(op)[0].buffer, []).extend(mine)
                self.uses[writes(op)[0].buffer] += len(mine) - 1  # one writer has vanished
                gone.add(index)
                continue
            for view in (view for entry in walk((op,)) for view in writes(entry)):
                makers.setdefault(view.buffer, []).append(index)
        return tuple(op for index, op in enumerate(ops) if index not in gone)

    def _changed(
        self, ops: Sequence[Op], touching: Touching, makers: Sequence[int], index: int, x: View
    ) -> list[Op] | None:
        """The makers of ``x``, changed; None if they cannot be, or if it would be noticed."""
        reader = ops[index]
        if not isinstance(reader, Vec) or self.fmir.buffers[x.buffer].role is not Role.TEMP:
            return None
        if not x.step or self.uses[x.buffer] != len(makers) + 1:
            return None
        others = touching[reader.dst.buffer]
        first = bisect_left(others, min(makers))  # makers that were redirected before are not in order
        between = (ops[number] for number in others[first : bisect_left(others, index)])
        if any(_meet(view, reader.dst) for op in walk(between) for view in touches(op)):
            return None
        changed = [_redirected(ops[number], x, reader, self.change) for number in makers]
        found = [op for op in changed if op is not None]
        return found if len(found) == len(changed) else None


def _redirected(maker: Op, x: View, reader: Vec, change: Change) -> Op | None:
    made = None if isinstance(maker, (Loop, If, Send)) else change(maker, reader)
    if made is None or isinstance(made, (Loop, If)):
        return None
    first = made.dst.offset - x.offset
    if made.dst.cursor != x.cursor or first < 0 or made.dst.end > x.end:
        return None
    return doing_also(replace(made, dst=reader.dst.part(first, first + made.dst.length)), (reader,))


def _meet(one: View, other: View) -> bool:
    moving = one.cursor or other.cursor
    return one.buffer == other.buffer and bool(moving or (one.offset < other.end and other.offset < one.end))
