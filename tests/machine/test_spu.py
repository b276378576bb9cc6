"""Messages and signals between cores, to the cycle. Start of a thread: 2 cycles; ``end`` and ``signal``: 1 each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from femtodriver.errors import MachineFault
from tests.machine.machine_bench import SMALL, SMALL4, Bench, Source

LATENCY = 4
IDLE = {"message": 0, "dependency": 0, "idle": 0}


def waiting(bench: Bench, core: int) -> dict[str, int]:
    return dict(bench.core(core).waiting)


def busy(bench: Bench, core: int) -> int:
    return sum(executor.events().get("cycles", 0) for executor in bench.core(core).executors.values())


def check_time(bench: Bench, elapsed: int) -> None:
    """Every core is busy or waiting all the time (in the first frame)."""
    for index in bench.spu.processors:
        assert busy(bench, index) + sum(waiting(bench, index).values()) == elapsed


def test_a_host_message_is_taken_and_counted() -> None:
    bench = Bench("recv address=16 length=2\nend")
    bench.spu.begin_frame()
    bench.post([1, 2**64 - 1])
    assert bench.spu.run() == 2 + (2 + 2) + 1
    assert bench.read(16, 32, 4) == [1, 0, -1, -1]
    assert bench.events() == {
        "instructions": 1,
        "im_read": 1,
        "thread_switch": 1,
        "cycles": 2 + 4,
        "dm_write": 2,
        "host_message": 1,
        "host_word": 3,
    }
    assert bench.banks() == ([0] * 8, [1, 1, 0, 0, 0, 0, 0, 0])


def test_an_output_message() -> None:
    bench = Bench("out address=8 length=3 target=77\nend").write(8, 16, range(12))
    bench.run()
    (message,) = bench.spu.outputs
    assert (message.target, message.core, message.arrival) == (77, 0, 2 + 2 + 3)
    assert message.payload.view("int16").tolist() == list(range(12))
    assert bench.events()["host_word"] == 4
    assert bench.events()["dm_read"] == 3
    assert bench.banks() == ([1, 2, 0, 0, 0, 0, 0, 0], [0] * 8)


def test_an_output_is_what_memory_held_when_it_was_sent() -> None:
    bench = Bench("out address=0 length=1 target=1\nvpass [0]:i8, #5, #0 length=8\nend")
    bench.run()
    assert bench.spu.outputs[0].payload.tolist() == [0]


def test_one_core_sends_to_another() -> None:
    bench = Bench("send address=0 length=4 core=1 target=0\nend", "recv address=8 length=4\nend").write(
        0, 16, range(16)
    )
    # core 0: 2 + (2 + 4) = 8, then end: 9. The message is there at 8 + 4 = 12; core 1: 12 + 2 + 6 + 1 = 21.
    elapsed = bench.run()
    assert elapsed == 21
    assert bench.read(8, 16, 16, core=1) == list(range(16))
    assert waiting(bench, 0) == {**IDLE, "idle": 12}
    assert waiting(bench, 1) == {**IDLE, "message": 12}
    check_time(bench, elapsed)
    assert bench.events()["message"] == 1
    assert bench.events()["message_word"] == 5
    assert "host_word" not in bench.events(core=1)


def test_a_sender_goes_on_while_its_message_travels() -> None:
    bench = Bench(
        "send address=0 length=0 core=1 target=0\nvadd a0, a0, a0 length=64\nend", "recv address=0 length=0\nend"
    )
    # core 0: 2 + 2 + 11 + 1 = 16; core 1 from 2 + 2 + 4 = 8 to 8 + 2 + 2 + 1 = 13.
    assert bench.run() == 16
    assert waiting(bench, 1) == {**IDLE, "message": 8, "idle": 3}
    check_time(bench, 16)


def test_a_signal_to_another_core_travels_and_one_to_the_own_core_does_not() -> None:
    near = Bench(Source("signal thread=0\nend\nnext:\nend", threads=[(1, "next")]))
    # 2 + 1 + 1, then the next thread: 2 + 1.
    assert near.run() == 7
    assert waiting(near, 0) == IDLE
    assert "message" not in near.events()
    far = Bench("signal core=1 thread=0\nend", Source("next:\nend", threads=[(1, "next")]))
    # sent at 3, there at 7, 2 + 1.
    assert far.run() == 10
    assert waiting(far, 1) == {**IDLE, "dependency": 7}
    assert far.events()["message"] == far.events()["message_word"] == 1
    check_time(far, 10)


def test_a_join_waits_for_the_last_signal_whatever_order_they_are_simulated_in() -> None:
    """Core 1 starts first and is busy for long; core 2 starts later and is done first. Core 3 joins both."""
    long_work = "recv address=0 length=0\nvadd a0, a0, a0 length=64\nsignal core=3 thread=0\nend"
    short_work = "recv address=0 length=0\nsignal core=3 thread=0\nend"
    start = "send address=0 length=0 core=1 target=0\nsend address=0 length=0 core=2 target=0\nend"
    bench = Bench(start, long_work, short_work, Source("join:\nend", threads=[(2, "join")]), part=SMALL4)
    # core 0: sends at 4 and 6. core 1: 8 + 2 + 2 + 11 + 1 = 24, the signal is there at 28.
    # core 2: 10 + 2 + 2 + 1 = 15, there at 19. core 3 must start at 28, not at 19: 28 + 2 + 1 = 31.
    assert bench.run() == 31
    assert waiting(bench, 3) == {**IDLE, "dependency": 28}
    check_time(bench, 31)


def test_a_thread_that_waits_for_one_signal_starts_with_each() -> None:
    """As before, but core 3's thread wants one signal at a time: it starts at 19 and at 28."""
    long_work = "recv address=0 length=0\nvadd a0, a0, a0 length=64\nsignal core=3 thread=0\nend"
    short_work = "recv address=0 length=0\nsignal core=3 thread=0\nend"
    start = "send address=0 length=0 core=1 target=0\nsend address=0 length=0 core=2 target=0\nend"
    bench = Bench(start, long_work, short_work, Source("one:\nend", threads=[(1, "one")]), part=SMALL4)
    assert bench.run() == 31
    assert waiting(bench, 3) == {**IDLE, "dependency": 19 + (28 - 22)}
    check_time(bench, 31)


