"""Counters of a frame that is written by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from femtodriver.machine.frame_record import ExecutedInstruction, FrameRecord, Sending, ThreadRun
from femtodriver.trace.counters import bank_steps, power_steps, ready_steps, router_steps, used_banks


def made(start: int, cycles: int, banks: tuple[int, ...] = (0, 0, 0), alu: int = 0) -> ExecutedInstruction:
    return ExecutedInstruction(0, start, cycles, 0, {"alu": alu}, banks)


def run(
    free: int, ready: int, instructions: tuple[ExecutedInstruction, ...], woken_by: int = 0, taken: int | None = None
) -> ThreadRun:
    return ThreadRun(0, None, 0, free, ready, (woken_by,), taken, instructions)


FIRST = run(0, 0, (made(2, 4, (2, 0, 0), 8), made(6, 2, (2, 0, 4), 4), made(8, 1)))
SECOND = run(9, 3, (made(11, 2, (1, 0, 0), 4),), woken_by=1, taken=12)
THIRD = run(13, 20, (made(22, 5, (0, 0, 5), 10),), woken_by=2)
RECORD = FrameRecord(
    27,
    (0, 1),
    (FIRST, SECOND, THIRD),
    {
        0: Sending(0, None, 0, 0, 0, 9, None),
        1: Sending(1, 1, 0, 1, 3, 5, None),
        2: Sending(2, 1, 0, 10, 20, 1, 4),
    },
    (),
)


def picojoules(events: Mapping[str, int]) -> float:
    """3 for a start of a thread, 1 for each element."""
    return 3.0 * events.get("thread_switch", 0) + events.get("alu", 0)


def test_power_is_the_energy_over_the_cycles_and_nothing_while_waiting() -> None:
    # At 1 MHz a picojoule in a cycle is a microwatt.
    steps = list(power_steps(RECORD, 0, 1e6, picojoules))
    assert steps == [
        *((0, 1.5), (2, 2.0), (8, 0.0), (9, 1.5), (11, 2.0), (13, 0.0), (20, 1.5), (22, 2.0), (27, 0.0)),
    ]
    assert list(power_steps(RECORD, 1, 1e6, picojoules)) == []


def test_traffic_of_a_bank() -> None:
    assert list(bank_steps(RECORD, 0, 0)) == [(2, 0.5), (6, 1.0), (8, 0.0), (11, 0.5), (13, 0.0)]
    assert list(bank_steps(RECORD, 0, 1)) == []
    assert list(bank_steps(RECORD, 0, 2)) == [(6, 2.0), (8, 0.0), (22, 1.0), (27, 0.0)]
    assert used_banks(RECORD, 0) == [0, 2]
    assert used_banks(RECORD, 1) == []


def test_threads_that_are_ready_wait_for_the_core() -> None:
    assert list(ready_steps(RECORD, 0)) == [(3, 1), (9, 0)]


@pytest.mark.parametrize(("taken", "end"), [(12, 12), (None, 13)])
def test_words_in_the_router_are_those_of_messages_from_cores(taken: int | None, end: int) -> None:
    """Inputs wait in the buffer of the host, and signals need no room."""
    second = run(9, 3, SECOND.instructions, woken_by=1, taken=taken)
    record = FrameRecord(27, (0,), (FIRST, second, THIRD), RECORD.sendings, ())
    assert list(router_steps(record, 0)) == [(1, 5), (end, 0)]
