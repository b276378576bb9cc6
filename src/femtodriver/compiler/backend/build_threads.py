"""FMIR -> FASMIR: every operation becomes instructions, every core's operations become threads.

A core's operations keep their order. Where one of them reads what a message brings, the code is cut: the rest is a
thread of its own whose dependency count is the number of messages, plus one for the thread before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.core_map import CoreMap, buffer_bytes
from femtodriver.compiler.backend.select_instructions import Coder
from femtodriver.compiler.backend.symbolic_program import CoreCode, Fasmir, Label, Line, Thread
from femtodriver.compiler.fmir.ir import Fmir, Op, Port, Send, reads, walk
from femtodriver.isa import SPECS, ControlInstruction, TransferInstruction
from femtodriver.isa.limits import MAX_MESSAGE_WORDS, WORD_BITS


def build_threads(fmir: Fmir, maps: Mapping[int, CoreMap]) -> Fasmir:
    """The program of a placed and allocated network."""
    builder = _ThreadBuilder(fmir, maps)
    for number, op in enumerate(fmir.ops):
        builder.add(number, op)
    return builder.finish()


@dataclass
class _Segment:
    """A thread under construction."""

    name: str
    count: int
    lines: list[Line | Label] = field(default_factory=list)


class _ThreadBuilder:
    def __init__(self, fmir: Fmir, maps: Mapping[int, CoreMap]) -> None:
        self.fmir = fmir
        self.maps = maps
        self.code = {core: Coder(fmir, places) for core, places in maps.items()}
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
        self._lines(op.core).extend(self.code[op.core].lines(op))

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

    def _lines(self, core: int) -> list[Line | Label]:
        return self.segments[core][-1].lines

    def _wait_for(self, op: Op) -> None:
        expected = self.expected[op.core]
        views = [view for entry in walk((op,)) for view in reads(entry)]
        names = [name for view in views for name in expected.pop(view.buffer, ())]
        if not names:
            return
        segments = self.segments[op.core]
        if segments[-1].lines or (op.core == 0 and len(segments) == 1):
            segments.append(_Segment(f"core{op.core}.{len(segments)}", 0))
        segments[-1].count += len(names)
        self.waiter.update(dict.fromkeys(names, segments[-1].name))

    def _send(self, number: int, op: Send) -> None:
        target = self.fmir.buffers[op.dst.buffer]
        words = -(-op.a.length * target.bits // WORD_BITS)
        receiver = f"core{target.core}.receive{number}"
        source = self.maps[op.core].address[op.a.buffer] + op.a.offset * target.bits // 8
        send = TransferInstruction(SPECS["send"], source, words, target.core)
        self._lines(op.core).append(Line(send, op.layer, receiver))
        address = self.maps[target.core].address[op.dst.buffer] + op.dst.offset * target.bits // 8
        self.receivers[target.core].append(
            Thread(receiver, None, (Line(TransferInstruction(SPECS["recv"], address, words), op.layer),))
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
            words = self._message_words(f"input {port.name!r}", port)
            recv = TransferInstruction(SPECS["recv"], self.maps[0].address[port.buffer], words)
            name = f"core0.input:{port.name}"
            self.receivers[0].append(Thread(name, None, (Line(recv, None),)))
            entries[port.name] = name
        return entries

    def _out(self, number: int, port: Port) -> TransferInstruction:
        words = self._message_words(f"output {port.name!r}", port)
        return TransferInstruction(SPECS["out"], self.maps[0].address[port.buffer], words, target=number)

    def _message_words(self, what: str, port: Port) -> int:
        words = buffer_bytes(self.fmir.buffers[port.buffer]) // 8
        if words > MAX_MESSAGE_WORDS:
            raise capacity_errors.message(what, words, MAX_MESSAGE_WORDS)
        return words


_END = Line(ControlInstruction(SPECS["end"]))


def _signal(core: int, thread: str) -> Line:
    return Line(ControlInstruction(SPECS["signal"], core=core), None, thread)