def test_counts_fall_in_order_of_time_not_of_delivery() -> None:
    """Core 1 signals at once and, in the same thread, much later; core 0 signals in between."""
    idle = "setb register=1 value=1\n" * 200
    own = Source(
        "setb register=1 value=1\n" * 10 + "signal thread=0\nend\njoin:\nvadd a0, a0, #1\nend", threads=[(2, "join")]
    )
    bench = Bench(own, f"signal thread=0\n{idle}signal thread=0\nend")
    bench.spu.begin_frame()
    bench.post(core=1).post(core=0, arrival=5)
    # core 1: signals at 3 + 4 = 7 and 204 + 4 = 208. core 0: 5 + 2 + 10 + 1 = 18, end: 19. The thread needs two of them
    # and so runs from 19 on.
    assert bench.spu.run() == 205
    assert bench.acc(0, 1) == [1]
    assert waiting(bench, 0) == {**IDLE, "message": 5, "idle": 205 - (19 + 2 + 4 + 1)}
    assert bench.spu.waiting_threads() == ["core 0 thread 0 (pc 12) waits for 1 more of 2"]


def test_ports_are_served_in_a_fixed_order() -> None:
    """In cycle 8 come a message of core 2, one of core 1, a signal of the core itself and a message of the host."""
    add = "".join(f"t{index}:\nvadd a0, a0, #{index} shift_a=4\nend\n" for index in (1, 2, 3, 4))
    text = f"signal thread=0\nend\n{add}"
    labels = Bench(text).labels[0]
    own = Source(text, threads=[(1, "t2")])
    cores = [f"send address=0 length=0 core=0 target={labels[f't{index}']}\nend" for index in (3, 4)]
    bench = Bench(own, *cores, part=SMALL4)
    bench.spu.begin_frame()
    bench.post(core=2).post(core=1).post(core=0, arrival=5).post(label="t1", arrival=8)
    bench.spu.run()
    assert bench.acc(0, 1) == [0x1234]


def test_counts_start_over() -> None:
    text = "signal thread=0\nsignal thread=0\nend\njoin:\nvadd a0, a0, #1\nend"
    bench = Bench(Source(text, threads=[(2, "join")]))
    for frame in range(3):
        bench.run()
        assert bench.acc(0, 1) == [frame + 1]
    assert bench.spu.waiting_threads() == []


def test_a_thread_that_got_some_of_its_signals_is_named() -> None:
    bench = Bench(Source("signal thread=1\nend\none:\nend\ntwo:\nend", threads=[(1, "one"), (3, "two")]))
    bench.run()
    assert bench.spu.waiting_threads() == ["core 0 thread 1 (pc 3) waits for 2 more of 3"]


def test_threads_run_in_the_order_in_which_they_became_ready() -> None:
    text = "".join(f"t{index}:\nvadd a0, a0, #{index} shift_a=4\nend\n" for index in (1, 2, 3))
    bench = Bench(text)
    bench.spu.begin_frame()
    bench.post(label="t3", arrival=5).post(label="t1", arrival=0).post(label="t2", arrival=5)
    # t1: 0 to 7. Then t3 before t2: they came in the same cycle, and t3 was posted first.
    assert bench.spu.run() == 21
    assert bench.acc(0, 1) == [0x132]


