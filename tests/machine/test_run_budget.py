"""The budget of a run: asked before every slice of a thread, told what it has cost."""

from __future__ import annotations

import pytest

from femtodriver.errors import MachineFault
from femtodriver.machine.run_budget import (
    DECODING_ELEMENTS,
    INSTRUCTION_ELEMENTS,
    MESSAGE_WORDS,
    SLICE_INSTRUCTIONS,
    RunBudget,
    RunLimits,
)
from tests.machine.machine_bench import Bench, Source

LONG = """setb register=1 value=99
again:
signal thread=0
loop register=1 target=again
out address=0 length=3
end
t:
end"""


class Slices(RunBudget):
    """Short slices, and what was told about them."""

    def __init__(self, instructions: int, size: int) -> None:
        super().__init__(RunLimits(instructions=instructions))
        self.size = size
        self.told: list[tuple[int, int, int]] = []

    def next_slice(self) -> tuple[int, int]:
        instructions, elements = super().next_slice()
        return min(instructions, self.size), elements

    def spend(self, instructions: int, elements: int, messages: int, words: int) -> None:
        super().spend(instructions, elements, messages, words)
        self.told.append((instructions, messages, words))


def bench() -> Bench:
    made = Bench(Source(LONG, threads=[(99, "t")]))
    made.spu.begin_frame()
    return made.post()


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_slices_change_nothing_but_are_told_in_full(size: int) -> None:
    whole = bench()
    elapsed = whole.spu.run()
    sliced, budget = bench(), Slices(10_000, size)
    assert sliced.spu.run(budget) == elapsed
    assert [sliced.events(pc) for pc in range(5)] == [whole.events(pc) for pc in range(5)]
    assert [message.arrival for message in sliced.spu.outputs] == [message.arrival for message in whole.spu.outputs]
    instructions, messages, words = (sum(column) for column in zip(*budget.told, strict=True))
    assert (instructions, messages, words) == (1 + 99 * 2 + 2 + 1, 99 + 1, 3)
    assert budget.instructions == instructions
    assert max(taken for taken, _, _ in budget.told) <= size


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_run_ends_when_its_budget_does(size: int) -> None:
    enough = 1 + 99 * 2 + 2 + 1
    bench().spu.run(Slices(enough, size))
    with pytest.raises(MachineFault, match=r"^core 0 pc \d+: a frame must end within 201 instructions\.$"):
        bench().spu.run(Slices(enough - 1, size))


def test_a_fault_of_the_budget_itself_stops_the_run() -> None:
    class Miser(RunBudget):
        def spend(self, instructions: int, elements: int, messages: int, words: int) -> None:
            if words:
                raise MachineFault(f"{words} words are too many.")

    with pytest.raises(MachineFault, match=r"^core 0 pc 5: 3 words are too many\.$"):
        bench().spu.run(Miser())


def spent(text: str) -> RunBudget:
    """What a program of one thread has cost."""
    made, budget = Bench(text), RunBudget()
    made.spu.begin_frame()
    made.post().spu.run(budget)
    return budget


@pytest.mark.parametrize(
    ("line", "elements"),
    [
        ("vadd a0, a0, #1 length=40", INSTRUCTION_ELEMENTS + 40),
        ("lut a0, [0x0]:i8 length=9 bits=4", INSTRUCTION_ELEMENTS + 9),
        ("interp a0, [0x0]:i16 length=7", INSTRUCTION_ELEMENTS + 7),
        (
            "mac [0x0]:i8 acc=0 columns=5 rows=17 weights=0x10 width=1",
            INSTRUCTION_ELEMENTS + (1 + DECODING_ELEMENTS) * 5 * 3,
        ),
        ("setb register=1 value=3", 0),
    ],
)
def test_elements_of_vectors_and_groups_of_matrices_are_counted(line: str, elements: int) -> None:
    assert spent(f"{line}\nend").elements == elements


def test_weights_are_charged_again_only_when_they_have_changed() -> None:
    mac = "mac [0x0]:i8 acc=0 columns=5 rows=17 weights=0x10 width=1\n"
    once = INSTRUCTION_ELEMENTS + 15
    loop = "setb register=1 value=4\nagain:\n" + mac
    assert spent(f"{loop}loop register=1 target=again\nend").elements == 4 * once + DECODING_ELEMENTS * 15
    stored = f"{loop}vadd [0x80]:i8, #1, #2 length=1\nloop register=1 target=again\nend"
    assert spent(stored).elements == 4 * (once + DECODING_ELEMENTS * 15 + INSTRUCTION_ELEMENTS + 1)


LIMITS = RunLimits(instructions=100_000, elements=64 * INSTRUCTION_ELEMENTS, words=100 * MESSAGE_WORDS)
ENDLESS = {
    "nothing": "again:\njump target=again",
    "vectors": "again:\nvadd a0, a0, #1 length=64\njump target=again",
    "matrices": "again:\nmac [0x0]:i8 acc=0 columns=5 rows=17 weights=0x10 width=1\njump target=again",
    "outputs": "again:\nout address=0 length=64\njump target=again",
    "signals": "again:\nsignal thread=0\njump target=again\nt:\nend",
    "threads": "t:\nsignal thread=0\nend",
}


@pytest.mark.parametrize(
    ("name", "sentence", "instructions"),
    [
        ("nothing", "must end within 100000 instructions", 100_000),
        ("vectors", "must end within 65536 elements of vectors and groups of matrices", 2 * 61),
        ("matrices", "must end within 65536 elements of vectors and groups of matrices", 2 * 63),
        ("outputs", "must not send more than 6400 words", SLICE_INSTRUCTIONS),
        ("signals", "must not send more than 6400 words", SLICE_INSTRUCTIONS),
        ("threads", "must not send more than 6400 words", 2 * 101),
    ],
)
def test_a_program_without_end_stops_at_the_limit_that_it_exceeds(name: str, sentence: str, instructions: int) -> None:
    made, budget = Bench(Source(ENDLESS[name], threads=[(1, "t")] if "t:" in ENDLESS[name] else [])), RunBudget(LIMITS)
    made.spu.begin_frame()
    with pytest.raises(MachineFault, match=rf"^core 0 pc \d+: a frame {sentence}"):
        made.post().spu.run(budget)
    assert budget.instructions <= instructions
    assert budget.instructions > instructions - 4


def test_a_frame_starts_with_a_whole_budget() -> None:
    made = Bench("vadd a0, a0, #1 length=64\nend")
    for _ in range(3):
        made.spu.begin_frame()
        made.post().spu.run(RunBudget(RunLimits(elements=INSTRUCTION_ELEMENTS + 64)))
    with pytest.raises(MachineFault, match=r"a frame must end within 1087 elements"):
        made.post().spu.run(RunBudget(RunLimits(elements=INSTRUCTION_ELEMENTS + 63)))
