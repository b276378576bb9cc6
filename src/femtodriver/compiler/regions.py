"""Loops and conditions: bodies become operations of their own, with carried values in buffers that stay in place.

A body may change states, and names outside it (all graphs share one table of names). Whatever must survive an
iteration or a branch stands in a buffer of its own: ``settle`` brings states there before the region, and every
iteration or branch ends by copying the new values in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from femtodriver.compiler import rope as ropes
from femtodriver.compiler.effects import effects
from femtodriver.compiler.fmir import Cursor, If, Loop, Op, Role, View
from femtodriver.compiler.rope import Rope
from femtodriver.fqir.graph import Graph
from femtodriver.fqir.operators.base import Shape
from femtodriver.fqir.operators.verbs import Branch, LoopForm, Shaped

if TYPE_CHECKING:
    from femtodriver.compiler.lowering import Lowering


@dataclass(frozen=True)
class _Carry:
    """A value that survives the body: its name if it has one outside, its label for widths, its buffer."""

    name: str | None
    label: str
    view: View
    shape: Shape


def settle(low: Lowering, graphs: Sequence[Graph]) -> None:
    """States that the graphs write stand in their buffers; other names that share these buffers get copies."""
    changed = _written_states(low, graphs)
    buffers = {low.states[name].buffer for name in changed}
    for name, value in low.values.items():
        if name not in changed and any(view.buffer in buffers for view in value):
            low.values[name] = (low.copied(value),)
    low.write_back(changed)
    low.forget()


def _written_states(low: Lowering, graphs: Sequence[Graph]) -> list[str]:
    written = set().union(*(effects(graph, len(graph.inputs)).written for graph in graphs))
    return [name for name in low.states if name in written]


def lower_loop(low: Lowering, loop: LoopForm, place: str) -> list[Shaped]:
    """Concatenated values, then final values. ``settle`` must have been called before the arguments were read."""
    states = _written_states(low, [loop.body])
    changed = {low.states[name].buffer for name in states}
    carries = [
        _carry(low, None, f"{place}carry{index}", value) for index, value in enumerate(loop.carried)
    ] + _named_carries(low, [loop.body], place, len(loop.body.inputs))
    cursors = _Cursors(place)
    slices = [_slice(low, loop, cursors, _apart(low, value, changed), rows, back) for value, rows, back in loop.slices]
    scope = [_apart(low, value, changed) for value in loop.scope]
    outer = dict(low.values)
    low.ops, outer_ops = [], low.ops
    low.forget()
    for carry in carries:
        if carry.name is not None:
            low.bind(carry.name, (carry.view,), carry.shape)
    given = [((carry.view,), carry.shape) for carry in carries[: len(loop.carried)]]
    results = low.graph(loop.body, [(ropes.join([value]), shape) for value, shape in (*given, *slices, *scope)])
    first_final = len(loop.carried) + len(loop.concat)
    joined = [
        _concat(low, loop.count, cursors, value, backwards)
        for value, backwards in zip(results[len(loop.carried) : first_final], loop.concat, strict=True)
    ]
    finals = [_final(low, value) for value in results[first_final:]]
    _carry_over(low, carries, results, states)
    body, low.ops = tuple(low.ops), outer_ops
    low.ops.append(Loop(loop.count, body, tuple(cursors.made), low.layer))
    _leave(low, outer, carries, states, keep_new=True)
    return [*joined, *finals]


def lower_choice(low: Lowering, condition: Rope, then: Branch, orelse: Branch, place: str) -> list[Shaped]:
    """Results of the branch that is taken. ``settle`` must have been called before the arguments were read."""
    graphs = [branch.graph for branch in (then, orelse) if branch.graph is not None]
    states = _written_states(low, graphs)
    test = low.contiguous(low.part(condition, 0, 1))
    carries = _named_carries(low, graphs, place, None)
    outer, outer_shapes, outer_ops = dict(low.values), dict(low.shapes), low.ops
    for carry in carries:
        low.values[carry.name or ""] = ropes.join([(carry.view,)])
    inside = dict(low.values)
    bodies: list[list[Op]] = []
    results: list[list[Shaped]] = []
    ends: list[dict[str, Rope]] = []
    for branch in (then, orelse):
        low.ops, low.values, low.shapes = [], dict(inside), dict(outer_shapes)
        low.forget()
        results.append(list(branch.values) if branch.graph is None else low.graph(branch.graph, branch.values))
        bodies.append(low.ops)
        ends.append(low.values)
    merged = _merge(low, bodies, results)
    for low.ops, low.values in zip(bodies, ends, strict=True):
        _carry_over(low, carries, (), states)
    low.ops = outer_ops
    low.ops.append(If(test, tuple(bodies[0]), tuple(bodies[1]), low.layer))
    low.shapes = outer_shapes
    _leave(low, outer, carries, states, keep_new=False)
    return merged


def _apart(low: Lowering, value: Shaped, changed: set[str]) -> Shaped:
    """An argument keeps its value while the body assigns the state that it stands in: then it is copied."""
    rope, shape = value
    shared = any(view.buffer in changed for view in rope)
    return ((low.copied(rope),) if shared else rope), shape


class _Cursors:
    """The cursors of one loop, one per stride and parent."""

    def __init__(self, place: str) -> None:
        self.made: list[Cursor] = []
        self._place = place

    def get(self, stride: int, parent: str) -> str:
        for cursor in self.made:
            if (cursor.stride, cursor.parent) == (stride, parent):
                return cursor.name
        self.made.append(Cursor(f"c{self._place}{len(self.made)}", stride, parent))
        return self.made[-1].name


def _carry(low: Lowering, name: str | None, label: str, value: Shaped) -> _Carry:
    """A buffer for a carried value, holding its first value."""
    rope, shape = value
    size = ropes.length(rope)
    view = low.new(size, low.width(label, low.bits(rope)), Role.CARRIED, "carry")
    low.copy(view, rope)
    return _Carry(name, label, view, shape)


def _named_carries(low: Lowering, graphs: Sequence[Graph], place: str, arguments: int | None) -> list[_Carry]:
    """Names outside the region, other than states, that its bodies write."""
    names: set[str] = set()
    for graph in graphs:
        names |= effects(graph, len(graph.inputs) if arguments is None else arguments).written
    known = [name for name in low.values if name in names and name not in low.states]
    return [_carry(low, name, f"{place}{name}", (low.value(name), low.shape(name))) for name in known]


def _slice(low: Lowering, loop: LoopForm, cursors: _Cursors, value: Shaped, rows: int, backwards: bool) -> Shaped:
    rope, shape = value
    size = rows * prod(shape[1:])
    if not size:
        return (), (rows, *shape[1:])
    whole = low.contiguous(low.part(rope, 0, size * loop.count))
    start = whole.offset + (size * (loop.count - 1) if backwards else 0)
    cursor = cursors.get(-size if backwards else size, whole.cursor)
    return (View(whole.buffer, start, size, 1, cursor),), (rows, *shape[1:])


def _concat(low: Lowering, count: int, cursors: _Cursors, value: Shaped, backwards: bool) -> Shaped:
    rope, shape = value
    size = ropes.length(rope)
    if not size:
        return (), (0, *shape[1:])
    whole = low.new(size * count, low.bits(rope))
    start = size * (count - 1) if backwards else 0
    low.copy(View(whole.buffer, start, size, 1, cursors.get(-size if backwards else size, "")), rope)
    return (whole,), (shape[0] * count, *shape[1:])


def _final(low: Lowering, value: Shaped) -> Shaped:
    """The value itself if it stands still until the next iteration, else a copy made in every iteration."""
    rope, shape = value
    return (rope if _stands_still(low, rope) else (low.copied(rope),)), shape


def _stands_still(low: Lowering, rope: Rope) -> bool:
    still = (Role.TEMP, Role.CONST, Role.INPUT)
    return all(not view.cursor and low.buffers[view.buffer].role in still for view in rope)


def _carry_over(low: Lowering, carries: Sequence[_Carry], results: Sequence[Shaped], states: Sequence[str]) -> None:
    """End of an iteration or branch: new values into the buffers, all at once."""
    copies = []
    for index, carry in enumerate(carries):
        value = low.value(carry.name) if carry.name is not None else results[index][0]
        low.require_width(carry.label, value, carry.view)
        copies.append((carry.view, value))
    for name in states:
        low.require_width(f"state {name}", low.value(name), low.states[name])
        copies.append((low.states[name], low.value(name)))
    low.copy_all([(dst, value) for dst, value in copies if value])


def _merge(low: Lowering, bodies: Sequence[list[Op]], results: Sequence[Sequence[Shaped]]) -> list[Shaped]:
    """Buffers that take each result from whichever branch ran."""
    merged: list[Shaped] = []
    for (left, shape), (right, _) in zip(*results, strict=True):
        size = ropes.length(left)
        dst = low.new(size, max(low.bits(left), low.bits(right))) if size else View("", 0, 0)
        for body, value in zip(bodies, (left, right), strict=True):
            low.ops = body
            if size:
                low.copy(dst, value)
        merged.append((ropes.join([(dst,)]), shape))
    return merged


def _leave(
    low: Lowering, outer: dict[str, Rope], carries: Sequence[_Carry], states: Sequence[str], *, keep_new: bool
) -> None:
    """After the region: outer names as before, changed ones in their buffers."""
    inner = low.values
    low.values = dict(outer)
    if keep_new:  # only what somebody reads later
        new = (name for name in inner if name in low.captured and name not in outer)
        low.values |= {name: inner[name] for name in new if _stands_still(low, inner[name])}
    for carry in carries:
        if carry.name is not None:
            low.values[carry.name] = ropes.join([(carry.view,)])
    for name in states:
        low.values[name] = ropes.join([(low.states[name],)])
    low.forget()
