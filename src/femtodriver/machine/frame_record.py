"""What happened in one frame, and when: threads, instructions and messages with their cycles, as plain frozen data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from femtodriver.isa import cycles


@dataclass(frozen=True)
class ExecutedInstruction:
    """One execution of the instruction at ``pc``.

    ``start``, ``cycles``: the cycles that are counted for it. ``ahead``: how many before ``start`` it began, because it
    followed a stream. ``events``: what it added to the counts of ``run_report.EVENTS``; only nonzero ones.
    ``banks``: its accesses of each bank of data memory, reads and writes.
    """

    pc: int
    start: int
    cycles: int
    ahead: int
    events: Mapping[str, int]
    banks: tuple[int, ...]

    @property
    def end(self) -> int:
        """The cycle in which the next one starts."""
        return self.start + self.cycles


@dataclass(frozen=True)
class ThreadRun:
    """One run of a thread, from taking it out of the ready queue to its end.

    ``thread``: its number in the scoreboard, None where a message woke it. ``pc``: where it started. ``free``: from
    when on the core had nothing else to do; ``ready``: when the thread became ready. ``woken_by``: the numbers of the
    ``Sending`` that made it so. ``taken``: when it had taken its message; None without one.
    """

    core: int
    thread: int | None
    pc: int
    free: int
    ready: int
    woken_by: tuple[int, ...]
    taken: int | None
    instructions: tuple[ExecutedInstruction, ...]

    @property
    def start(self) -> int:
        """When the core took it; the first instruction starts ``THREAD_SWITCH`` cycles later."""
        return max(self.free, self.ready)

    @property
    def end(self) -> int:
        """When the core was done with it."""
        return self.instructions[-1].end if self.instructions else self.start + cycles.THREAD_SWITCH


@dataclass(frozen=True)
class Sending:
    """A message or signal on its way: from core ``sender`` (None: the host) to ``core``.

    ``start``: when the instruction that sent it started. ``words``: with the header. ``thread``: whose count a signal
    lowers; None for a message.
    """

    number: int
    sender: int | None
    core: int
    start: int
    arrival: int
    words: int
    thread: int | None


@dataclass(frozen=True)
class SentOutput:
    """An output that was in the output buffer at ``arrival``. ``words``: with the header."""

    core: int
    mailbox: int
    arrival: int
    words: int


@dataclass(frozen=True)
class Wait:
    """Cycles in which a core waited; ``cause``: see ``run_report.CoreReport.waiting``."""

    start: int
    cycles: int
    cause: str


@dataclass(frozen=True)
class FrameRecord:
    """One frame. ``cores``: those that have a program. ``threads``: in the order in which they were started.

    ``complete``: False if the record ends before the frame does, because there was no room for more.
    """

    elapsed: int
    cores: tuple[int, ...]
    threads: tuple[ThreadRun, ...]
    sendings: Mapping[int, Sending]
    outputs: tuple[SentOutput, ...]
    complete: bool = True

    @property
    def instructions(self) -> int:
        """How many instructions are recorded."""
        return sum(len(run.instructions) for run in self.threads)

    def threads_of(self, core: int) -> tuple[ThreadRun, ...]:
        """The runs of threads on one core."""
        return tuple(run for run in self.threads if run.core == core)

    def waits(self, core: int) -> Iterator[Wait]:
        """When the core waited, and for what; what is not recorded is left out."""
        end = 0
        for run in self.threads_of(core):
            if run.ready > run.free:
                cause = "message" if run.thread is None else "dependency"
                yield Wait(run.free, run.ready - run.free, cause)
            end = run.end
        if self.complete and self.elapsed > end:
            yield Wait(end, self.elapsed - end, "idle")
