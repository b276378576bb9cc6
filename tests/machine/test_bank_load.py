"""The cycle rules of vectors, look-ups and interpolations hold for a pipeline with a few words of buffers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.isa import cycles
from femtodriver.machine.bank_load import PlacedStream, bank_load
from femtodriver.machine.data_layout import DataLayout
from tests.machine.stream_pipeline import Pipeline, Words

BANKS = 8
# Small banks, so that operands often go on in the next pair.
LAYOUT = DataLayout(BANKS, 64)
lengths = st.one_of(st.integers(1, 40), st.sampled_from((64, 100, 128)))


@st.composite
def words(draw: st.DrawFn, length: int, single: bool = False) -> Words:
    """An operand anywhere in data memory; ``single``: perhaps of one element."""
    size = draw(st.sampled_from((1, 2, 4)))
    count = draw(st.sampled_from((length, length, 1))) if single else length
    address = size * draw(st.integers(0, (8 * LAYOUT.words - count * size) // size))
    return Words(address - address % 8 if draw(st.booleans()) else address, size, count, LAYOUT.bank_words)


def load_of(sources: list[Words], dst: Words | None, length: int) -> cycles.BankLoad:
    def placed(operand: Words) -> PlacedStream:
        return PlacedStream(operand.address, operand.length, operand.size)

    return bank_load(LAYOUT, 8, length, [placed(source) for source in sources], placed(dst) if dst else None)


@pytest.mark.slow
@given(lengths, st.sampled_from((1, 1, 1, 2, 4, 8, 32)), st.integers(0, 2), st.data())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_vectors(length: int, lane_passes: int, count: int, data: st.DataObject) -> None:
    sources = [data.draw(words(length, single=True)) for _ in range(count)]
    dst = data.draw(st.one_of(st.none(), words(length)))
    taken = Pipeline(sources, dst, length, lambda elements: lane_passes).run()
    assert taken <= cycles.vector(8, lane_passes, load_of(sources, dst, length))


@given(lengths, st.sampled_from((1, 2, 4)), st.integers(0, 2), st.integers(0, 1), st.data())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_tables(length: int, copies: int, tables: int, count: int, data: st.DataObject) -> None:
    """``tables``: 0 for a look-up, else the tables of an interpolation that share a bank."""
    sources = [data.draw(words(length)) for _ in range(count)]
    dst = data.draw(st.one_of(st.none(), words(length)))
    load = load_of(sources, dst, length)

    def steps(elements: int) -> int:
        """Each bank has two read ports."""
        return max(-(-elements // 8), (-(-elements // copies) * max(tables, 1) + 1) // 2)

    taken = Pipeline(sources, dst, length, steps, stages=3 if tables else 2).run()
    rule = cycles.interpolate(8, copies, tables, load) if tables else cycles.lookup(8, copies, load)
    assert taken <= rule


@pytest.mark.parametrize(
    ("sources", "dst", "expected"),
    [
        ([(0, 2), (0x400, 2)], (0x800, 2), 3 + 8),  # a pair for each operand: a row per cycle
        ([(0, 2), (0x100, 2)], (0x800, 2), 3 + 16 + 1),  # both sources in one pair: a row every other cycle
        ([(0, 1), (0x100, 1)], (0x400, 1), 3 + 8 + 1),  # both first words are in bank 0
        ([(0, 1), (0x108, 1)], (0x400, 1), 3 + 8),
        ([(0, 4)], (0x400, 2), 3 + 16 + 1),
        ([(0, 4)], None, 3 + 16 + 1),
        ([], (0, 4), 3 + 16 + 1),
        ([(4, 2)], None, 3 + 9 + 1),  # not at the start of a word: three words for the first row
    ],
)
def test_what_an_instruction_of_64_elements_takes_to_the_cycle(
    sources: list[tuple[int, int]], dst: tuple[int, int] | None, expected: int
) -> None:
    streams = [Words(*place, 64, 64) for place in sources]
    to = Words(*dst, 64, 64) if dst else None
    assert cycles.vector(8, 1, load_of(streams, to, 64)) == expected
    assert expected - 1 <= Pipeline(streams, to, 64, lambda elements: 1).run() <= expected
