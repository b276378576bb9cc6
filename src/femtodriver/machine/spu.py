"""The chip: cores, scoreboards, ready queues and the router, run event by event. It sees images and messages only.

Life cycle:
1. ``Spu(images, part, inst_counts)`` decodes the images.
2. ``post(core, pc, payload)`` hands the router a message from the host.
3. ``run()`` runs until every core is at rest; ``outputs`` has the messages to the host, in order of time.
4. ``begin_frame()`` sets all clocks to zero before the next frame's messages.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from femtodriver.errors import AssemblyError, MachineFault, ProgramError
from femtodriver.isa import ISA, Control, Element, Instruction, Lookup, Matrix, Transfer, Vector, cycles
from femtodriver.machine.control import ControlStep, ElementStep, TransferStep
from femtodriver.machine.core import Core, Message, Signal, Step
from femtodriver.machine.matrix import MatrixStep
from femtodriver.machine.memory import DataMemory, table_memory
from femtodriver.machine.vector import LookupStep, VectorStep
from femtodriver.part import Part

Words = npt.NDArray[np.uint64]
Images = Mapping[str, Sequence[Words]]
# A frame that runs longer than this hangs in a loop of the program.
MAX_STEPS = 20_000_000
_EMPTY = np.zeros(0, np.uint64)
_STEPS: dict[type[Instruction], type[Step]] = {
    Vector: VectorStep,
    Lookup: LookupStep,
    Matrix: MatrixStep,
    Transfer: TransferStep,
    Control: ControlStep,
    Element: ElementStep,
}


class Processor:
    """One core with its program, its scoreboard and the threads that are ready to run."""

    def __init__(self, index: int, images: Images, part: Part, count: int) -> None:
        self.core = Core(index, part, DataMemory(part, _image(images, "DM")), table_memory(part, _image(images, "TM")))
        self.initial_counts = [int(word) for word in _image(images, "SB")]
        self.thread_pcs = [int(word) for word in _image(images, "PB")]
        if len(_image(images, "RQ")):
            raise ProgramError(
                f"core {index}: the ready queue's image must be empty, not {len(_image(images, 'RQ'))} words."
            )
        if len(self.initial_counts) != len(self.thread_pcs) or len(self.thread_pcs) > part.threads:
            raise ProgramError(f"core {index}: SB and PB must have one word per thread, at most {part.threads}.")
        self.steps = _prepare(self.core, _image(images, "IM")[:count])
        self.reset()

    def reset(self) -> None:
        """Back to the images."""
        self.core.memory.reset()
        self.core.acc[:] = 0
        self.counts = list(self.initial_counts)
        self.begin_frame()

    def begin_frame(self) -> None:
        """All clocks to zero."""
        self.core.time = self.busy = 0
        self.waiting = {"message": 0, "dependency": 0, "idle": 0}
        self.queue: list[tuple[int, int, int, Message | None]] = []  # ready time, order, pc, message

    def enqueue(self, time: int, order: int, pc: int, message: Message | None) -> None:
        """A thread is ready from ``time`` on."""
        heapq.heappush(self.queue, (time, order, pc, message))

    def lower(self, thread: int, time: int, order: int) -> None:
        """Lower a dependency count; at zero the thread is ready and its count starts over."""
        if thread >= len(self.counts):
            raise MachineFault(f"core {self.core.index}: signal to thread {thread}, but there are {len(self.counts)}.")
        self.counts[thread] -= 1
        if self.counts[thread] == 0:
            self.counts[thread] = self.initial_counts[thread]
            self.enqueue(time, order, self.thread_pcs[thread], None)

    @property
    def next_start(self) -> int:
        """When the next thread can start; only meaningful with a thread in the queue."""
        return max(self.core.time, self.queue[0][0])

    def run_thread(self) -> None:
        """Run the first ready thread to its end."""
        core = self.core
        ready, _, pc, message = heapq.heappop(self.queue)
        if ready > core.time:
            self.waiting["dependency" if message is None else "message"] += ready - core.time
            core.time = ready
        core.pc, core.message, core.running = pc, message, True
        first = self._step(pc)
        first.add("thread_switch", 1)
        first.add("cycles", cycles.THREAD_SWITCH)
        start, core.time = core.time, core.time + cycles.THREAD_SWITCH
        for _ in range(MAX_STEPS):
            step = self._step(core.pc)
            core.pc = step.next_pc
            core.time += step.run(core)
            if not core.running:
                break
        else:
            raise MachineFault(f"core {core.index} pc {core.pc}: the thread from pc {pc} does not end.")
        self.busy += core.time - start

    def waiting_threads(self) -> list[str]:
        """Threads that have got some but not all of the signals that they wait for."""
        return [
            f"core {self.core.index} thread {thread} (pc {self.thread_pcs[thread]}) waits for {count} more of {whole}"
            for thread, (count, whole) in enumerate(zip(self.counts, self.initial_counts, strict=True))
            if count != whole
        ]

    def _step(self, pc: int) -> Step:
        step = self.steps.get(pc)
        if isinstance(step, Step):
            return step
        raise MachineFault(f"core {self.core.index} pc {pc}: {step or 'there is no instruction here'}.")


class Spu:
    """All cores and the router between them."""

    def __init__(self, images: Mapping[int, Images], part: Part, inst_counts: Mapping[int, int]) -> None:
        if max(images, default=0) >= part.cores:
            raise ProgramError(f"program: uses core {max(images)}, but part {part.name} has {part.cores} cores.")
        self.part = part
        self.processors = {index: Processor(index, images[index], part, inst_counts[index]) for index in sorted(images)}
        self.outputs: list[Message] = []
        self._order = 0

    def reset(self) -> None:
        """Every core back to its images."""
        self.outputs = []
        for processor in self.processors.values():
            processor.reset()

    def begin_frame(self) -> None:
        """All clocks to zero; what is in the memories stays."""
        self.outputs = []
        for processor in self.processors.values():
            processor.begin_frame()

    def post(self, core: int, pc: int, payload: Words, arrival: int = 0) -> None:
        """A message from the host reaches the router at ``arrival`` (cycles in this frame)."""
        self._deliver(Message(arrival, core, pc, payload, from_host=True))

    def run(self) -> int:
        """Run until every core is at rest; the time of that (cycles in this frame)."""
        while True:
            ready = [processor for processor in self.processors.values() if processor.queue]
            if not ready:
                break
            # The earliest start goes first: nothing that another core still does can arrive before it.
            processor = min(ready, key=lambda entry: (entry.next_start, entry.core.index))
            processor.run_thread()
            for sent in processor.core.sent:
                self._deliver(sent)
            processor.core.sent.clear()
            self.outputs += processor.core.outputs
            processor.core.outputs.clear()
        self.outputs.sort(key=lambda message: message.arrival)
        end = max((processor.core.time for processor in self.processors.values()), default=0)
        for processor in self.processors.values():
            processor.waiting["idle"] += end - processor.core.time
        return end

    def waiting_threads(self) -> list[str]:
        """One line per thread that waits for more signals."""
        return [line for processor in self.processors.values() for line in processor.waiting_threads()]

    def _deliver(self, sent: Message | Signal) -> None:
        if sent.core not in self.processors:
            raise MachineFault(f"message to core {sent.core}: that core has no program.")
        self._order += 1
        processor = self.processors[sent.core]
        if isinstance(sent, Signal):
            processor.lower(sent.thread, sent.arrival, self._order)
        else:
            processor.enqueue(sent.arrival, self._order, sent.target, sent)


def _image(images: Images, name: str) -> Words:
    groups = images.get(name, ())
    if len(groups) > 1:
        raise ProgramError(f"{name}: the open SPU has no bit groups, but the image has {len(groups)}.")
    return groups[0] if groups else _EMPTY


def _prepare(core: Core, words: Words) -> dict[int, Step | str]:
    """A step per address; text says why there is none. Matrices first: stores must know where the weights lie."""
    instructions, faults = _decode([int(word) for word in words])
    steps: dict[int, Step | str] = dict(faults)
    for pc, instruction in sorted(instructions.items(), key=lambda item: not isinstance(item[1], Matrix)):
        try:
            step = _STEPS[type(instruction)](core, pc, instruction)  # type: ignore[call-arg]
        except MachineFault as fault:
            steps[pc] = str(fault)
            continue
        if isinstance(step, MatrixStep):
            step.watch()
        steps[pc] = step
    return steps


def _decode(words: list[int]) -> tuple[dict[int, Instruction], dict[int, str]]:
    instructions: dict[int, Instruction] = {}
    faults: dict[int, str] = {}
    pc = 0
    while pc < len(words):
        try:
            instruction = ISA.decode(tuple(words[pc : pc + 2]))
        except (AssemblyError, KeyError) as error:
            faults[pc] = str(error)
            pc += 1
            continue
        instructions[pc] = instruction
        pc += instruction.words
    return instructions, faults
