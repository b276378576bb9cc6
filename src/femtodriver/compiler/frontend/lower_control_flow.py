"""Loops and conditions: bodies become operations of their own, with carried values in buffers that stay in place.

A body may change states, and names outside it (all graphs share one table of names). Whatever must survive an
iteration or a branch is in a buffer of its own: ``settle`` brings states there before the region, and every
iteration or branch ends by copying the new values in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from femtodriver.compiler.fmir.ir import Cursor, If, Loop, Op, Role, View
from femtodriver.compiler.frontend import ropes
from femtodriver.compiler.frontend.name_effects import effects
from femtodriver.compiler.frontend.named_values import NamedValues
from femtodriver.compiler.frontend.ropes import Rope
from femtodriver.errors import UnsupportedError
from femtodriver.fqir.graph import Graph
from femtodriver.fqir.operators.lowering_interface import Branch, LoopForm, Shaped
from femtodriver.fqir.operators.operator import Shape


@dataclass(frozen=True)
class _Carry:
    """A value that survives the body: its name if it has one outside, its label for widths, its buffer."""

    name: str | None
    label: str
    view: View
    shape: Shape


def settle(low: NamedValues, graphs: Sequence[Graph]) -> None:
    """States that the graphs write are in their buffers; other names that share these buffers get copies."""
    changed = _written_states(low, graphs)
    buffers = {low.states[name].buffer for name in changed}
    for name, value in low.values.items():
        if name not in changed and any(view.buffer in buffers for view in value):
            low.values[name] = (low.copied(value),)
    low.write_back(changed)
    low.forget()


def _written_states(low: NamedValues, graphs: Sequence[Graph]) -> list[str]:
    written = set().union(*(effects(graph, len(graph.inputs)).written for graph in graphs))
    return [name for name in low.states if name in written]


def lower_loop(low: NamedValues, loop: LoopForm, place: str) -> list[Shaped]:
    """Concatenated values, then final values. ``settle`` must have been called before the arguments were read."""
    found, layer = effects(loop.body, len(loop.body.inputs)), low.layer
    states = _written_states(low, [loop.body])
    changed = {low.states[name].buffer for name in states}
    carries = [_carry(low, None, f"{place}carry{index}", value) for index, value in enumerate(loop.carried)]
    for name in [name for name in low.values if name in found.written and name not in low.states]:
        if name in found.exposed or name not in found.sure:  # an iteration may see what an earlier one has left
            carries.append(_carry(low, name, f"{place}{name}", low.shaped_value(name)))
    cursors = _Cursors(place)
    slices = [_slice(low, loop, cursors, _apart(low, value, changed), rows, back) for value, rows, back in loop.slices]
    scope = [_apart(low, value, changed) for value in loop.scope]
    outer = dict(low.values)
    low.ops, outer_ops = [], low.ops
    low.forget()
    for carry in carries:
        if carry.name is not None:
            low.bind(carry.name, ropes.join([(carry.view,)]), carry.shape)
    given = [((carry.view,), carry.shape) for carry in carries[: len(loop.carried)]]
    results = low.graph(loop.body, [(ropes.join([value]), shape) for value, shape in (*given, *slices, *scope)])
    first_final = len(loop.carried) + len(loop.concat)
    joined = [
        _concat(low, loop.count, cursors, value, backwards)
        for value, backwards in zip(results[len(loop.carried) : first_final], loop.concat, strict=True)
    ]
    finals = [_final(low, value) for value in results[first_final:]]
    carries = [carry for carry in carries if _keeps(low, carry)]
    carried = {carry.name for carry in carries} | set(low.states)
    left = {name: _final(low, low.shaped_value(name))[0] for name in _left(low, outer, found.written) - carried}
    _carry_over(low, carries, results, states)
    body, low.ops = tuple(low.ops), outer_ops
    low.ops.append(Loop(loop.count, body, tuple(cursors.made), layer))
    left |= {carry.name: ropes.join([(carry.view,)]) for carry in carries if carry.name is not None}
    _leave(low, {name: rope for name, rope in outer.items() if name not in found.written} | left, states)
    return [*joined, *finals]


def lower_choice(low: NamedValues, condition: Rope, then: Branch, orelse: Branch, place: str) -> list[Shaped]:
    """Results of the branch that is taken. ``settle`` must have been called before the arguments were read.

    What the branches do to outer names is merged like results. A name that one branch leaves without a value, or with
    another shape, has none afterwards.
    """
    graphs = [branch.graph for branch in (then, orelse) if branch.graph is not None]
    states = _written_states(low, graphs)
    written = set().union(*(effects(graph, len(graph.inputs)).written for graph in graphs))
    test = low.contiguous(low.part(condition, 0, 1))
    outer, outer_shapes, outer_ops, layer = dict(low.values), dict(low.shapes), low.ops, low.layer
    bodies: list[list[Op]] = []
    results: list[list[Shaped]] = []
    ends: list[tuple[dict[str, Rope], dict[str, Shape]]] = []
    for branch in (then, orelse):
        low.ops, low.values, low.shapes = [], dict(outer), dict(outer_shapes)
        low.forget()
        results.append(list(branch.values) if branch.graph is None else low.graph(branch.graph, branch.values))
        bodies.append(low.ops)
        ends.append((low.values, low.shapes))
    (one, one_shapes), (other, other_shapes) = ends
    alike = [name for name in one if name in other and one_shapes[name] == other_shapes[name]]
    names = [name for name in alike if name in _left(low, outer, written) and name not in low.states]
    ending = [[(values[name], shapes[name]) for name in names] for values, shapes in ends]
    merged = _merge(low, bodies, [[*result, *end] for result, end in zip(results, ending, strict=True)])
    for low.ops, (low.values, low.shapes) in zip(bodies, ends, strict=True):
        low.forget()
        _carry_over(low, (), (), states)
    low.ops = outer_ops
    low.ops.append(If(test, tuple(bodies[0]), tuple(bodies[1]), layer))
    count = len(merged) - len(names)
    kept = {name: rope for name, rope in outer.items() if name not in written}
    low.shapes = outer_shapes | {name: shape for name, (_, shape) in zip(names, merged[count:], strict=True)}
    _leave(low, kept | {name: rope for name, (rope, _) in zip(names, merged[count:], strict=True)}, states)
    return merged[:count]


def _left(low: NamedValues, outer: Mapping[str, Rope], written: set[str]) -> set[str]:
    """Names with values that a body has written: outer ones, and others that somebody may read later."""
    return {name for name in written if name in low.values and (name in outer or name in low.captured)}


def _keeps(low: NamedValues, carry: _Carry) -> bool:
    """Whether a carried name still has a value at the end of the body. UnsupportedError for one of another shape."""
    if carry.name is None or carry.name not in low.values:
        return carry.name is None
    if low.shape(carry.name) != carry.shape:
        raise UnsupportedError(
            f"{low.where}: {carry.name!r} must keep its shape {list(carry.shape)} in the body, "
            f"not become {list(low.shape(carry.name))}. Give the new value a name of its own."
        )
    return True


def _apart(low: NamedValues, value: Shaped, changed: set[str]) -> Shaped:
    """An argument keeps its value while the body assigns the state that it is in: then it is copied."""
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


def _carry(low: NamedValues, name: str | None, label: str, value: Shaped) -> _Carry:
    """A buffer for a carried value, holding its first value."""
    rope, shape = value
    size = ropes.length(rope)
    view = low.new(size, low.width(label, low.bits(rope)), Role.CARRIED, "carry")
    low.keep_width(label, view, rope)
    low.copy(view, rope)
    return _Carry(name, label, view, shape)


def _slice(low: NamedValues, loop: LoopForm, cursors: _Cursors, value: Shaped, rows: int, backwards: bool) -> Shaped:
    rope, shape = value
    size = rows * prod(shape[1:])
    if not size:
        return (), (rows, *shape[1:])
    whole = low.contiguous(low.part(rope, 0, size * loop.count))
    start = whole.offset + (size * (loop.count - 1) if backwards else 0)
    cursor = cursors.get(-size if backwards else size, whole.cursor)
    return (View(whole.buffer, start, size, 1, cursor),), (rows, *shape[1:])


def _concat(low: NamedValues, count: int, cursors: _Cursors, value: Shaped, backwards: bool) -> Shaped:
    rope, shape = value
    size = ropes.length(rope)
    if not size:
        return (), (0, *shape[1:])
    whole = low.new_like(size * count, rope)
    start = size * (count - 1) if backwards else 0
    low.copy(View(whole.buffer, start, size, 1, cursors.get(-size if backwards else size, "")), rope)
    return (whole,), (shape[0] * count, *shape[1:])


def _final(low: NamedValues, value: Shaped) -> Shaped:
    """The value itself if it stands still until the next iteration, else a copy made in every iteration."""
    rope, shape = value
    return (rope if _stands_still(low, rope) else (low.copied(rope),)), shape


def _stands_still(low: NamedValues, rope: Rope) -> bool:
    still = (Role.TEMP, Role.CONST, Role.INPUT)
    return all(not view.cursor and low.buffers[view.buffer].role in still for view in rope)


def _carry_over(low: NamedValues, carries: Sequence[_Carry], results: Sequence[Shaped], states: Sequence[str]) -> None:
    """End of an iteration or branch: new values into the buffers, all at once."""
    copies = []
    for index, carry in enumerate(carries):
        value = low.value(carry.name) if carry.name is not None else results[index][0]
        low.keep_width(carry.label, carry.view, value)
        copies.append((carry.view, value))
    for name in states:
        low.keep_width(f"state {name}", low.states[name], low.value(name))
        copies.append((low.states[name], low.value(name)))
    low.copy_all([(dst, value) for dst, value in copies if value])


def _merge(low: NamedValues, bodies: Sequence[list[Op]], results: Sequence[Sequence[Shaped]]) -> list[Shaped]:
    """Buffers that take each result from whichever branch ran."""
    merged: list[Shaped] = []
    for (left, shape), (right, _) in zip(*results, strict=True):
        size = ropes.length(left)
        dst = low.new_like(size, left, right) if size else View("", 0, 0)
        for body, value in zip(bodies, (left, right), strict=True):
            low.ops = body
            if size:
                low.copy(dst, value)
        merged.append((ropes.join([(dst,)]), shape))
    return merged


def _leave(low: NamedValues, values: dict[str, Rope], states: Sequence[str]) -> None:
    """After the region: these values, and changed states in their buffers."""
    low.values = values
    for name in states:
        low.values[name] = ropes.join([(low.states[name],)])
    low.forget()
