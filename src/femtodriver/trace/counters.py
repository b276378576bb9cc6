"""What changes over a frame, as steps: power, traffic of the banks, threads that are ready, words in the router."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from femtodriver.isa import cycles
from femtodriver.machine.frame_record import FrameRecord, ThreadRun

Step = tuple[int, float]
"""A cycle, and the value from then on."""
SWITCH_EVENTS = {"thread_switch": 1, "cycles": cycles.THREAD_SWITCH}


def power_steps(
    record: FrameRecord, core: int, clock_hz: float, picojoules: Callable[[dict[str, int]], float]
) -> Iterator[Step]:
    """Microwatts of a core's work: the energy of what runs, over its time; 0 while the core waits."""
    spans = []
    for run in record.threads_of(core):
        spans.append((run.start, cycles.THREAD_SWITCH, picojoules(SWITCH_EVENTS)))
        spans += [(made.start, made.cycles, picojoules(dict(made.events))) for made in run.instructions]
    return _filled((start, taken, energy / taken * clock_hz * 1e-6) for start, taken, energy in spans)


def bank_steps(record: FrameRecord, core: int, bank: int) -> Iterator[Step]:
    """Accesses of one bank of data memory per cycle, as a mean over each instruction."""
    made = (one for run in record.threads_of(core) for one in run.instructions)
    return _filled((one.start, one.cycles, one.banks[bank] / one.cycles) for one in made)


def ready_steps(record: FrameRecord, core: int) -> Iterator[Step]:
    """Threads that are ready and have to wait for the core."""
    return _sums((run.ready, run.start, 1) for run in record.threads_of(core))


def router_steps(record: FrameRecord, core: int) -> Iterator[Step]:
    """Words of messages from cores that wait in the router for a core, with their headers."""

    def kept() -> Iterator[tuple[int, int, int]]:
        for run in record.threads_of(core):
            for sending in (record.sendings[number] for number in run.woken_by):
                if sending.thread is None and sending.sender is not None:
                    yield sending.start, _taken(run), sending.words

    return _sums(kept())


def used_banks(record: FrameRecord, core: int) -> list[int]:
    """The banks that a core reads or writes in a frame."""
    made = [one.banks for run in record.threads_of(core) for one in run.instructions]
    return [bank for bank, counts in enumerate(zip(*made, strict=True)) if any(counts)]


def _taken(run: ThreadRun) -> int:
    return run.end if run.taken is None else run.taken


def _filled(spans: Iterable[tuple[int, int, float]]) -> Iterator[Step]:
    """Values of spans (start, cycles, value) in order of time, 0 between them; only where the value changes."""
    last, end = 0.0, 0
    for start, taken, value in spans:
        if start > end and last:
            yield end, 0.0
            last = 0.0
        if value != last:
            yield start, value
        last, end = value, start + taken
    if last:
        yield end, 0.0


def _sums(spans: Iterable[tuple[int, int, int]]) -> Iterator[Step]:
    """How much there is at a time, of spans (from, to, how much); only where it changes."""
    changes = sorted(change for start, end, size in spans for change in ((start, size), (end, -size)))
    total = 0
    for cycle, group in groupby(changes, key=lambda change: change[0]):
        before, total = total, total + sum(size for _, size in group)
        if total != before:
            yield cycle, total
