"""Vectors and words: round trips and refusals."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import FemtoError, InputError, ProgramError, UsageError
from femtodriver.program.packing import join_words, pack, split_words, unpack, words_needed


@given(st.data(), st.sampled_from([8, 16, 32]))
def test_pack_and_unpack_are_inverse(data: st.DataObject, bits: int) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    values = data.draw(st.lists(st.integers(low, high), max_size=40))
    words = pack(values, bits)
    assert words.dtype == np.uint64
    assert len(words) == words_needed(len(values), bits)
    assert unpack(words, bits, len(values)).tolist() == values
    assert not unpack(words, bits)[len(values) :].any()
    expected = [
        sum((value % (1 << bits)) << (bits * j) for j, value in enumerate(values[i : i + 64 // bits]))
        for i in range(0, len(values), 64 // bits)
    ]
    assert words.tolist() == expected


@given(st.lists(st.integers(0, (1 << 64) - 1), max_size=20))
def test_split_and_join_are_inverse(values: list[int]) -> None:
    words = np.array(values, dtype=np.uint64)
    bus = split_words(words)
    assert bus.dtype == np.uint32
    assert bus.tolist() == [half for value in values for half in (value & 0xFFFFFFFF, value >> 32)]
    assert join_words(bus).tolist() == values


def test_the_worked_example_of_the_specification() -> None:
    assert pack([1, -1, 2, 0], 16).tolist() == [0x00000002FFFF0001]
    assert split_words(pack([1, -1, 2, 0], 16)).tolist() == [0xFFFF0001, 2]


@pytest.mark.parametrize(
    ("values", "bits", "sentence"),
    [
        ([0, 128], 8, r"x: element 1 must be in -128\.\.\.127, not 128\."),
        ([-32769], 16, r"x: element 0 must be in -32768\.\.\.32767, not -32769\."),
        (np.array([2**63], dtype=np.uint64), 32, r"x: element 0 must be in .*, not 9223372036854775808\."),
        ([0.5], 16, r"x: elements must be integers, not float64\."),
        ([[1]], 16, r"x: elements must be a 1-D array, not 2-D\."),
        ([True], 16, r"x: elements must be integers, not bool\."),
    ],
)
def test_pack_refuses(values: npt.ArrayLike, bits: int, sentence: str) -> None:
    with pytest.raises(InputError, match=f"^{sentence}$"):
        pack(values, bits, "x")


def test_other_refusals() -> None:
    refusals: list[tuple[type[FemtoError], str, object]] = [
        (UsageError, "element width: must be 8, 16 or 32 bits, not 24", lambda: pack([1], 24)),
        (ProgramError, "vector: 1 words hold 4 elements of 16 bits, not 5", lambda: unpack([0], 16, 5)),
        (ProgramError, "bus words: the number of 32-bit words must be even, not 3", lambda: join_words([1, 2, 3])),
    ]
    for kind, sentence, call in refusals:
        with pytest.raises(kind, match=sentence):
            call()  # type: ignore[operator]


def test_empty_vectors() -> None:
    assert pack([], 16).tolist() == []
    assert unpack(np.zeros(0, np.uint64), 8).tolist() == []
