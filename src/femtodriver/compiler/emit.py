"""FMIR -> FASMIR: every operation becomes instructions, every core's operations become threads.

A core's operations keep their order. Where one of them reads what a message brings, the code is cut: the rest is a
thread of its own whose dependency count is the number of messages, plus one for the thread before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from femtodriver.compiler.allocate import CoreMap, buffer_bytes
from femtodriver.compiler.fasmir import CoreCode, Fasmir, Line, Thread
from femtodriver.compiler.fmir import Fmir, Look, Mac, Op, Port, Post, Send, Vec, View
from femtodriver.isa import (
    SPECS,
    Clip,
    Control,
    Instruction,
    Lookup,
    Matrix,
    Operand,
    Transfer,
    Vector,
    accumulator,
    immediate,
    memory,
)

_CLIPS = {"none": Clip.NONE, "saturate": Clip.SATURATE, "low": Clip.LOW_BITS}
_MOST_ELEMENTS = 4096
_WIDTH_CODES = {4: 0, 8: 1, 16: 2}


def emit(fmir: Fmir, maps: Mapping[int, CoreMap]) -> Fasmir:
    """The program of a placed and allocated network."""
    emitter = _Emitter(fmir, maps)
    for number, op in enumerate(fmir.ops):
        emitter.add(number, op)
    return emitter.finish()


@dataclass
class _Segment:
    """A thread under construction."""

    name: str
    count: int
    lines: list[Line] = field(default_factory=list)


class _Emitter:
    def __init__(self, fmir: Fmir, maps: Mapping[int, CoreMap]) -> None:
        self.fmir = fmir
        self.maps = maps
        self.segments: dict[int, list[_Segment]] = {}
        self.receivers: dict[int, list[Thread]] = {core: [] for core in maps}
        # Messages that no thread of the core has waited for yet: buffer -> names of the receiving threads.
        self.expected: dict[int, dict[str, list[str]]] = {core: {} for core in maps}
        self.waiter: dict[str, str] = {}
        for core in maps:
            count = len(fmir.inputs) if core == 0 else 0
            self.segments[core] = [_Segment(f"core{core}.0", count)]

    def add(self, number: int, op: Op) -> None:
        """Emit one operation on its core."""
        self._wait_for(op)
        if isinstance(op, Send):
            self._send(number, op)
            return
        lower = Lowerer(self.fmir, self.maps[op.core])
        self._lines(op.core).extend(Line(instruction, op.layer) for instruction in lower.instructions(op))

    def finish(self) -> Fasmir:
        """Close the threads: hand over from each to the next, collect the other cores, send the outputs."""
        self._start_and_collect()
        entries = self._input_receivers()
        last = len(self.fmir.layers) - 1
        for port_number, port in enumerate(self.fmir.outputs):
            self._lines(0).append(Line(self._out(port_number, port), last))
        codes = []
        for core, segments in sorted(self.segments.items()):
            for before, after in pairwise(segments):
                before.lines.append(_signal(core, after.name))
                after.count += 1
            threads = [Thread(s.name, s.count, (*s.lines, _END)) for s in segments]
            receivers = [
                Thread(t.name, None, (*t.lines, _signal(core, self.waiter.get(t.name, segments[0].name)), _END))
                for t in self.receivers[core]
            ]
            codes.append(CoreCode(core, (*receivers, *threads)))
        fmir = self.fmir
        return Fasmir(fmir.name, tuple(codes), self.maps, fmir.inputs, fmir.outputs, entries, fmir.layers)

    def _lines(self, core: int) -> list[Line]:
        return self.segments[core][-1].lines

    def _wait_for(self, op: Op) -> None:
        expected = self.expected[op.core]
        names = [name for view in op.reads for name in expected.pop(view.buffer, ())]
        if not names:
            return
        segments = self.segments[op.core]
        if segments[-1].lines or (op.core == 0 and len(segments) == 1):
            segments.append(_Segment(f"core{op.core}.{len(segments)}", 0))
        segments[-1].count += len(names)
        self.waiter.update(dict.fromkeys(names, segments[-1].name))

    def _send(self, number: int, op: Send) -> None:
        target = self.fmir.buffers[op.dst.buffer]
        words = -(-op.a.length * target.bits // 64)
        receiver = f"core{target.core}.receive{number}"
        source = self.maps[op.core].address[op.a.buffer] + op.a.offset * target.bits // 8
        send = Transfer(SPECS["send"], source, words, target.core)
        self._lines(op.core).append(Line(send, op.layer, receiver))
        address = self.maps[target.core].address[op.dst.buffer] + op.dst.offset * target.bits // 8
        self.receivers[target.core].append(
            Thread(receiver, None, (Line(Transfer(SPECS["recv"], address, words), op.layer),))
        )
        self.expected[target.core].setdefault(op.dst.buffer, []).append(receiver)

    def _start_and_collect(self) -> None:
        """Cores whose first thread waits for nothing are started by core 0; the frame ends when all have ended."""
        others = [core for core in self.segments if core != 0]
        unread = [name for names in self.expected[0].values() for name in names]
        if not others:
            return
        for core in others:
            first = self.segments[core][0]
            if first.count == 0:
                first.count = 1
                self.segments[0][0].lines.insert(0, _signal(core, first.name))
        final = _Segment(f"core0.{len(self.segments[0])}", len(unread))
        self.segments[0].append(final)
        self.waiter.update(dict.fromkeys(unread, final.name))
        for core in others:
            self._lines(core).append(_signal(0, final.name))
            final.count += 1

    def _input_receivers(self) -> dict[str, str]:
        entries = {}
        for port in self.fmir.inputs:
            words = buffer_bytes(self.fmir.buffers[port.buffer]) // 8
            recv = Transfer(SPECS["recv"], self.maps[0].address[port.buffer], words)
            name = f"core0.input:{port.name}"
            self.receivers[0].append(Thread(name, None, (Line(recv, None),)))
            entries[port.name] = name
        return entries

    def _out(self, number: int, port: Port) -> Transfer:
        words = buffer_bytes(self.fmir.buffers[port.buffer]) // 8
        return Transfer(SPECS["out"], self.maps[0].address[port.buffer], words, target=number)


_END = Line(Control(SPECS["end"]))


def _signal(core: int, thread: str) -> Line:
    return Line(Control(SPECS["signal"], core=core), None, thread)


class Lowerer:
    """Instructions of one operation, with a core's places filled in."""

    def __init__(self, fmir: Fmir, places: CoreMap) -> None:
        self.fmir = fmir
        self.places = places

    def instructions(self, op: Vec | Look | Mac) -> list[Instruction]:
        """The operation's instructions in order."""
        if isinstance(op, Mac):
            return self._mac(op)
        chunks = range(0, op.dst.length, _MOST_ELEMENTS)
        pieces = [(first, min(first + _MOST_ELEMENTS, op.dst.length)) for first in chunks]
        if isinstance(op, Vec):
            return [self._vec(op, first, end) for first, end in pieces]
        return [self._look(op, first, end) for first, end in pieces]

    def _vec(self, op: Vec, first: int, end: int) -> Vector:
        full = op.op != "vmul"
        return self._vector(
            op.op,
            self._operand(op.dst.part(first, end), full=True),
            self._side(op.a, first, end, full),
            self._side(op.b, first, end, full),
            end - first,
            (op.shift_a, op.shift_b),
            op.post,
            (_repeats(op.a), _repeats(op.b)),
        )

    def _vector(
        self,
        name: str,
        dst: Operand,
        a: Operand,
        b: Operand,
        length: int,
        shifts: tuple[int, int],
        post: Post,
        spreads: tuple[int, int],
    ) -> Vector:
        return Vector(
            SPECS[name],
            dst,
            a,
            b,
            length,
            shifts[0],
            shifts[1],
            post.shift,
            int(post.rounded),
            int(_CLIPS[post.clip]),
            post.bits if post.clip != "none" else 32,
            spreads[0],
            spreads[1],
        )

    def _look(self, op: Look, first: int, end: int) -> Lookup:
        table = self.places.tables[op.table]
        return Lookup(
            SPECS["lut"],
            self._operand(op.dst.part(first, end), full=True),
            self._operand(op.a.part(first, end), full=True),
            end - first,
            op.shift_a,
            op.bits,
            table.row,
            table.bank,
            table.ways,
        )

    def _mac(self, op: Mac) -> list[Instruction]:
        row = self.places.mac_row
        acc, zero = accumulator(row), immediate(0)
        length = op.dst.length
        bias = self._side(op.bias, 0, length, True)
        start = self._vector("vpass", acc, bias, zero, length, (op.bias_shift, 0), Post(), (_repeats(op.bias), 0))
        products = [self._matrix(name, x, row) for name, x in op.parts]
        dst = self._operand(op.dst, full=True)
        return [start, *products, self._vector("vpass", dst, acc, zero, length, (0, 0), op.post, (0, 0))]

    def _matrix(self, name: str, x: View, row: int) -> Matrix:
        matrix = self.fmir.matrices[name]
        return Matrix(
            SPECS["mac"],
            self._operand(x, full=True),
            row,
            matrix.columns,
            matrix.rows,
            self.places.weights[name],
            _WIDTH_CODES[matrix.bits],
            int(matrix.masked),
            self.places.masks[name],
        )

    def _side(self, value: View | int, first: int, end: int, full: bool) -> Operand:
        return immediate(value) if isinstance(value, int) else self._operand(value.part(first, end), full)

    def _operand(self, view: View, full: bool) -> Operand:
        """``full``: read all 64 bits of an accumulator; else only the buffer's width (a narrower multiplication)."""
        buffer = self.fmir.buffers[view.buffer]
        row = self.places.acc_row.get(view.buffer)
        if row is not None:
            return accumulator(row + view.offset // 8, 64 if full else buffer.bits)
        return memory(self.places.address[view.buffer] + view.offset * buffer.bits // 8, buffer.bits)


def _repeats(value: View | int) -> int:
    return int(isinstance(value, View) and value.step == 0)
