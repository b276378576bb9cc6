"""FMIR -> FASMIR: every operation becomes lines of code, every core's code is cut into threads.

A core's operations keep their order. Where one of them reads what a message brings, the code is cut: the rest is a
thread of its own that waits for the messages and for the end of the thread before it. A message wakes a thread that
only takes it and sends a signal to the thread that waits. The frame begins with the messages that bring the inputs and
ends with the last thread of core 0, which waits for all other cores and sends the outputs.

Where the router could be filled, a core also cuts its code before a message, and waits until the one before it has been
taken: the thread that takes a message waits for nothing, so this ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.core_map import CoreMap, buffer_bytes
from femtodriver.compiler.backend.emit_lines import LineEmitter
from femtodriver.compiler.backend.symbolic_program import CodeLine, CoreCode, Fasmir, Label, ThreadCode
from femtodriver.compiler.fmir.ir import Fmir, Op, Send, View, reads, walk
from femtodriver.compiler.fmir.network_interface import Port
from femtodriver.isa import SPECS, ControlInstruction, TransferInstruction
from femtodriver.isa.limits import HEADER_WORDS, MAX_MESSAGE_WORDS, WORD_BITS

FIRST_CORE = 0
"""The core that takes the inputs, starts the others and sends the outputs."""
_END = CodeLine(ControlInstruction(SPECS["end"]))


def build_threads(
    fmir: Fmir, maps: Mapping[int, CoreMap], *, late_bias: bool = True, room: int | None = None
) -> Fasmir:
    """The program of a placed and allocated network; CapacityError for an input or output too long for a message.

    ``late_bias``: see ``InstructionSelector``. ``room``: words, at least 2, that one core may have sent to another
    before they are taken; None: as many as it likes.
    """
    cores = {core: _Core(fmir, places, late_bias, room) for core, places in maps.items()}
    for number, op in enumerate(fmir.ops):
        cores[op.core].wait_for_operands(op)
        if isinstance(op, Send):
            _send(fmir, cores, number, op)
        else:
            cores[op.core].append(op)
    first, others = cores[FIRST_CORE], [code for core, code in cores.items() if core != FIRST_CORE]
    if others:
        first.start(others)
        first.collect(others)
    entries = {port.name: first.receive_input(port) for port in fmir.inputs}
    for mailbox, port in enumerate(fmir.outputs):
        first.send_output(mailbox, port)
    codes = tuple(cores[core].finished() for core in sorted(cores))
    return Fasmir(fmir.name, codes, maps, fmir.inputs, fmir.outputs, entries, fmir.layers)


def _send(fmir: Fmir, cores: Mapping[int, _Core], number: int, op: Send) -> None:
    """A message, or several if it is too long: sends on the core of the operation, and threads that they wake."""
    source, target = cores[op.core], cores[fmir.buffers[op.dst.buffer].core]
    words = -(-op.a.length * fmir.buffers[op.dst.buffer].bits // WORD_BITS)
    for first in range(0, words, source.longest_message):
        name = f"receive{number}" + (f".{first}" if words > source.longest_message else "")
        count = min(words - first, source.longest_message)
        source.wait_for_room(target, HEADER_WORDS + count)
        receiver = target.receive(name, op.dst, range(first, first + count), op.layer)
        source.send(target.core, op, range(first, first + count), receiver)


@dataclass
class _Thread:
    """A thread under construction; ``signals``: how many it waits for."""

    name: str
    signals: int
    lines: list[CodeLine | Label] = field(default_factory=list)


class _Core:
    """The threads of one core under construction."""

    def __init__(self, fmir: Fmir, places: CoreMap, late_bias: bool, room: int | None) -> None:
        self.core = places.core
        self._fmir = fmir
        self._places = places
        self._emitter = LineEmitter(fmir, places, late_bias=late_bias)
        inputs = len(fmir.inputs) if self.core == FIRST_CORE else 0
        self._threads = [_Thread(self._name(0), inputs)]
        self._receivers: list[ThreadCode] = []
        self._expected: dict[str, list[str]] = {}  # buffer -> receivers of messages that nothing has waited for yet
        self._waiting: dict[str, str] = {}  # receiver -> the thread that waits for its message
        self._room = room
        self._untaken: dict[int, int] = {}  # core -> words sent to it that nothing here has waited for
        self._last_receiver: dict[int, str] = {}  # core -> what takes the last message sent to it
        self._answers: dict[str, CodeLine] = {}  # receiver -> the signal to the sender that its message is taken

    @property
    def lines(self) -> list[CodeLine | Label]:
        """The code of the thread that is being made."""
        return self._threads[-1].lines

    def address(self, view: View) -> int:
        """Where a view of a buffer in memory begins."""
        return self._places.address[view.buffer] + view.offset * self._fmir.buffers[view.buffer].bits // 8

    def wait_for_operands(self, op: Op) -> None:
        """Cut the code where the operation reads what messages bring that nothing has waited for yet."""
        views = (view for entry in walk((op,)) for view in reads(entry))
        receivers = [name for view in views for name in self._expected.pop(view.buffer, ())]
        if receivers:
            # The first thread of the first core waits for the inputs and starts other cores: it must not wait for them.
            if self.lines or (self.core == FIRST_CORE and len(self._threads) == 1):
                self._cut()
            self._wait_for(receivers)

    def append(self, op: Op) -> None:
        """The code of an operation."""
        self.lines.extend(self._emitter.lines(op))

    @property
    def longest_message(self) -> int:
        """Payload words that a message to another core can have."""
        return MAX_MESSAGE_WORDS if self._room is None else min(MAX_MESSAGE_WORDS, self._room - HEADER_WORDS)

    def wait_for_room(self, target: _Core, words: int) -> None:
        """Cut the code where so many more words than the target has taken would be too many."""
        untaken = self._untaken.get(target.core, 0)
        if self._room is not None and untaken + words > self._room:
            self._cut()
            self._threads[-1].signals += 1
            target._answers[self._last_receiver[target.core]] = _signal(self.core, self._threads[-1].name)
            untaken = 0
        self._untaken[target.core] = untaken + words

    def send(self, core: int, op: Send, words: range, receiver: str) -> None:
        """Send these words of the operation's source."""
        address = self.address(op.a) + WORD_BITS // 8 * words.start
        send = TransferInstruction(SPECS["send"], address, len(words), core)
        self.lines.append(CodeLine(send, op.layer, receiver))
        self._last_receiver[core] = receiver

    def receive(self, name: str, target: View, words: range, layer: int | None) -> str:
        """A thread that takes a message, which is these words of what is sent to the target; its name."""
        name = f"core{self.core}.{name}"
        take = TransferInstruction(SPECS["recv"], self.address(target) + WORD_BITS // 8 * words.start, len(words))
        self._receivers.append(ThreadCode(name, None, (CodeLine(take, layer),)))
        self._expected.setdefault(target.buffer, []).append(name)
        return name

    def receive_input(self, port: Port) -> str:
        """A thread that takes an input; its name."""
        name = f"core{self.core}.input:{port.name}"
        take = TransferInstruction(SPECS["recv"], self._places.address[port.buffer], self._words("input", port))
        self._receivers.append(ThreadCode(name, None, (CodeLine(take),)))
        return name

    def send_output(self, mailbox: int, port: Port) -> None:
        """The output leaves from the thread that is being made."""
        address, words = self._places.address[port.buffer], self._words("output", port)
        out = TransferInstruction(SPECS["out"], address, words, target=mailbox)
        self.lines.append(CodeLine(out, len(self._fmir.layers) - 1))

    def start(self, others: Iterable[_Core]) -> None:
        """The first thread starts those cores whose first thread would wait for nothing."""
        for other in others:
            first = other._threads[0]
            if not first.signals:
                first.signals = 1
                self._threads[0].lines.insert(0, _signal(other.core, first.name))

    def collect(self, others: Iterable[_Core]) -> None:
        """One more thread, which waits for the ends of the other cores and for messages that nothing has read."""
        self._cut()
        self._wait_for([name for names in self._expected.values() for name in names])
        for other in others:
            other.lines.append(_signal(self.core, self._threads[-1].name))
            self._threads[-1].signals += 1

    def finished(self) -> CoreCode:
        """All threads, closed: each hands over to the next one, receivers to the thread that waits for them."""
        for before, after in pairwise(self._threads):
            before.lines.append(_signal(self.core, after.name))
            after.signals += 1
        first = self._threads[0].name
        receivers = [
            ThreadCode(
                receiver.name,
                None,
                (
                    *receiver.lines,
                    _signal(self.core, self._waiting.get(receiver.name, first)),
                    *([self._answers[receiver.name]] if receiver.name in self._answers else ()),
                    _END,
                ),
            )
            for receiver in self._receivers
        ]
        threads = [ThreadCode(thread.name, thread.signals, (*thread.lines, _END)) for thread in self._threads]
        return CoreCode(self.core, (*receivers, *threads))

    def _cut(self) -> None:
        self._threads.append(_Thread(self._name(len(self._threads)), 0))

    def _wait_for(self, receivers: list[str]) -> None:
        """The thread that is being made waits for these messages."""
        self._threads[-1].signals += len(receivers)
        self._waiting.update(dict.fromkeys(receivers, self._threads[-1].name))

    def _name(self, number: int) -> str:
        return f"core{self.core}.{number}"

    def _words(self, what: str, port: Port) -> int:
        words = buffer_bytes(self._fmir.buffers[port.buffer]) * 8 // WORD_BITS
        if words > MAX_MESSAGE_WORDS:
            raise capacity_errors.message(f"{what} {port.name!r}", words, MAX_MESSAGE_WORDS)
        return words


def _signal(core: int, thread: str) -> CodeLine:
    return CodeLine(ControlInstruction(SPECS["signal"], core=core), None, thread)
