"""A stream behind another one starts ahead of its end: cycles counted by hand, with pairs of banks of 1,024 bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.machine.machine_bench import END, SMALL, START, Bench

PAIR = 16 * SMALL.dm_bank_words
# Eight elements of 8 bits: one step of the lanes, one word.
FIRST = f"vpass [{PAIR}]:i8, [0]:i8, #0 length=8"
ALONE = 3 + 1


@pytest.mark.parametrize(
    ("second", "ahead"),
    [
        (f"vpass [{2 * PAIR}]:i8, [0]:i8, #0 length=8", 2),
        (f"vpass [{2 * PAIR}]:i8, [{PAIR + 64}]:i8, #0 length=8", 1),  # another word of the pair that is written
        (f"vpass [{2 * PAIR}]:i8, [{PAIR}]:i8, #0 length=8", 1),  # what is written
        (f"vpass [{PAIR}]:i8, [0]:i8, #0 length=8", 2),  # the destination does not matter
        (f"vpass [{2 * PAIR}]:i8, [{PAIR - 4}]:i8, #0 length=8", 1),  # ends in that pair (one word more of each bank)
        (f"vadd [{2 * PAIR}]:i8, [0]:i8, [{PAIR + 64}]:i8 length=8", 1),
        (f"vadd [{2 * PAIR}]:i8, [0]:i8, [{PAIR + 64}]:i8 length=8 spread_b=1", 1),
        ("vadd a0, a1, #1 length=8", 2),
        ("vpass a0, #1, #0 length=8", 2),
        (f"vpass [{2 * PAIR}]:i8, [b1+0]:i8, #0 length=8", 1),  # could be anywhere
        (f"vpass [b1+{2 * PAIR}]:i8, [0]:i8, #0 length=8", 2),
    ],
)
def test_behind_a_store(second: str, ahead: int) -> None:
    one, both = Bench(f"{FIRST}\nend"), Bench(f"{FIRST}\n{second}\nend")
    assert one.run() == START + ALONE + END
    alone = Bench(f"{second}\nend").run() - START - END
    assert both.run() == START + ALONE + alone - ahead + END
    assert both.events(2)["cycles"] == alone - ahead


@pytest.mark.parametrize(
    ("second", "ahead"),
    [
        ("vadd a0, a1, #1 length=8", 2),  # what is being written is forwarded
        ("vadd a0, a5, #1 length=8", 2),
        (f"vadd [{PAIR}]:i8, [0]:i8, #1 length=8", 2),
        (f"mac [{PAIR}]:i8 acc=2 columns=8 rows=8 weights=4", 2),
    ],
)
@pytest.mark.parametrize("first", ["vpass a1, [0]:i8, #0 length=8", "mac [0]:i8 acc=1 columns=8 rows=8 weights=4"])
def test_behind_a_result_in_accumulators(first: str, second: str, ahead: int) -> None:
    alone = [Bench(f"{line}\nend").run() - START - END for line in (first, second)]
    assert Bench(f"{first}\n{second}\nend").run() == START + sum(alone) - ahead + END


@pytest.mark.parametrize("between", ["setb register=1 value=0", "ldb [0]:i8 register=1", "bez [0]:i8 target=0"])
def test_only_right_behind_a_stream(between: str) -> None:
    second = f"vpass [{2 * PAIR}]:i8, [0]:i8, #0 length=8"
    alone = Bench(f"{between}\nend").write(0, 8, [1]).run() - START - END
    bench = Bench(f"{FIRST}\n{between}\n{second}\nend").write(0, 8, [1])
    assert bench.run() == START + 2 * ALONE + alone + END


def test_not_behind_a_branch() -> None:
    """The second of two streams is the target of a loop: it starts ahead the first time only."""
    second = f"vpass [{2 * PAIR}]:i8, [0]:i8, #0 length=8"
    bench = Bench(f"setb register=1 value=3\n{FIRST}\nagain:\n{second}\nloop register=1 target=again\nend")
    assert bench.run() == START + 1 + ALONE + (ALONE - 2) + 2 + ALONE + 2 + ALONE + 1 + END


def test_not_at_the_start_of_a_thread() -> None:
    bench = Bench(f"{FIRST}\nend\n{FIRST}\nagain:\nvpass [{2 * PAIR}]:i8, [0]:i8, #0 length=8\nend")
    assert bench.run() == START + ALONE + END
    assert bench.run(label="again") == START + ALONE + END


def test_pairs_are_those_of_the_part() -> None:
    part = replace(SMALL, dm_bank_words=2 * SMALL.dm_bank_words)
    text = f"{FIRST}\nvpass [{2 * PAIR}]:i8, [0]:i8, #0 length=8\nend"
    cycles = [Bench(text, part=made).run() for made in (SMALL, part)]
    # In the larger one what the first reads and writes lies in one pair, and what the second reads does, too.
    assert cycles == [START + 2 * ALONE - 2 + END, START + (ALONE + 1) + ALONE - 1 + END]
