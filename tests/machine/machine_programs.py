"""Hypothesis strategies for random programs of one core, legal and not, and the memories that they run on."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from femtodriver.isa import (
    SPECS,
    ControlInstruction,
    ElementInstruction,
    Instruction,
    InterpolateInstruction,
    LookupInstruction,
    MatrixInstruction,
    Operand,
    VectorInstruction,
    accumulator,
    immediate,
    memory,
)
from tests.machine.machine_bench import SMALL, Source

# Words around the start, the end of the first pair of banks and the end of memory.
places = st.sampled_from((*range(16), *range(120, 134), 490, 500, 511))
rows = st.sampled_from((0, 0, 1, 1, 2, 2, 3, 3, 3, 7))
lengths = st.one_of(st.integers(1, 9), st.integers(1, 40))
shifts = st.one_of(st.just(0), st.just(0), st.integers(-9, 9), st.integers(-64, 63))
flags = st.integers(0, 1)
clip_bits = st.sampled_from((1, 4, 8, 16, 24, 32, 63, 64))


@st.composite
def in_memory(draw: st.DrawFn) -> Operand:
    width = draw(st.sampled_from((8, 16, 32)))
    address = 8 * draw(places) + draw(st.sampled_from((0, 0, 0, 4, 2, 1)))
    if draw(st.integers(0, 99)) != 57:  # else perhaps misaligned
        address -= address % (width // 8)
    return memory(address, width, draw(st.sampled_from((0, 0, 0, 1, 2))))


accumulators = st.builds(accumulator, rows, st.sampled_from((64, 64, 8, 16, 32)))
numbers = st.builds(immediate, st.one_of(st.integers(-3, 3), st.integers(-(2**21), 2**21 - 1)))
sources = st.one_of(in_memory(), accumulators, numbers)
destinations = st.one_of(in_memory(), st.builds(accumulator, rows))


def _encodable(instruction: VectorInstruction) -> VectorInstruction:
    """Without left shifts of the operands of a multiplication, and without a last stage where there is none."""
    if not instruction.spec.multiplies:
        return instruction
    narrow = replace(instruction, shift_a=min(instruction.shift_a, 0), shift_b=min(instruction.shift_b, 0))
    if not instruction.spec.accumulates:
        return narrow
    return replace(narrow, shift=0, rounded=0, clip=0, bits=32)


vectors = st.builds(
    VectorInstruction,
    st.sampled_from([spec for spec in SPECS.values() if spec.meaning or spec.accumulates]),
    destinations,
    sources,
    sources,
    lengths,
    shifts,
    shifts,
    shifts,
    flags,
    st.integers(0, 3),
    clip_bits,
    flags,
    flags,
).map(_encodable)
lookups = st.builds(
    LookupInstruction,
    st.just(SPECS["lut"]),
    destinations,
    sources,
    lengths,
    shifts,
    st.integers(1, 5),
    st.sampled_from((0, 1, 17, 268, 270, 299)),
    st.sampled_from((0, 0, 0, 2)),
    st.integers(0, 2),
)
interpolations = st.builds(
    InterpolateInstruction,
    st.just(SPECS["interp"]),
    destinations,
    st.one_of(
        st.builds(memory, places.map(lambda word: 8 * word + 2), st.just(16)), st.builds(accumulator, rows, st.just(16))
    ),
    lengths,
    shifts,
    shifts,
    shifts,
    flags,
    st.integers(0, 3),
    clip_bits,
    st.sampled_from((0, 3, 44, 44, 45)),
    st.sampled_from((0, 0, 0, 1, 2)),
    st.sampled_from((0, 9, 44)),
    st.sampled_from((0, 0, 0, 1, 3)),
    st.sampled_from((0, 1, 1, 2)),
)
matrices = st.builds(
    MatrixInstruction,
    st.just(SPECS["mac"]),
    in_memory(),
    rows,
    lengths,
    st.integers(1, 24),
    places,
    st.integers(0, 2),
    st.integers(0, 3),
    places,
    flags,
    st.sampled_from((1, 1, 1, 2, 3)),
)


def _control(name: str, register: int, value: int, source: int = 0) -> Instruction:
    return ControlInstruction(SPECS[name], register=register, value=value, source=source)


steps = st.sampled_from((0, 0, 1, 2, 8, 8, 16, 16, -8, 1024, 2**19 - 1))
moves = st.one_of(
    st.builds(_control, st.just("setb"), st.integers(0, 2), steps),
    st.builds(_control, st.just("addb"), st.integers(1, 2), steps),
    st.builds(_control, st.just("movb"), st.integers(1, 2), steps, st.integers(0, 2)),
    st.builds(
        ElementInstruction, st.just(SPECS["ldb"]), in_memory(), st.integers(1, 2), st.sampled_from((0, -4, -10, 3))
    ),
)
kinds = st.sampled_from((vectors,) * 6 + (lookups, interpolations, matrices, matrices, moves))
any_instruction = kinds.flatmap(lambda kind: kind)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A loop around a few instructions (so that a later pass meets what an earlier one has stored), and a branch."""
    body = draw(st.lists(any_instruction, min_size=1, max_size=8))
    skipped = draw(st.lists(any_instruction, max_size=1))
    test = draw(
        st.builds(ElementInstruction, st.sampled_from((SPECS["bez"], SPECS["bnz"])), in_memory(), shift_a=shifts)
    )
    lines = [f"setb register=3 value={draw(st.integers(1, 3))}", "again:", *(line.text() for line in body)]
    lines += [f"{test.text()} target=over", *(line.text() for line in skipped), "over:"]
    return "\n".join([*lines, "loop register=3 target=again", "end"])


def source(text: str, seed: int) -> Source:
    """The program with random memories: zeros, small and large values, so that activations and masks are sparse."""
    dice = random.Random(seed)
    data = bytes(dice.choice((0, 0, 1, 255, dice.randrange(256))) for _ in range(8 * SMALL.dm_words))
    first = [dice.randrange(-(2**15), 2**15) for _ in range(SMALL.tm_bank_words)]
    # Banks 0 and 1 hold copies, 2 and 3 do not.
    tables = {0: first, 1: first, 2: first[::-1], 3: [-value - 1 for value in first]}
    return Source(text, data=data, tables=tables)


def random_source() -> st.SearchStrategy[Source]:
    """A random program with random memories."""
    return st.builds(source, programs(), st.integers(0, 2**16))


def table_banks(made: Any) -> list[list[int]]:
    """The tables of a source as a list of banks."""
    return [list(made.tables[bank]) for bank in range(SMALL.tm_banks)]