def test_what_arrives_early_runs_early_on_whatever_core() -> None:
    """Core 0 has a thread from 100 on; a message that core 1 sends at 0 reaches it long before."""
    text = "late:\nvadd a0, a0, #1 shift_a=4\nend\nearly:\nvadd a0, a0, #2 shift_a=4\nend"
    bench = Bench(text, f"send address=0 length=0 core=0 target={Bench(text).labels[0]['early']}\nend")
    bench.spu.begin_frame()
    bench.post(label="late", arrival=100).post(core=1)
    # core 1: sent at 4, there at 8; 8 + 2 + 4 + 1 = 15. Then 100 + 7.
    assert bench.spu.run() == 107
    assert bench.acc(0, 1) == [0x21]
    assert waiting(bench, 0) == {**IDLE, "message": 8 + (100 - 15)}
    check_time(bench, 107)


def test_outputs_come_in_the_order_of_their_times() -> None:
    slow = "send address=0 length=0 core=1 target=0\nvadd a0, a0, a0 length=64\nout address=0 length=0 target=1\nend"
    bench = Bench(slow, "out address=0 length=0 target=2\nend")
    bench.run()
    assert [(message.target, message.arrival) for message in bench.spu.outputs] == [(2, 8 + 2 + 2), (1, 2 + 2 + 11 + 2)]


def test_equal_times_go_by_the_number_of_the_sending_core() -> None:
    work = "send address=0 length=0 core=0 target=add{0}\nend"
    text = "end\n" + "".join(
        f"add{index}:\nrecv address=0 length=0\nvadd a0, a0, #{index} shift_a=4\nend\n" for index in (1, 2, 3)
    )
    labels = Bench(text).labels[0]
    cores = [work.format(index).replace(f"add{index}", str(labels[f"add{index}"])) for index in (1, 2, 3)]
    bench = Bench(text, *cores, part=SMALL4)
    bench.spu.begin_frame()
    for core in (3, 2, 1):
        bench.post(core=core)
    elapsed = bench.spu.run()
    assert bench.acc(0, 1) == [0x123]
    check_time(bench, elapsed)


def test_four_cores_in_a_ring() -> None:
    """Each core adds its number and passes the vector on."""
    cores = []
    for index in range(4):
        take = "recv address=0 length=1\n"
        send = (
            f"send address=0 length=1 core={index + 1} target=0\n" if index < 3 else "out address=0 length=1 target=0\n"
        )
        cores.append(f"{take}vadd [0]:i16, [0]:i16, #{index + 1} length=4\n{send}end")
    bench = Bench(*cores, part=SMALL4)
    for _ in range(2):
        bench.spu.begin_frame()
        bench.post([0x0004000300020001])
        elapsed = bench.spu.run()
        # A core: 2 + 3 + (3 + 2: one word, read and written) + 3 = 13 to the message, and 4 to the next core.
        assert bench.spu.outputs[0].arrival == 4 * 13 + 3 * 4
        assert elapsed == 4 * 13 + 3 * 4 + 1
        assert bench.spu.outputs[0].payload.view("int16").tolist() == [11, 12, 13, 14]
        assert [waiting(bench, core)["message"] for core in range(4)] == [0, 17, 34, 51]
        for core in range(4):
            assert sum(waiting(bench, core).values()) == elapsed - 14


@pytest.mark.parametrize(
    ("sources", "payload", "sentence"),
    [
        (("recv address=0 length=2\nend",), [1], "core 0 pc 0: recv: the message must have 2 payload words, not 1."),
        (("recv address=0 length=0\nend",), [1], "core 0 pc 0: recv: the message must have 0 payload words, not 1."),
        (
            ("recv address=0 length=1\nrecv address=0 length=1\nend",),
            [1],
            "core 0 pc 1: recv: the thread must have been woken by a message that it has not taken yet.",
        ),
        (
            (Source("signal thread=0\nend\nt:\nrecv address=0 length=0\nend", threads=[(1, "t")]),),
            [],
            "core 0 pc 2: recv: the thread must have been woken by a message that it has not taken yet.",
        ),
        (
            ("send address=0 length=1 core=1 target=0\nend",),
            [],
            "message: the target core must be one with a program (0), not 1.",
        ),
        (("signal core=1\nend",), [], "message: the target core must be one with a program (0), not 1."),
        (("signal thread=2\nend",), [], "signal: the thread must be one of core 0's 0, not 2."),
        (("send address=0 length=1 core=1 target=5\nend", "end"), [], "core 1 pc 5: there is no instruction here."),
        (
            ("recv address=4 length=1\nend",),
            [1],
            "core 0 pc 0: address 0x4: must be a multiple of 8 for a word transfer.",
        ),
        (
            ("recv address=4088 length=2\nend",),
            [1, 2],
            "core 0 pc 0: address 0xff8: 2 words must end inside data memory.",
        ),
        (("out address=0 length=513\nend",), [], "core 0 pc 0: address 0x0: 513 words must end inside data memory."),
    ],
)
def test_faults(sources: tuple[Source | str, ...], payload: list[int], sentence: str) -> None:
    bench = Bench(*sources)
    bench.spu.begin_frame()
    with pytest.raises(MachineFault) as caught:
        bench.post(payload).spu.run()
    assert str(caught.value) == sentence


