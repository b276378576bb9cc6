"""The machine under observation: the run is the same, and its record has every cycle and event of the counts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from femtodriver.isa import cycles
from femtodriver.machine.frame_record import FrameRecord, Wait
from femtodriver.machine.machine import Machine
from femtodriver.machine.observed_machine import ObservedMachine
from femtodriver.machine.run_report import RunReport
from tests.machine.machine_bench import SMALL
from tests.machine.test_machine import A, B, program

ROOM = 1000
FRAMES = [{"a": A, "b": B}, {"a": A // 3, "b": -B // 2}, {"a": A, "b": B}]


def observed() -> tuple[ObservedMachine, list[FrameRecord]]:
    made = ObservedMachine(program(), SMALL)
    return made, [made.step_observed(frame, ROOM)[1] for frame in FRAMES]


def events_of(record: FrameRecord, core: int) -> Counter[str]:
    """Everything that a core did, from the record alone."""
    found: Counter[str] = Counter()
    for run in record.threads_of(core):
        found.update({"thread_switch": 1, "cycles": cycles.THREAD_SWITCH})
        for made in run.instructions:
            found.update(made.events)
    for wait in record.waits(core):
        if wait.cause != "idle":
            found.update({f"wait_{wait.cause}": wait.cycles})
    return found


def counted(report: RunReport, core: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for events in report.cores[core].by_pc.values():
        found.update(events)
    return found


def test_an_observed_run_is_the_same_run() -> None:
    plain, watched = Machine(program(), SMALL), ObservedMachine(program(), SMALL)
    for frame in FRAMES:
        outputs, _ = watched.step_observed(frame, ROOM)
        for name, values in plain.step(frame).items():
            assert np.array_equal(outputs[name], values)
    assert watched.report() == plain.report()


def test_the_record_has_every_event_and_cycle_that_is_counted() -> None:
    made, records = observed()
    report = made.report()
    for core in (0, 1):
        found = sum((events_of(record, core) for record in records), Counter())
        assert found == counted(report, core)
        waits: Counter[str] = Counter()
        for record in records:
            for wait in record.waits(core):
                waits[wait.cause] += wait.cycles
        assert {cause: waits[cause] for cause in report.cores[core].waiting} == report.cores[core].waiting


def test_accesses_of_the_banks_are_those_that_are_counted() -> None:
    made, records = observed()
    for core, report in enumerate(made.report().cores):
        found = np.zeros(SMALL.dm_banks, int)
        for record in records:
            for run in record.threads_of(core):
                for one in run.instructions:
                    found += one.banks
        assert found.tolist() == [a + b for a, b in zip(report.bank_reads, report.bank_writes, strict=True)]


def test_times_by_hand() -> None:
    """See ``test_machine.test_frame_times_by_hand`` for how these figures come about."""
    record = observed()[1][0]
    assert record.complete
    first, second, both = record.threads_of(0)[:3]
    assert (first.start, first.end, second.start, second.end) == (0, 8, 8, 15)
    assert (both.ready, both.start, both.thread) == (14, 15, 0)
    assert [made.start for made in both.instructions] == [17, 21, 23, 27, 32, 36]
    assert [made.ahead for made in both.instructions] == [0, 2, 0, 0, 0, 0]
    woken = record.threads_of(1)[0]
    assert (woken.ready, woken.start, woken.taken, woken.thread) == (31, 31, 37, None)
    assert next(record.waits(1)) == Wait(0, 31, "message")


def test_messages_and_signals_lead_to_the_threads_that_they_wake() -> None:
    record = observed()[1][0]
    first, second, both, back = record.threads_of(0)
    sent = [record.sendings[number] for number in both.woken_by]
    assert [(one.sender, one.thread, one.start) for one in sent] == [(0, 0, 6), (0, 0, 13)]
    (message,) = (record.sendings[number] for number in record.threads_of(1)[0].woken_by)
    assert (message.sender, message.core, message.start, message.arrival, message.words) == (0, 1, 23, 31, 3)
    (answer,) = (record.sendings[number] for number in back.woken_by)
    assert (answer.sender, answer.core, answer.thread) == (1, 0, None)
    for run in (first, second):
        assert [record.sendings[number].sender for number in run.woken_by] == [None]
    assert [(output.mailbox, output.words) for output in record.outputs] == [(7, 3), (9, 3)]


@pytest.mark.parametrize("room", [0, 1, 7, 15])
def test_a_record_ends_where_there_is_no_room_for_more(room: int) -> None:
    made = ObservedMachine(program(), SMALL)
    outputs, record = made.step_observed(FRAMES[0], room)
    whole = observed()[1][0]
    assert not record.complete
    assert record.instructions == room < whole.instructions
    assert outputs["y"].tolist() == [-873, -1128, -1000]
    kept = [one for run in record.threads for one in run.instructions]
    assert kept == [one for run in whole.threads for one in run.instructions][:room]
    assert all(wait.cause != "idle" for core in (0, 1) for wait in record.waits(core))


def test_state_is_taken_from_another_machine() -> None:
    ahead, behind = Machine(program(), SMALL), ObservedMachine(program(), SMALL)
    ahead.step(FRAMES[0])
    ahead.spu.processors[0].core.set_base(3, -77)
    behind.take_state(ahead)
    assert behind.base_registers(0)[3] == -77
    outputs, record = behind.step_observed(FRAMES[1], ROOM)
    assert outputs["z"].tolist() == ahead.step(FRAMES[1])["z"].tolist()
    expected = observed()[1][1]
    assert [run.instructions for run in record.threads] == [run.instructions for run in expected.threads]
    assert record.elapsed == expected.elapsed
