"""From images to memories: the documented places, and stores that somebody watches for."""

from __future__ import annotations

from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.machine.memory import DataMemory, table_memory, to_logical
from femtodriver.part import load_part
from tests.machine.machine_bench import SMALL, image

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


def _hear(heard: list[int], number: int, first: int, end: int) -> bool:
    heard.append(number)
    return True


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 12)), min_size=1, max_size=4), st.integers(0, 4090))
@settings(max_examples=60, deadline=None)
def test_watchers_hear_of_stores_that_touch_them(ranges: list[tuple[int, int]], address: int) -> None:
    memory = DataMemory(SMALL, np.zeros(0, np.uint64))
    heard: list[int] = []
    for number, (first, length) in enumerate(ranges):
        memory.watch(first, first + length, partial(_hear, heard, number))
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
    memory.watch(2, 4, partial(_hear, heard, 1))
    memory.watch(8, 9, partial(_hear, heard, 2))
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