def test_a_message_that_nobody_takes_is_gone() -> None:
    bench = Bench("end\nlater:\nend")
    bench.spu.begin_frame()
    assert bench.post([1, 2, 3]).spu.run() == 3


def test_a_frame_finds_nothing_of_the_last_one_in_accumulators_and_base_registers() -> None:
    """A program that counts frames there: right by luck, unless the state of a frame's start is checked."""
    text = "vadd a0, a0, #1\naddb register=1 value=1\nend"
    lucky, checked = Bench(text), Bench(text)
    for bench, check_state in ((lucky, False), (checked, True)):
        for _ in range(2):
            bench.spu.begin_frame(check_state=check_state)
            bench.post().spu.run()
    assert (lucky.acc(0, 1), lucky.core().core.bases[1]) == ([2], 2)
    left = checked.core().core
    checked.spu.begin_frame(check_state=True)
    first = (left.acc.tolist(), list(left.bases))
    assert abs(left.acc).min() > 2**32
    assert left.bases[0] == 0
    assert all(-(2**19) <= base < -(2**17) for base in left.bases[1:])
    checked.post().spu.run()
    checked.spu.begin_frame(check_state=True)
    assert (left.acc.tolist(), list(left.bases)) == first


def test_data_memory_outlives_the_frame_when_state_is_checked() -> None:
    bench = Bench("vadd [0]:i8, [0]:i8, #1\nend")
    for _ in range(3):
        bench.spu.begin_frame(check_state=True)
        bench.post().spu.run()
    assert bench.read(0, 8, 1) == [3]


TAKE = "recv address=0 length=3\nend"


def test_the_router_keeps_words_from_the_send_until_they_are_taken() -> None:
    """Two messages of 4 words: the second send begins at 2 + 5 = 7, the first is taken at 2 + 5 + 4 + 2 + 5 = 18."""
    bench = Bench("send address=0 length=3 core=1 target=0\n" * 2 + "end", TAKE)
    bench.run()
    assert [bench.spu.router.most(core) for core in (0, 1)] == [0, 8]
    send = "send address=0 length=3 core=1 target=0\n"
    text = send + "setb register=1 value=1\n" * 11 + send + "end"
    apart = Bench(text, TAKE)  # the second send begins at 18
    apart.run()
    assert apart.spu.router.most(1) == 4
    close = Bench(text.replace("setb register=1 value=1\n", "", 1), TAKE)
    close.run()
    assert close.spu.router.most(1) == 8


def test_a_message_that_nobody_takes_leaves_the_router_with_its_thread() -> None:
    bench = Bench("send address=0 length=3 core=1 target=0\nsend address=0 length=3 core=1 target=1\nend", "end\nend")
    # The first thread of core 1 runs from 11 to 14, the second from 16 to 19; the second send begins at 7.
    bench.run()
    assert bench.spu.router.most(1) == 8


def test_more_words_than_the_router_keeps_are_a_fault_and_the_next_frame_begins_anew() -> None:
    text = "send address=0 length=3 core=1 target=0\n" * 2 + "end"
    assert Bench(text, TAKE, part=replace(SMALL, router_words=8)).run()
    bench = Bench(text, TAKE, part=replace(SMALL, router_words=7))
    for _ in range(2):
        with pytest.raises(MachineFault) as caught:
            bench.run()
        assert str(caught.value) == (
            "router: at most 7 words must wait for core 1 at one time, not 8. "
            "Have messages taken before more are sent, or use a part with a larger router (router_words)."
        )


def test_messages_of_the_host_and_signals_do_not_fill_the_router() -> None:
    bench = Bench("recv address=0 length=2\nsignal core=1 thread=0\nend", Source("t:\nend", threads=[(1, "t")]))
    bench.spu.begin_frame()
    bench.post([1, 2]).spu.run()
    assert [bench.spu.router.most(core) for core in (0, 1)] == [0, 0]
