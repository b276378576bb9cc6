"""Placement on several cores: the outputs of matrix products are shared out, activations travel by messages.

Core 0 keeps inputs, outputs, state and all elementwise work. Every other core holds the weights of its rows, gets
the activations of a product as a message and sends its results back. A model that fits one core is left there.
"""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.fmir import Buffer, Fmir, Mac, Matrix, Op, Role, Send, Vec, View, walk, writes
from femtodriver.compiler.passes import GROUP, mac_rows
from femtodriver.fixed import Int64Array

# Products with fewer outputs per core than this stay on core 0.
_LEAST_ROWS = GROUP


def place(fmir: Fmir, cores: int) -> Fmir:
    """Share the matrix products of ``fmir`` (all on core 0) out over ``cores`` cores."""
    if cores == 1:
        return fmir
    placement = _Placement(fmir, cores)
    for op in fmir.ops:
        placement.add(op)
    return replace(fmir, buffers=placement.buffers, matrices=placement.matrices).with_ops(
        tuple(placement.ops), placement.buffers
    )


class _Placement:
    def __init__(self, fmir: Fmir, cores: int) -> None:
        self.cores = cores
        self.buffers = dict(fmir.buffers)
        self.matrices: dict[str, Matrix] = dict(fmir.matrices)
        self.ops: list[Op] = []
        self._mail: dict[tuple[int, View], View] = {}
        self._made = 0

    def add(self, op: Op) -> None:
        """Append the operation, shared out when it is a product that is worth it."""
        if isinstance(op, Mac) and op.dst.length >= self.cores * _LEAST_ROWS:
            self._share(op)
        else:
            self.ops.append(op)
        for entry in walk((op,)):
            for view in writes(entry):
                self._forget(view.buffer)

    def _share(self, op: Mac) -> None:
        bounds = _bounds(op.dst.length, self.cores)
        dst = self._mailbox(op)
        for core in range(1, self.cores):
            first, end = bounds[core], bounds[core + 1]
            if first < end:
                self._remote(mac_rows(op, first, end, self.matrices), core, dst.part(first, end))
        local = mac_rows(op, 0, bounds[1], self.matrices)
        self.ops.append(replace(local, dst=dst.part(0, bounds[1])))
        if dst != op.dst:
            self.ops.append(Vec("vpass", op.dst, dst, layer=op.layer))

    def _remote(self, op: Mac, core: int, dst: View) -> None:
        parts = tuple((name, self._on(core, x, op.layer)) for name, x in op.parts)
        bias = self._on(core, op.bias, op.layer) if isinstance(op.bias, View) else op.bias
        source = self._new("part", dst.length, self.buffers[dst.buffer].bits, Role.TEMP, core)
        self.ops.append(replace(op, parts=parts, bias=bias, dst=source, core=core))
        self.ops.append(Send(dst, source, op.layer, core))

    def _on(self, core: int, view: View, layer: int) -> View:
        """The same elements on another core: a copy of a constant, or what a message brings."""
        key = (core, view)
        if key not in self._mail:
            buffer = self.buffers[view.buffer]
            if buffer.role is Role.CONST and buffer.init is not None:
                values = buffer.init[view.offset : view.end]
                copy = self._new(view.buffer, len(values), buffer.bits, Role.CONST, core, values)
                self._mail[key] = View(copy.buffer, 0, view.length, view.step)
            else:
                target = self._new(view.buffer, view.length, buffer.bits, Role.MAIL, core)
                self.ops.append(Send(target, self._whole_words(view, layer), layer, 0))
                self._mail[key] = target
        return self._mail[key]

    def _whole_words(self, view: View, layer: int) -> View:
        """The view itself if it starts on a word, else a copy that does."""
        bits = self.buffers[view.buffer].bits
        if view.step and view.offset * bits % 64 == 0:
            return view
        copy = self._new(view.buffer, view.length, bits, Role.TEMP, 0)
        self.ops.append(Vec("vpass", copy, view, layer=layer))
        return copy

    def _mailbox(self, op: Mac) -> View:
        """Where the product's results are gathered: a buffer that a message may write at any time of the frame."""
        buffer = self.buffers[op.dst.buffer]
        aligned = op.dst.offset * buffer.bits % 64 == 0
        if aligned and buffer.role in (Role.TEMP, Role.MAIL, Role.OUTPUT):
            if buffer.role is Role.TEMP:
                self.buffers[buffer.name] = replace(buffer, role=Role.MAIL)
            return op.dst
        return self._new(op.dst.buffer, op.dst.length, buffer.bits, Role.MAIL, 0)

    def _new(self, stem: str, length: int, bits: int, role: Role, core: int, init: Int64Array | None = None) -> View:
        """A new buffer on a core, with a name of its own."""
        self._made += 1
        name = f"{stem}@{core}.{self._made}"
        self.buffers[name] = Buffer(name, length, bits, role, core, init)
        return View(name, 0, length)

    def _forget(self, buffer: str) -> None:
        """Copies of a buffer on other cores are stale once it is written again."""
        self._mail = {key: view for key, view in self._mail.items() if key[1].buffer != buffer}


def _bounds(rows: int, cores: int) -> list[int]:
    """Row ranges of the cores: whole groups, as equal as they can be."""
    groups = -(-rows // GROUP)
    return [min(rows, groups * core // cores * GROUP) for core in range(cores)] + [rows]
