"""The chip: cores, scoreboards, ready queues and the router, run event by event. It sees images and messages only.

Life cycle:
1. ``Spu(images, part, inst_counts)`` decodes the images.
2. ``post(core, pc, payload)`` hands the router a message from the host.
3. ``run()`` runs until every core is at rest; ``outputs`` has the messages to the host, in order of time.
4. ``begin_frame()`` sets all clocks to zero before the next frame's messages; accumulators and base registers are
   undefined then, and ``begin_frame(check_state=True)`` overwrites them.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from femtodriver.arrays import Words
from femtodriver.errors import MachineFault, ProgramError
from femtodriver.isa import cycles
from femtodriver.isa.limits import MAX_COUNT, MAX_PC
from femtodriver.machine.core import Core, Message, Signal
from femtodriver.machine.decode_rows import decode_rows
from femtodriver.machine.executors import Executors
from femtodriver.machine.memory import DataMemory, table_memory
from femtodriver.machine.router import Router
from femtodriver.machine.run_budget import RunBudget
from femtodriver.machine.run_report import WAITING
from femtodriver.part import Part

Images = Mapping[str, Sequence[Words]]
_EMPTY = np.zeros(0, np.uint64)

Order = tuple[int, int, int]
"""When something reaches a core: time, port (see ``_port``), and its number among all."""


class Processor:
    """One core with its program, its scoreboard and the threads that are ready to run."""

    def __init__(self, index: int, images: Images, part: Part, count: int) -> None:
        _check_images(index, images, part, count)
        self.core = Core(index, part, DataMemory(part, _image(images, "DM")), table_memory(part, _image(images, "TM")))
        self.initial_counts = [int(word) for word in _image(images, "SB")]
        self.thread_pcs = [int(word) for word in _image(images, "PB")]
        self.rows = decode_rows(_image(images, "IM")[:count].tolist(), part, self.core.tables)
        self.executors = Executors(self.core, self.rows)
        self.reset()

    def reset(self) -> None:
        """Back to the images."""
        self.core.reset()
        self.counts = list(self.initial_counts)
        self.begin_frame()

    def begin_frame(self) -> None:
        """All clocks to zero."""
        self.core.time = 0
        self.waiting = dict.fromkeys(WAITING, 0)
        self.queue: list[tuple[Order, int, Message | None]] = []  # when it became ready, pc, message

    def enqueue(self, order: Order, pc: int, message: Message | None) -> None:
        """A thread is ready from the time of ``order`` on."""
        heapq.heappush(self.queue, (order, pc, message))

    def lower(self, thread: int, order: Order) -> None:
        """Lower a dependency count; at zero the thread is ready and its count starts over."""
        if thread >= len(self.counts):
            raise MachineFault(
                f"signal: the thread must be one of core {self.core.index}'s {len(self.counts)}, not {thread}."
            )
        self.counts[thread] -= 1
        if self.counts[thread] == 0:
            self.counts[thread] = self.initial_counts[thread]
            self.enqueue(order, self.thread_pcs[thread], None)

    @property
    def next_start(self) -> int:
        """When the next thread can start; only meaningful with a thread in the queue."""
        return max(self.core.time, self.queue[0][0][0])

    def start_thread(self) -> Message | None:
        """Take the first ready thread from the queue; the message that woke it."""
        core = self.core
        (ready, *_), pc, message = heapq.heappop(self.queue)
        first = self.executors[pc]
        if ready > core.time:
            cause = "dependency" if message is None else "message"
            self.waiting[cause] += ready - core.time
            first.add(f"wait_{cause}", ready - core.time)
            core.time = ready
        core.pc, core.message, core.taken_at = pc, message, None
        core.running, core.streamed = True, False
        first.add("thread_switch", 1)
        first.add("cycles", cycles.THREAD_SWITCH)
        core.time += cycles.THREAD_SWITCH
        return message

    def run_slice(self, most: int, most_elements: int) -> tuple[int, int]:
        """Run the thread on, to its end or for that much work; the instructions and elements that it took."""
        core, executors = self.core, self.executors
        pc, elements = core.pc, 0
        try:
            for count in range(1, most + 1):
                pc = core.pc
                executor = executors[pc]
                core.pc = executor.next_pc
                core.time += executor.run(core)
                if core.streamed and executor.ahead:
                    core.time -= executor.start_ahead()
                core.streamed = executor.streams
                elements += executor.elements
                if elements > most_elements or not core.running:
                    return count, elements
        except MachineFault as fault:
            raise MachineFault(f"core {core.index} pc {pc}: {fault}") from None
        return most, elements

    def waiting_threads(self) -> list[str]:
        """Threads that have got some but not all of the signals that they wait for."""
        return [
            f"core {self.core.index} thread {thread} (pc {self.thread_pcs[thread]}) waits for {count} more of {whole}"
            for thread, (count, whole) in enumerate(zip(self.counts, self.initial_counts, strict=True))
            if count != whole
        ]


class Spu:
    """All cores and the router between them.

    ``inst_counts``: instruction words per core; ProgramError for images that do not fit the part. After a
    MachineFault the state is undefined until ``reset``.
    """

    processor_type: type[Processor] = Processor

    def __init__(self, images: Mapping[int, Images], part: Part, inst_counts: Mapping[int, int]) -> None:
        last = max((*images, *inst_counts), default=0)
        if last >= part.cores:
            raise ProgramError(
                f"program: must use the {part.cores} cores of part {part.name} at most, not core {last}."
            )
        self.part = part
        self.processors = {
            index: self.processor_type(index, images.get(index, {}), part, inst_counts.get(index, 0))
            for index in sorted({*images, *inst_counts})
        }
        self.outputs: list[Message] = []
        self.router = Router(part.router_words)
        self._signals: list[tuple[Order, Signal]] = []  # under way; the counts fall in order of time
        self._delivered = 0

    def reset(self) -> None:
        """Every core back to its images."""
        self.outputs = []
        self.router.clear()
        self._signals.clear()
        for processor in self.processors.values():
            processor.reset()

    def begin_frame(self, *, check_state: bool = False) -> None:
        """All clocks to zero; what is in data memory stays.

        Accumulators and base registers are undefined at the start of a frame. ``check_state``: fill them with numbers
        that no program means, so that a program that relies on them gives wrong results.
        """
        self.outputs = []
        self.router.clear()
        for processor in self.processors.values():
            processor.begin_frame()
            if check_state:
                processor.core.poison()

    def post(self, core: int, pc: int, payload: Words, arrival: int = 0) -> None:
        """A message from the host reaches the router at ``arrival`` (cycles in this frame)."""
        self._deliver(Message(arrival, core, pc, payload, from_host=True), None)

    def run(self, budget: RunBudget | None = None) -> int:
        """Run until every core is at rest; the time of that (cycles in this frame).

        MachineFault when the program breaks a rule, or the budget is used up (without one: ``RunLimits()``).
        """
        budget = budget or RunBudget()
        while processor := self._next():
            message = processor.start_thread()
            while processor.core.running:
                self._run_slice(processor, budget)
            if message and not message.from_host:
                taken = processor.core.taken_at
                self.router.keep(message, processor.core.time if taken is None else taken)
            for sent in processor.core.sent:
                self._deliver(sent, processor.core.index)
            processor.core.sent.clear()
            self.outputs += processor.core.outputs
            processor.core.outputs.clear()
        self.router.check()
        self.outputs.sort(key=lambda message: message.arrival)
        end = max((processor.core.time for processor in self.processors.values()), default=0)
        for processor in self.processors.values():
            processor.waiting["idle"] += end - processor.core.time
        return end

    def waiting_threads(self) -> list[str]:
        """One line per thread that waits for more signals."""
        return [line for processor in self.processors.values() for line in processor.waiting_threads()]

    def check_target(self, core: int) -> None:
        """MachineFault unless it is a core that can take a message."""
        if core not in self.processors:
            cores = ", ".join(str(index) for index in self.processors)
            raise MachineFault(f"message: the target core must be one with a program ({cores}), not {core}.")

    def _run_slice(self, processor: Processor, budget: RunBudget) -> None:
        core = processor.core
        with _faults_of(core):
            most, most_elements = budget.next_slice()
        sent, outputs = len(core.sent), len(core.outputs)
        taken, elements = processor.run_slice(most, most_elements)
        new = [*core.sent[sent:], *core.outputs[outputs:]]
        with _faults_of(core):
            budget.spend(
                taken, elements, len(new), sum(len(entry.payload) for entry in new if isinstance(entry, Message))
            )

    def _next(self) -> Processor | None:
        """The core whose next thread starts first, when all signals up to then have arrived; None: all are at rest.

        Nothing that another core still does can arrive before that start.
        """
        while True:
            ready = [processor for processor in self.processors.values() if processor.queue]
            first = min(ready, key=lambda entry: (entry.next_start, entry.core.index), default=None)
            if not self._signals or (first and first.next_start < self._signals[0][0][0]):
                return first
            order, signal = heapq.heappop(self._signals)
            self.processors[signal.core].lower(signal.thread, order)

    def _deliver(self, sent: Message | Signal, sender: int | None) -> None:
        """Take what a core has sent, or the host (None)."""
        self.check_target(sent.core)
        self._delivered += 1
        order = (sent.arrival, _port(sent.core, sender), self._delivered)
        if isinstance(sent, Signal):
            heapq.heappush(self._signals, (order, sent))
        else:
            self.processors[sent.core].enqueue(order, sent.target, sent)


def _port(core: int, sender: int | None) -> int:
    """Ports of a core, in the order in which it serves what comes in one cycle: the host, itself, cores by number."""
    if sender is None:
        return 0
    return 1 if sender == core else 2 + sender


@contextlib.contextmanager
def _faults_of(core: Core) -> Iterator[None]:
    """Faults that no instruction raises name the core, and the instruction that would be next."""
    try:
        yield
    except MachineFault as fault:
        raise MachineFault(f"core {core.index} pc {core.pc}: {fault}") from None


def _image(images: Images, name: str) -> Words:
    groups = images.get(name, ())
    if len(groups) > 1:
        raise ProgramError(f"{name}: the open SPU has no bit groups, but the image has {len(groups)}.")
    return groups[0] if groups else _EMPTY


def _check_images(index: int, images: Images, part: Part, count: int) -> None:
    counts, pcs, code = (_image(images, name) for name in ("SB", "PB", "IM"))
    if len(_image(images, "RQ")):
        raise ProgramError(
            f"core {index}: the ready queue's image must be empty, not {len(_image(images, 'RQ'))} words."
        )
    if len(counts) != len(pcs) or len(pcs) > part.threads:
        raise ProgramError(f"core {index}: SB and PB must have one word per thread, at most {part.threads}.")
    if any(not 1 <= count <= MAX_COUNT for count in counts.tolist()) or any(pc > MAX_PC for pc in pcs.tolist()):
        raise ProgramError(f"core {index}: a dependency count must be 1 to {MAX_COUNT}, a PC 0 to {MAX_PC}.")
    if not count <= min(len(code), part.im_words):
        raise ProgramError(
            f"core {index}: the instruction count must be at most {min(len(code), part.im_words)} "
            f"(image and instruction memory of {part.name}), not {count}."
        )
