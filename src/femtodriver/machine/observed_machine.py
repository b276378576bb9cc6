"""The machine under observation: the same run, with a record of what happened when.

Processors note each instruction, thread and message. A machine that nobody observes has none of this in its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.isa.limits import HEADER_WORDS
from femtodriver.machine.core import Message, Signal
from femtodriver.machine.executor import Executor
from femtodriver.machine.frame_record import ExecutedInstruction, FrameRecord, Sending, SentOutput, ThreadRun
from femtodriver.machine.machine import Machine
from femtodriver.machine.run_budget import RunBudget
from femtodriver.machine.spu import Images, Order, Processor, Spu
from femtodriver.part import Part


@dataclass
class FrameNotes:
    """What is noted while a frame runs. ``most``: for how many instructions there is room."""

    most: int
    count: int = 0
    threads: list[tuple[ThreadRun, list[ExecutedInstruction]]] = field(default_factory=list)
    sendings: dict[int, Sending] = field(default_factory=dict)
    full: bool = False

    def instruction(self, made: ExecutedInstruction) -> None:
        """Note an instruction of the thread that was started last."""
        if self.count >= self.most:
            self.full = True
            return
        self.count += 1
        self.threads[-1][1].append(made)

    def taken(self, cycle: int | None) -> None:
        """The thread that was started last has ended; when it had taken its message."""
        run, made = self.threads[-1]
        self.threads[-1] = replace(run, taken=cycle), made


class ObservedProcessor(Processor):
    """A processor that notes what it does in ``notes``, which its ``ObservedSpu`` gives it."""

    notes: FrameNotes

    def begin_frame(self) -> None:
        """See ``Processor.begin_frame``."""
        super().begin_frame()
        self.started: dict[int, int] = {}  # id of what was sent and not delivered yet -> when its instruction started
        self._lowered: dict[int, list[int]] = {}  # thread -> numbers of the signals since it became ready
        self._woken: dict[Order, tuple[int, tuple[int, ...]]] = {}

    def lower(self, thread: int, order: Order) -> None:
        """See ``Processor.lower``."""
        before = len(self.queue)
        super().lower(thread, order)
        self._lowered.setdefault(thread, []).append(order[2])
        if len(self.queue) > before:
            self._woken[order] = thread, tuple(self._lowered.pop(thread))

    def start_thread(self) -> Message | None:
        """See ``Processor.start_thread``."""
        order, pc, _ = self.queue[0]
        thread, numbers = self._woken.pop(order, (None, (order[2],)))
        if not self.notes.full:
            run = ThreadRun(self.core.index, thread, pc, self.core.time, order[0], numbers, None, ())
            self.notes.threads.append((run, []))
        return super().start_thread()

    def run_slice(self, most: int, most_elements: int) -> tuple[int, int]:
        """See ``Processor.run_slice``."""
        elements = 0
        for count in range(1, most + 1):
            elements += self._run_one(most_elements - elements)
            if elements > most_elements or not self.core.running:
                return count, elements
        return most, elements

    def _run_one(self, most_elements: int) -> int:
        """Run an instruction, and note it; its elements."""
        core, executor = self.core, self.executors[self.core.pc]
        start, sent, streamed = core.time, len(core.sent), core.streamed
        events, banks = executor.events(), _accesses(executor)
        _, elements = super().run_slice(1, most_elements)
        for entry in core.sent[sent:]:
            self.started[id(entry)] = start
        if self.notes.full:
            return elements
        added = {name: count - events.get(name, 0) for name, count in executor.events().items()}
        self.notes.instruction(
            ExecutedInstruction(
                executor.pc,
                start,
                core.time - start,
                executor.ahead if streamed else 0,
                {name: count for name, count in added.items() if count},
                tuple((np.zeros(core.part.dm_banks, np.int64) + _accesses(executor) - banks).tolist()),
            )
        )
        if not core.running:
            self.notes.taken(core.taken_at)
        return elements


def _accesses(executor: Executor) -> Int64Array | int:
    """Accesses of each bank so far, reads and writes."""
    reads, writes = executor.bank_traffic()
    return reads + writes


class ObservedSpu(Spu):
    """A chip whose processors note what they do; ``record`` has the last frame. ``room``: for how many instructions."""

    processor_type = ObservedProcessor

    def __init__(self, images: Mapping[int, Images], part: Part, inst_counts: Mapping[int, int]) -> None:
        self.room = self.elapsed = 0
        super().__init__(images, part, inst_counts)
        self._observed = {
            index: entry for index, entry in self.processors.items() if isinstance(entry, ObservedProcessor)
        }

    def begin_frame(self, *, check_state: bool = False) -> None:
        """See ``Spu.begin_frame``."""
        self.notes = FrameNotes(self.room)
        for processor in self._observed.values():
            processor.notes = self.notes
        super().begin_frame(check_state=check_state)

    def run(self, budget: RunBudget | None = None) -> int:
        """See ``Spu.run``."""
        self.elapsed = super().run(budget)
        return self.elapsed

    def record(self) -> FrameRecord:
        """The frame that has just run."""
        threads = [replace(run, instructions=tuple(made)) for run, made in self.notes.threads]
        outputs = [SentOutput(sent.core, sent.target, sent.arrival, sent.words) for sent in self.outputs]
        cores, complete = tuple(self.processors), not self.notes.full
        return FrameRecord(self.elapsed, cores, tuple(threads), self.notes.sendings, tuple(outputs), complete)

    def _deliver(self, sent: Message | Signal, sender: int | None) -> None:
        super()._deliver(sent, sender)
        if self.notes.full:
            return
        start = 0 if sender is None else self._observed[sender].started.pop(id(sent))
        words, thread = (sent.words, None) if isinstance(sent, Message) else (HEADER_WORDS, sent.thread)
        number = self._delivered
        self.notes.sendings[number] = Sending(number, sender, sent.core, start, sent.arrival, words, thread)


class ObservedMachine(Machine):
    """``Machine`` on NumPy, which defines what a program means and takes, with a record of the frames that it runs."""

    spu: ObservedSpu
    spu_type = ObservedSpu

    def step_observed(self, inputs: Mapping[str, Int64Array], room: int) -> tuple[dict[str, Int64Array], FrameRecord]:
        """``step``, and the record of the frame, of at most ``room`` instructions. Raises what ``step`` does."""
        self.spu.room = room
        outputs = self.step(inputs)
        return outputs, self.spu.record()
