"""Whole programs: named arrays in and out, frames, reset, deadlock, report."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import InputError, MachineFault, ProgramError
from femtodriver.machine.machine import Machine
from femtodriver.machine.run_report import EVENTS, FrameCycles
from tests.machine.machine_bench import SMALL, Source, assemble, images

# Two inputs of 5 and 3 elements, summed up over frames on core 0, doubled on core 1, two outputs.
CORE0 = """
in_a:
recv address=0 length=2
signal thread=0
end
in_b:
recv address=16 length=1
signal thread=0
end
both:
vadd a0, a0, [0]:i16 length=5
vpass [0x20]:i16, a0, #0 length=5 clip=1 bits=16
send address=0x20 length=2 core=1 target=0
vadd [0x30]:i32, [0x10]:i8, #-1000 length=3
out address=0x30 length=2 target=7
end
back:
recv address=0x40 length=2
out address=0x40 length=2 target=9
idle:
end
"""
CORE1 = """
recv address=0 length=2
vadd [0]:i16, [0]:i16, [0]:i16 length=8
send address=0 length=2 core=0 target={back}
end
"""


@dataclass
class Program:
    metadata: dict[str, Any]
    mems_per_core: dict[int, Any]


def program(core0: str = CORE0, threads: Sequence[tuple[int, str]] = ((2, "both"),)) -> Program:
    labels = assemble(core0)[1]
    cores = [Source(core0, threads=threads), Source(CORE1.format(back=labels["back"]))]
    mems = {core: images(source) for core, source in enumerate(cores)}
    metadata: dict[str, Any] = {
        "data_bank_sizes": {0: {}, 1: {}},
        "table_bank_sizes": {0: {}, 1: {}},
        "inst_counts": {core: len(memories["IM"][0]) for core, memories in mems.items()},
        "inputs": {
            "a": {"core": 0, "pc_val": labels["in_a"], "len_64b_words": 2, "dtype": "V_D", "precision": "DBL"},
            "b": {"core": 0, "pc_val": labels["in_b"], "len_64b_words": 1, "dtype": "V_S", "precision": "STD"},
        },
        "outputs": {
            "y": {"core": 0, "mailbox_id": 7, "len_64b_words": 2, "dtype": "V_Q", "precision": "QUAD"},
            "z": {"core": 0, "mailbox_id": 9, "len_64b_words": 2, "dtype": "V_D", "precision": "DBL"},
        },
        "fqir_input_padding": {"a": {"fqir": 5, "fasmir": 8}, "b": {"fqir": 3, "fasmir": 8}},
        "fqir_output_padding": {"y": {"fqir": 3, "fasmir": 4}, "z": {"fqir": 5, "fasmir": 8}},
    }
    return Program(metadata, mems)


A, B = np.array([1, -2, 3, 4, 30000]), np.array([127, -128, 0])


def machine() -> Machine:
    return Machine(program(), SMALL)


def test_named_arrays_in_and_out_and_state_over_frames() -> None:
    made = machine()
    out = made.step({"a": A, "b": B})
    assert list(out) == ["y", "z"]
    assert out["y"].tolist() == [-873, -1128, -1000]
    assert out["z"].tolist() == [2, -4, 6, 8, -5536]  # 60000 wraps in 16 bits
    assert {array.dtype for array in out.values()} == {np.dtype(np.int64)}
    out = made.step({"b": B, "a": A})
    assert out["z"].tolist() == [4, -8, 12, 16, -2]  # 60000 was clipped to 32767 before


def test_reset_brings_back_the_first_frame_with_all_its_counts() -> None:
    made = machine()
    first = made.step({"a": A, "b": B})
    report = made.report()
    made.step({"a": A, "b": B})
    made.reset()
    assert made.report().frame_cycles == FrameCycles()
    assert made.report().cores[0].by_pc == {}
    again = made.step({"a": A, "b": B})
    assert {name: value.tolist() for name, value in again.items()} == {k: v.tolist() for k, v in first.items()}
    assert made.report() == report


def test_two_machines_do_the_same() -> None:
    reports = []
    for _ in range(2):
        made = machine()
        for frame in range(5):
            made.step({"a": A * frame // 5, "b": B})
        reports.append(made.report())
    assert reports[0] == reports[1]


def test_nothing_that_the_caller_owns_is_changed() -> None:
    given = program()
    before = copy.deepcopy(given)
    a, b = A.copy(), B.copy()
    made = Machine(given, SMALL)
    made.step({"a": a, "b": b})["y"][:] = 99
    made.step({"a": a, "b": b})
    assert given.metadata == before.metadata
    for core, memories in given.mems_per_core.items():
        for name, groups in memories.items():
            assert groups[0].tolist() == before.mems_per_core[core][name][0].tolist()
    assert (a == A).all()
    assert (b == B).all()


def test_frame_times_by_hand() -> None:
    made = machine()
    made.step({"a": A, "b": B})
    report = made.report()
    # Core 0: a comes at 0: 2 + (2 + 2) + 1 + 1 = 8. b was there at 3: 8 + 2 + (2 + 1) + 1 + 1 = 15.
    # both: 15 + 2, vadd 3 + 1 = 21, vpass 25 - 2 ahead, send 27 (there at 31), vadd 3 + 2 = 32 (bank 0 reads one word
    # and writes one), out 36, end 37.
    # Core 1: 31 + 2 + 4, vadd 3 + 3 + 1 = 44 (a bank reads two words before the first row can go on, and writes one),
    # send 48 (there at 52), end 49. back: 52 + 2 + 4 + 4 = 62, end 63.
    assert report.frame_cycles == FrameCycles.of([63])
    assert report.latency_cycles == FrameCycles.of([62])
    assert report.cores[0].waiting == {"message": 52 - 37, "dependency": 0, "idle": 0}
    assert report.cores[1].waiting == {"message": 31, "dependency": 0, "idle": 63 - 49}
    assert [core.total("cycles") for core in report.cores] == [48, 18]
    # The thread that takes what comes back has waited for it: it begins where "back" takes its message.
    waited = [
        {pc: n for pc, events in core.by_pc.items() if (n := events.get("wait_message"))} for core in report.cores
    ]
    assert [list(found.values()) for found in waited] == [[52 - 37], [31]]


def test_inputs_are_in_their_buffer_when_the_frame_begins() -> None:
    code = "recv address=0 length=4\nend"
    mems = {core: images(Source(code)) for core in (0, 1)}
    record = {"pc_val": 0, "len_64b_words": 4, "dtype": "V_S", "precision": "STD"}
    metadata = {
        **{key: {0: {}, 1: {}} for key in ("data_bank_sizes", "table_bank_sizes")},
        "inst_counts": {0: 2, 1: 2},
        "inputs": {"a": {**record, "core": 1}, "b": {**record, "core": 0}},
        "outputs": {},
    }
    made = Machine(Program(metadata, mems), SMALL)
    made.step({"a": np.zeros(32, np.int64), "b": np.zeros(32, np.int64)})
    report = made.report()
    # Both cores take their words from cycle 0 on, whatever the link takes before: 2 + 6 + 1 = 9.
    assert report.cores[0].waiting == {"message": 0, "dependency": 0, "idle": 0}
    assert report.cores[1].waiting == {"message": 0, "dependency": 0, "idle": 0}
    assert report.frame_cycles == report.latency_cycles == FrameCycles.of([9])
    assert (report.input_words, report.output_words) == (10, 0)


def test_words_of_inputs_and_outputs_are_reported_with_headers() -> None:
    report = machine().report()
    assert (report.input_words, report.output_words) == (3 + 2, 3 + 3)


def buffer(what: str, words: int) -> dict[str, Any]:
    return {f"{what}_buffer_words": words}


@pytest.mark.parametrize(("what", "words"), [("input", 5), ("output", 6)])
def test_a_program_whose_frame_exceeds_a_buffer_is_refused(what: str, words: int) -> None:
    Machine(program(), replace(SMALL, **buffer(what, words))).step({"a": A, "b": B})
    with pytest.raises(ProgramError) as caught:
        Machine(program(), replace(SMALL, **buffer(what, words - 1)))
    assert str(caught.value) == (
        f"program: the {what}s of a frame must fit the {what} buffer of spu001 ({words - 1} words of 64 bits, "
        f"headers included), not {words} words."
    )


def test_an_output_that_is_sent_twice_can_fill_the_output_buffer() -> None:
    twice = program(
        CORE0.replace("idle:", "out address=0x40 length=2 target=9\nend\nidle:", 1).replace("end\nout", "out")
    )
    assert Machine(twice, SMALL).step({"a": A, "b": B})["z"].tolist() == [2, -4, 6, 8, -5536]
    with pytest.raises(MachineFault, match=r"^output buffer: must hold all outputs of a frame, 8 words at most, not 9"):
        Machine(twice, replace(SMALL, output_buffer_words=8)).step({"a": A, "b": B})


def test_every_core_is_busy_or_waiting_in_every_frame() -> None:
    made = machine()
    for frames in range(1, 5):
        made.step({"a": A, "b": B})
        report = made.report()
        assert report.frames == frames
        for core in report.cores:
            assert core.total("cycles") + sum(core.waiting.values()) == report.frame_cycles.total
            for cause in ("message", "dependency"):
                assert core.total(f"wait_{cause}") == core.waiting[cause]
            assert core.total("dm_read") == sum(core.bank_reads)
            assert core.total("dm_write") == sum(core.bank_writes)
            assert {event for events in core.by_pc.values() for event in events} <= set(EVENTS)
            assert all(count > 0 for events in core.by_pc.values() for count in events.values())


def test_host_words_are_counted() -> None:
    made = machine()
    made.step({"a": A, "b": B})
    core = made.report().cores[0]
    assert core.total("host_message") == 4
    assert core.total("host_word") == (1 + 2) + (1 + 1) + (1 + 2) + (1 + 2)
    assert core.total("message") == 1
    assert core.total("message_word") == 3


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"a": A}, "input 'b': must be given in every frame."),
        ({"a": A, "b": np.ma.masked_equal(B, B[0])}, "input 'b': must be a plain array, not a masked one."),
        ({"a": A[:4], "b": B}, "input 'a': a frame must have shape (5,), not (4,)."),
        ({"a": A.reshape(1, 5), "b": B}, "input 'a': a frame must have shape (5,), not (1, 5)."),
        (
            {"a": A * 2, "b": B},
            "input 'a': every value must be a whole number from -32768 to 32767, not -4 to 60000.",
        ),
        (
            {"a": A, "b": np.array([1, 2, -129])},
            "input 'b': every value must be a whole number from -128 to 127, not -129 to 2.",
        ),
        (
            {"a": A, "b": np.array([1, 2, 0.5])},
            "input 'b': every value must be a whole number from -128 to 127, not 0.5 to 2.0.",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused_and_nothing_happens(inputs: dict[str, Any], sentence: str) -> None:
    made = machine()
    with pytest.raises(InputError) as caught:
        made.step(inputs)
    assert str(caught.value) == sentence
    assert made.report().frame_cycles == FrameCycles()
    assert made.step({"a": A, "b": B})["y"].tolist() == [-873, -1128, -1000]


def test_a_deadlock_names_the_output_and_the_waiting_threads() -> None:
    given = program()
    given.mems_per_core[0]["SB"] = [np.array([3], np.uint64)]
    pc = int(given.mems_per_core[0]["PB"][0][0])
    with pytest.raises(MachineFault) as caught:
        Machine(given, SMALL).step({"a": A, "b": B})
    assert str(caught.value) == (
        f"deadlock: every core is at rest but y, z never came: core 0 thread 0 (pc {pc}) waits for 1 more of 3."
    )


def test_state_in_accumulators_is_undefined_at_the_start_of_a_frame() -> None:
    made = Machine(program(), SMALL, check_state=True)
    frames = [made.step({"a": A, "b": B}) for _ in range(2)]
    assert [frame["y"].tolist() for frame in frames] == [[-873, -1128, -1000]] * 2
    assert frames[0]["z"].tolist() == frames[1]["z"].tolist() != [2, -4, 6, 8, -5536]


def test_a_frame_that_leaves_a_dependency_count_in_between_is_a_fault() -> None:
    """Every other frame would start the second thread; a chip that is switched off in between forgets that."""
    twice = program(CORE0.replace("both:\n", "both:\nsignal thread=1\n"), ((2, "both"), (2, "idle")))
    made = Machine(twice, SMALL)
    with pytest.raises(MachineFault) as caught:
        made.step({"a": A, "b": B})
    pc = int(twice.mems_per_core[0]["PB"][0][1])
    assert str(caught.value) == (
        "end of the frame: every dependency count must have its initial value when all cores are at rest, "
        f"but core 0 thread 1 (pc {pc}) waits for 1 more of 2."
    )


def test_an_output_that_nobody_sends_is_a_deadlock_without_threads() -> None:
    given = program()
    given.metadata["outputs"]["never"] = {**given.metadata["outputs"]["y"], "mailbox_id": 1}
    with pytest.raises(MachineFault, match=r"^deadlock: .* but never never came: no thread waits\.$"):
        Machine(given, SMALL).step({"a": A, "b": B})


def test_an_unknown_mailbox_is_a_fault() -> None:
    given = program()
    given.metadata["outputs"]["y"]["mailbox_id"] = 8
    with pytest.raises(MachineFault, match=r"^output message: its mailbox must be one of an output, not 7\.$"):
        Machine(given, SMALL).step({"a": A, "b": B})


def test_an_output_of_another_length_is_a_fault() -> None:
    given = program()
    given.metadata["outputs"]["y"]["len_64b_words"] = 3
    with pytest.raises(MachineFault) as caught:
        Machine(given, SMALL).step({"a": A, "b": B})
    assert str(caught.value) == "output 'y': its message must have 3 payload words, not 2."


def test_without_padding_every_element_of_the_words_counts() -> None:
    given = program()
    del given.metadata["fqir_input_padding"], given.metadata["fqir_output_padding"]
    out = Machine(given, SMALL).step({"a": np.arange(8), "b": np.zeros(8, np.int64)})
    assert out["z"].tolist() == [0, 2, 4, 6, 8, 0, 0, 0]
    assert len(out["y"]) == 4


@pytest.mark.parametrize("key", ["inputs", "outputs", "inst_counts"])
def test_metadata_without_its_keys_is_refused(key: str) -> None:
    given = program()
    del given.metadata[key]
    with pytest.raises(ProgramError, match=f"the key '{key}' is missing"):
        Machine(given, SMALL)


def test_a_program_for_more_cores_than_the_part_has_is_refused() -> None:
    with pytest.raises(ProgramError, match=r"^program: must use the 1 cores of part one at most, not core 1\.$"):
        Machine(program(), replace(SMALL, name="one", cores=1))
