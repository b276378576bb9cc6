"""Sharing a network out over cores: every operation runs where its results live; missing operands come by message.

What a core reads of another is a copy in a buffer of its own (a "mail" buffer that nothing else uses), so that a
message may arrive at any time of the frame. Inputs are core 0's, and outputs come there in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.ir import (
    Buffer,
    Fmir,
    If,
    Loop,
    Mac,
    Matrix,
    Op,
    Role,
    Send,
    Simple,
    Vec,
    View,
    touches,
    walk,
    writes,
)
from femtodriver.compiler.fmir.network_interface import MappedState, StatePart
from femtodriver.compiler.fmir.rewriting import elements, on_core, product_rows, with_operands, with_views
from femtodriver.compiler.placement.ownership import EVERYWHERE, Owners, owners_of
from femtodriver.compiler.placement.sharing_plan import SharingPlan
from femtodriver.isa.limits import GROUP_SIZE, WORD_BITS
from femtodriver.part import Part


def place_on_cores(fmir: Fmir, part: Part, plan: SharingPlan) -> Fmir:
    """Lay ``fmir`` (all on core 0) out over the cores of the plan."""
    if plan.cores == 1:
        return fmir
    placement = _Placement(fmir, owners_of(fmir, part, plan), plan.cores)
    for op in fmir.ops:
        placement.add(op)
    placement.gather_outputs()
    states = placement.states()
    spread = replace(fmir, buffers=placement.buffers, matrices=placement.matrices, states=states)
    return _without_gaps(spread.with_ops(tuple(placement.ops), placement.buffers))


def _without_gaps(fmir: Fmir) -> Fmir:
    """The cores that have something to do, numbered from 0 on."""
    cores = {0, *(op.core for op in fmir.ops), *(buffer.core for buffer in fmir.buffers.values())}
    number = {core: index for index, core in enumerate(sorted(cores))}
    if all(core == index for core, index in number.items()):
        return fmir
    buffers = {name: replace(buffer, core=number[buffer.core]) for name, buffer in fmir.buffers.items()}
    return replace(fmir, ops=tuple(on_core(op, number[op.core]) for op in fmir.ops), buffers=buffers)


Range = tuple[int, int, int]
"""A core, and the first and end element of a stretch of a buffer."""


class _Placement:
    def __init__(self, fmir: Fmir, owners: dict[str, Owners], cores: int) -> None:
        self.fmir = fmir
        self.cores = cores
        self.owners = owners
        self.buffers = dict(fmir.buffers)
        self.matrices: dict[str, Matrix] = dict(fmir.matrices)
        self.ops: list[Op] = []
        self._homes: dict[tuple[str, int], tuple[str, int]] = {}  # buffer, core -> local buffer, its first element
        self._copies: dict[str, dict[Range, str]] = {}  # buffer -> core and range -> local copy
        self._made = 0

    def add(self, op: Op) -> None:
        """Append an operation, in parts if its results live on several cores."""
        if isinstance(op, (Loop, If)):
            self._region(op)
            return
        if isinstance(op, Send):
            raise TypeError("a network must be placed only once")
        runs = list(self._runs(op.dst))
        if runs[0][0] == EVERYWHERE:
            runs = [(core, 0, op.dst.length) for core in range(self.cores)]
        elif isinstance(op, Vec) and op.is_move and isinstance(op.a, View) and op.a.buffer in self.owners:
            runs = [run for whole in runs for run in self._same_source(op.a, *whole)]
        parts = [(core, self._local(op, core, first, end)) for core, first, end in runs]
        self.ops += [replace(part, core=core) for core, part in parts]
        self._forget({op.dst.buffer})

    def _same_source(self, source: View, core: int, first: int, end: int) -> Iterator[tuple[int, int, int]]:
        """A stretch of a move in pieces, each of which finds all its elements on one core."""
        inner = [(low, high) for _, low, high in self._runs(source)] if source.step else [(first, end)]
        for low, high in inner:
            if max(first, low) < min(end, high):
                yield core, max(first, low), min(end, high)

    def _region(self, op: Loop | If) -> None:
        """A loop or condition runs on one core, with copies of all that it only reads."""
        inner = list(walk((op,)))
        written = {view.buffer for entry in inner for view in writes(entry)}
        core = max((int(self.owners[name][0]) for name in written), default=0)
        local: dict[str, str] = {}
        for name in dict.fromkeys(view.buffer for entry in inner for view in touches(entry)):
            whole = View(name, 0, self.buffers[name].length)
            there = self._home(whole, core) if name in written else self._fetch(whole, core, op.layer)
            local[name] = there.buffer
        self.ops.append(on_core(with_views(op, lambda view: replace(view, buffer=local[view.buffer])), core))
        self._forget(written)

    def _forget(self, written: set[str]) -> None:
        """Copies of these buffers on other cores are stale."""
        for name in written:
            self._copies.pop(name, None)

    def gather_outputs(self) -> None:
        """Send what other cores hold of the outputs to core 0."""
        for port in self.fmir.outputs:
            whole = View(port.buffer, 0, port.length)
            for core, first, end in self._runs(whole) if port.length else ():
                if core:
                    source = self._home(whole.part(first, end), core)
                    self._send(whole.part(first, end), 0, source, core, len(self.fmir.layers) - 1)

    def states(self) -> dict[str, MappedState]:
        """Where the states are now."""
        return {
            name: replace(state, parts=tuple(part for old in state.parts_in(self.owners) for part in self._placed(old)))
            for name, state in self.fmir.states.items()
        }

    def _placed(self, old: StatePart) -> Iterator[StatePart]:
        """A part of a state in pieces that are on one core each; what is kept everywhere is there as often."""
        view = View(old.buffer, old.offset, old.length)
        for owner, first, end in self._runs(view):
            for core in range(self.cores) if owner == EVERYWHERE else (owner,):
                here = self._home(view.part(first, end), core)
                yield StatePart(old.first + first, end - first, here.buffer, here.offset)

    def _all_on(self, core: int, view: View) -> bool:
        owners = self._owners(view)
        return bool(((owners == core) | (owners == EVERYWHERE)).all())

    def _runs(self, view: View) -> Iterator[tuple[int, int, int]]:
        """Core, first and end element of each stretch of a view that lives on one core."""
        owners = self._owners(view)
        bounds = [0, *(int(cut) for cut in np.flatnonzero(np.diff(owners)) + 1), len(owners)]
        for first, end in pairwise(bounds):
            yield int(owners[first]), first, end

    def _owners(self, view: View) -> Owners:
        return self.owners[view.buffer][view.offset : view.end]

    def _local(self, op: Simple, core: int, first: int, end: int) -> Simple:
        """The part of an operation that makes elements [first, end), reading and writing on ``core``."""
        part: Simple = op
        if end - first < op.dst.length:
            part = product_rows(op, first, end, self.matrices) if isinstance(op, Mac) else elements(op, first, end)
        return with_operands(part, self._home(part.dst, core), lambda view: self._fetch(view, core, op.layer))

    def _home(self, view: View, core: int) -> View:
        """A view of elements that live on ``core``, in the buffer that holds them there."""
        cut = self.buffers[view.buffer].role in (Role.TEMP, Role.STATE)
        if core == 0 and (not cut or self._all_on(0, self._whole(view))):
            return view
        key = (view.buffer, core)
        if key not in self._homes:
            owners = self.owners[view.buffer]
            here = np.flatnonzero((owners == core) | (owners == EVERYWHERE))
            low, high = int(here[0]) // GROUP_SIZE * GROUP_SIZE, int(here[-1]) + 1
            buffer = self.buffers[view.buffer]
            init = None if buffer.init is None else buffer.init[low:high]
            role = Role.TEMP if buffer.role is Role.OUTPUT else buffer.role
            self._homes[key] = (self._new(buffer, high - low, role, core, init), low)
        name, low = self._homes[key]
        return replace(view, buffer=name, offset=view.offset - low)

    def _whole(self, view: View) -> View:
        return View(view.buffer, 0, self.buffers[view.buffer].length)

    def _fetch(self, view: View, core: int, layer: int) -> View:
        """The same elements on ``core``: where they live, or in a copy."""
        if view.buffer not in self.owners:
            return self._constant(view, core)
        if self._all_on(core, view):
            return self._home(view, core)
        length = self.fmir.buffers[view.buffer].length
        low, high = view.offset // GROUP_SIZE * GROUP_SIZE, min(-(-view.end // GROUP_SIZE) * GROUP_SIZE, length)
        copies, key = self._copies.setdefault(view.buffer, {}), (core, low, high)
        if key not in copies:
            copies[key] = self._gather(View(view.buffer, low, high - low), core, layer)
        return replace(view, buffer=copies[key], offset=view.offset - low)

    def _gather(self, view: View, core: int, layer: int) -> str:
        """A new buffer on ``core`` with all elements of the view."""
        name = self._new(self.buffers[view.buffer], view.length, Role.MAIL, core)
        for owner, first, end in self._runs(view):
            target, source = View(name, first, end - first), self._home(view.part(first, end), owner)
            if owner == core:
                self.ops.append(Vec("vpass", target, source, layer=layer, core=core))
            else:
                self._send(target, core, source, owner, layer)
        return name

    def _send(self, target: View, core: int, source: View, owner: int, layer: int) -> None:
        """A message: it carries whole words, so what does not begin and end with words goes through copies."""
        if not self._starts_word(source):
            aside = View(self._new(self.buffers[source.buffer], source.length, Role.TEMP, owner), 0, source.length)
            self.ops.append(Vec("vpass", aside, source, layer=layer, core=owner))
            source = aside
        whole = target.end == self.buffers[target.buffer].length or self._starts_word(target, target.end)
        if whole and self._starts_word(target):
            self.ops.append(Send(target, source, layer, owner))
            return
        arrived = View(self._new(self.buffers[target.buffer], target.length, Role.MAIL, core), 0, target.length)
        self.ops.append(Send(arrived, source, layer, owner))
        self.ops.append(Vec("vpass", target, arrived, layer=layer, core=core))

    def _starts_word(self, view: View, element: int | None = None) -> bool:
        bits = self.buffers[view.buffer].bits
        return (view.offset if element is None else element) * bits % WORD_BITS == 0

    def _constant(self, view: View, core: int) -> View:
        buffer = self.buffers[view.buffer]
        if core == 0 or buffer.init is None:
            return view
        copies, key = self._copies.setdefault(view.buffer, {}), (core, view.offset, view.end)
        if key not in copies:
            values = buffer.init[view.offset : view.end]
            copies[key] = self._new(buffer, len(values), Role.CONST, core, values)
        return View(copies[key], 0, view.length, view.step)

    def _new(self, like: Buffer, length: int, role: Role, core: int, init: Int64Array | None = None) -> str:
        """A new buffer on a core, with a name of its own."""
        name = like.name
        while name in self.buffers:  # a network may well have names of this form
            self._made += 1
            name = f"{like.name}@{core}.{self._made}"
        self.buffers[name] = Buffer(name, length, like.bits, role, core, init)
        return name
