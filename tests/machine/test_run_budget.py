"""The budget of a run: asked before every slice of a thread, told what it has cost."""

from __future__ import annotations

import pytest

from femtodriver.errors import MachineFault
from femtodriver.machine.run_budget import RunBudget
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
        super().__init__(instructions)
        self.size = size
        self.told: list[tuple[int, int, int]] = []

    def next_slice(self) -> int:
        return min(super().next_slice(), self.size)

    def spend(self, instructions: int, messages: int, words: int) -> None:
        super().spend(instructions, messages, words)
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
    assert budget.left == 10_000 - instructions
    assert max(taken for taken, _, _ in budget.told) <= size


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_run_ends_when_its_budget_does(size: int) -> None:
    enough = 1 + 99 * 2 + 2 + 1
    bench().spu.run(Slices(enough, size))
    with pytest.raises(MachineFault, match=r"^core 0 pc \d+: a frame must end within 201 instructions\.$"):
        bench().spu.run(Slices(enough - 1, size))


def test_a_fault_of_the_budget_itself_stops_the_run() -> None:
    class Miser(RunBudget):
        def spend(self, instructions: int, messages: int, words: int) -> None:
            if words:
                raise MachineFault(f"{words} words are too many.")

    with pytest.raises(MachineFault, match=r"^core 0 pc 5: 3 words are too many\.$"):
        bench().spu.run(Miser(10_000))
