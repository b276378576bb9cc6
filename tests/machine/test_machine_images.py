"""From images to memories: the documented places, banks, and images that do not belong to the part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import MachineFault, ProgramError
from femtodriver.machine.memory import DataMemory, table_memory, to_logical
from femtodriver.machine.spu import Processor, Spu
from femtodriver.part import load_part
from tests.machine.machine_bench import SMALL, Source, image, images

SPU001 = load_part()


def test_data_memory_of_spu001_is_where_the_document_says() -> None:
    words = np.arange(65536, dtype=np.uint64)
    logical = to_logical(words, SPU001)
    # Byte address 8 (16384 p + 2 w + q) is image word 16384 p + 8192 q + w.
    for pair, inside, odd in ((0, 0, 0), (0, 0, 1), (0, 8191, 1), (1, 5, 0), (3, 8191, 1), (2, 100, 1)):
        assert logical[16384 * pair + 2 * inside + odd] == 16384 * pair + 8192 * odd + inside


def test_short_images_are_filled_with_zeros() -> None:
    memory = DataMemory(SPU001, np.array([1, 2], np.uint64))
    assert len(memory.words) == 65536
    assert memory.words[[0, 1, 2, 3]].tolist() == [1, 0, 2, 0]


def test_the_bench_and_the_machine_agree_about_images() -> None:
    data = bytes(range(256)) * 16
    assert DataMemory(SMALL, image(data)).words.tobytes() == data


@given(st.integers(0, 512), st.integers(0, 512))
@settings(deadline=None)
def test_bank_accesses_against_one_word_at_a_time(first: int, end: int) -> None:
    memory = DataMemory(SMALL, np.zeros(0, np.uint64))
    expected = [0] * 8
    for word in range(first, end):
        expected[2 * (word // 128) + word % 2] += 1
    assert memory.layout.accesses(first, end).tolist() == expected
    each = memory.layout.accesses_each(np.array([first, 3]), np.array([max(first, end), 3]))
    assert each.tolist() == [expected, [0] * 8]


@pytest.mark.parametrize(("first", "end"), [(-1, 2), (511, 513), (600, 601)])
def test_bank_accesses_outside_are_faults(first: int, end: int) -> None:
    memory = DataMemory(SMALL, np.zeros(0, np.uint64))
    with pytest.raises(MachineFault, match="must lie inside data memory"):
        memory.layout.accesses(first, end)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 12)), min_size=1, max_size=4), st.integers(0, 4090))
@settings(max_examples=60, deadline=None)
def test_watchers_hear_of_stores_that_touch_them(ranges: list[tuple[int, int]], address: int) -> None:
    memory = DataMemory(SMALL, np.zeros(0, np.uint64))
    heard: list[int] = []
    for number, (first, length) in enumerate(ranges):
        memory.watch(first, first + length, lambda number=number: heard.append(number))
    memory.written(address, address + 6)
    expected = [
        n for n, (first, length) in enumerate(ranges) if 8 * first < address + 6 and address < 8 * (first + length)
    ]
    assert heard == expected
    assert memory.overlaps_watched(address, address + 6) == bool(expected)
    memory.reset()
    assert sorted(heard[len(expected) :]) == expected
    memory.reset()
    assert len(heard) == 2 * len(expected)


def test_neighbours_of_watched_words_are_not_watched() -> None:
    memory = DataMemory(SMALL, np.zeros(0, np.uint64))
    heard: list[int] = []
    memory.watch(2, 4, lambda: heard.append(1))
    memory.watch(8, 9, lambda: heard.append(2))
    for first, end in ((0, 16), (32, 64), (72, 80)):
        memory.written(first, end)
        assert not memory.overlaps_watched(first, end)
    assert heard == []
    memory.written(31, 65)
    assert heard == [1, 2]


def test_table_memory_is_signed_and_bank_by_bank() -> None:
    banks = table_memory(SMALL, np.array([0xFFFF, 0x7FFF, *[0] * 298, 0x8000], np.uint64))
    assert banks.shape == (4, 300)
    assert banks[0, :3].tolist() == [-1, 32767, 0]
    assert banks[1, 0] == -32768


def changed(name: str, words: list[int], count: int = 1) -> Processor:
    made = images(Source("end\nt:\nend", threads=[(1, "t")]))
    made[name] = [np.array(words, np.uint64)]
    return Processor(0, made, SMALL, count)


@pytest.mark.parametrize(
    ("name", "words", "count", "sentence"),
    [
        ("DM", [0] * 513, 1, "DM image: must have at most 512 words for this part, not 513."),
        ("TM", [0] * 1201, 1, "TM image: must have at most 1200 words for this part, not 1201."),
        ("TM", [0, 0x10000], 1, "TM image: a word must have 16 bits, not the value 0x10000."),
        ("RQ", [3], 1, "core 0: the ready queue's image must be empty, not 1 words."),
        ("SB", [1, 1], 1, "core 0: SB and PB must have one word per thread, at most 64."),
        ("PB", [], 1, "core 0: SB and PB must have one word per thread, at most 64."),
        ("SB", [0], 1, "core 0: a dependency count must be 1 to 2047, a PC 0 to 8191."),
        ("SB", [2048], 1, "core 0: a dependency count must be 1 to 2047, a PC 0 to 8191."),
        ("PB", [8192], 1, "core 0: a dependency count must be 1 to 2047, a PC 0 to 8191."),
        (
            "IM",
            [33],
            2,
            "core 0: the instruction count must be at most 1 (image and instruction memory of spu001), not 2.",
        ),
        ("IM", [33] * 600, 513, "core 0: the instruction count must be at most 512 (image and instruction memory of"),
    ],
)
def test_images_that_do_not_fit_are_refused(name: str, words: list[int], count: int, sentence: str) -> None:
    with pytest.raises(ProgramError) as caught:
        changed(name, words, count)
    assert str(caught.value).startswith(sentence)


def test_too_many_threads_are_refused() -> None:
    made = images(Source("end"))
    made["SB"] = made["PB"] = [np.ones(65, np.uint64)]
    with pytest.raises(ProgramError, match="at most 64"):
        Processor(0, made, SMALL, 1)


def test_bit_groups_are_refused() -> None:
    made: dict[str, Any] = images(Source("end"))
    made["DM"] = made["DM"] * 2
    with pytest.raises(ProgramError, match=r"^DM: the open SPU has no bit groups, but the image has 2\.$"):
        Processor(0, made, SMALL, 1)


def test_a_core_that_the_part_lacks_is_refused() -> None:
    made = images(Source("end"))
    with pytest.raises(ProgramError) as caught:
        Spu({0: made, 2: made}, SMALL, {0: 1, 2: 1})
    assert str(caught.value) == "program: must use the 2 cores of part spu001 at most, not core 2."


def test_words_after_the_instruction_count_are_not_code() -> None:
    made = images(Source("end\nend"))
    spu = Spu({0: made}, SMALL, {0: 1})
    spu.post(0, 1, np.zeros(0, np.uint64))
    with pytest.raises(MachineFault, match=r"^core 0 pc 1: there is no instruction here\.$"):
        spu.run()


def test_missing_images_are_empty() -> None:
    Spu({0: {}}, SMALL, {0: 0}).run()
