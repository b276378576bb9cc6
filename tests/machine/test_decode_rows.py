"""Rows: flat, frozen, and complete enough to execute an instruction without looking at its words again."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass
from enum import Enum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.isa import ISA, Clip, Form, Kind, Spec
from femtodriver.isa.cycles import BankLoad
from femtodriver.machine.data_layout import DataLayout
from femtodriver.machine.decode_rows import decode_rows
from femtodriver.machine.fixed_counts import fixed_counts
from femtodriver.machine.product_events import multiplier_bits, product_event
from femtodriver.machine.rows import (
    ControlRow,
    DecodedRow,
    FaultRow,
    LastStage,
    LookupRow,
    MatrixRow,
    OperandRow,
    TableCopies,
    TransferRow,
    VectorRow,
)
from tests.isa.isa_samples import ALL, example, instructions
from tests.machine.machine_bench import SMALL, assemble

TABLES = np.zeros((SMALL.tm_banks, SMALL.tm_bank_words), np.int64)
LAYOUT = DataLayout.of(SMALL)
NO_BANKS = (0,) * SMALL.dm_banks


def decode(text: str) -> list[DecodedRow]:
    return list(decode_rows(assemble(text)[0], SMALL, TABLES).values())


def only(text: str) -> DecodedRow:
    (row,) = decode(text)
    return row


def test_a_vector_row_has_all_that_an_execution_needs() -> None:
    row = only("vmul a3, [0x10]:i16, #-181 length=24 shift=-12 rounded=1 clip=1 bits=16 spread_b=1 shift_a=-2")
    assert isinstance(row, VectorRow)
    assert (row.pc, row.next_pc, row.spec.name, row.lanes, row.length) == (0, 2, "vmul", 8, 24)
    assert row.dst == OperandRow(Kind.ACC, 3, 64, 0, 24)
    assert row.sources == (OperandRow(Kind.I16, 0x10, 16, 0, 24), OperandRow(Kind.IMM, -181, 64, 0, 1))
    assert row.stage == LastStage(-12, True, Clip.SATURATE, -32768, 32767, 0xFFFF)
    assert (row.shift_a, row.shift_b, row.lane_passes) == (-2, 0, 2)
    events = {"instructions": 1, "im_read": 2, "dm_read": 6, "dm_write": 0, "alu": 24, "mac_16x16": 24, "cycles": 9}
    assert dict(fixed_counts(row, LAYOUT).events) == {**events, "acc_read": 0, "acc_write": 24}
    assert (fixed_counts(row, LAYOUT).bank_reads, fixed_counts(row, LAYOUT).bank_writes) == (
        (3, 3, *NO_BANKS[2:]),
        NO_BANKS,
    )
    assert (row.moving, row.fixed_cycles, row.load) == (False, 3 + 3 * 2, BankLoad(((24, 3),), 1, 2))
    assert row.cycles(BankLoad(((24, 40),))) == 3 + 40 + 1


def test_a_row_that_moves_has_no_fixed_bank_accesses() -> None:
    row = only("vadd [b1+0x10]:i16, [0x100]:i16, a0 length=8")
    assert isinstance(row, VectorRow)
    assert (row.moving, row.fixed_cycles) == (True, 0)
    counts = fixed_counts(row, LAYOUT)
    assert (counts.bank_reads, counts.bank_writes) == (NO_BANKS, NO_BANKS)
    assert row.dst.moving
    assert not any(source.moving for source in row.sources)


def test_a_move_has_one_source() -> None:
    row = only("vpass a1, a2, [0xffff]:i32 length=4")
    assert isinstance(row, VectorRow)
    assert len(row.sources) == 1


def test_a_lookup_row_says_where_its_copies_are() -> None:
    row = only("lut a4, a1 length=9 bits=5 table=7 bank=1 ways=1 shift_a=-3")
    assert isinstance(row, LookupRow)
    assert (row.low, row.high, row.shift_a) == (-16, 15, -3)
    assert row.table == TableCopies(1, 7, 2)


def test_a_matrix_row_has_numbers_where_the_instruction_has_codes() -> None:
    row = only("mac [0x20]:i8 acc=3 columns=12 rows=20 weights=5 width=2 form=1 mask=3 fresh=1")
    assert isinstance(row, MatrixRow)
    assert (row.first, row.groups, row.weight_bits, row.form, row.fresh) == (24, 3, 16, Form.MASKED, True)
    assert (row.scan_words, row.lane_passes, row.product_event, row.products) == (2, 1, "mac_8x16", 1)


def test_transfers_read_or_write_their_words() -> None:
    sent, taken = decode("send address=24 length=3 core=1 target=40\nrecv address=24 length=3")
    assert isinstance(sent, TransferRow)
    assert isinstance(taken, TransferRow)
    assert (sent.pc, taken.pc, sent.first_word, sent.fixed_cycles) == (0, 1, 3, 5)
    out, into = fixed_counts(sent, LAYOUT), fixed_counts(taken, LAYOUT)
    assert out.bank_reads == into.bank_writes == (1, 2, *NO_BANKS[2:])
    assert out.bank_writes == into.bank_reads == NO_BANKS


def test_what_is_no_instruction_and_what_breaks_a_rule_become_faults_in_their_places() -> None:
    words, _ = assemble("vpass #1, a1, #0\nsetb register=0\nend")
    rows = list(decode_rows([63, *words], SMALL, TABLES).values())
    reasons = [row.reason for row in rows[:3] if isinstance(row, FaultRow)]
    assert [row.pc for row in rows] == [0, 1, 3, 4]
    assert reasons == [
        "instruction word 0x000000000000003f: opcode 63 is not in the table.",
        "destination: must be memory or an accumulator, not an immediate.",
        "setb: register must be 1 to 7, not 0: base register 0 is always zero.",
    ]
    assert isinstance(rows[3], ControlRow)


def numbers_only(value: object) -> bool:
    """Whether a value is a number, a text, or a frozen record or tuple of such."""
    if isinstance(value, (int, str, Enum, Spec)):
        return True
    if isinstance(value, tuple):
        return all(numbers_only(entry) for entry in value)
    return is_dataclass(value) and all(numbers_only(getattr(value, entry.name)) for entry in fields(value))


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_rows_are_flat_frozen_and_equal_for_equal_words(spec: Spec) -> None:
    words = example(spec).encode()
    (row,) = decode_rows(words, SMALL, TABLES).values()
    assert numbers_only(row)
    assert row == decode_rows(words, SMALL, TABLES)[0]
    assert hash(row) == hash(decode_rows(words, SMALL, TABLES)[0])
    with pytest.raises(FrozenInstanceError):
        row.pc = 3  # type: ignore[misc]


def test_the_check_for_numbers_can_fail() -> None:
    assert not numbers_only(np.zeros(3))
    assert not numbers_only((1, [2]))
    assert numbers_only(LastStage(1, True, Clip.SATURATE, -8, 7, 15))


@given(st.lists(st.sampled_from(ALL).flatmap(instructions), max_size=5))
def test_rows_follow_each_other_without_a_gap(program: list[object]) -> None:
    words = [word for instruction in program for word in ISA.parse(instruction.text()).encode()]  # type: ignore[attr-defined]
    pc = 0
    for row in decode_rows(words, SMALL, TABLES).values():
        assert row.pc == pc
        assert row.next_pc > pc
        pc = row.next_pc
    assert pc == len(words)


@pytest.mark.parametrize(
    ("small", "large", "event"),
    [(1, 8, ("mac_8x8", 1)), (8, 16, ("mac_8x16", 1)), (8, 64, ("mac_8x16", 4)), (9, 33, ("mac_16x16", 3))],
)
def test_products_of_wide_operands_count_as_several(small: int, large: int, event: tuple[str, int]) -> None:
    assert product_event(small, large) == event


@given(st.integers(-(2**21), 2**21 - 1))
def test_an_immediate_is_as_wide_as_it_must_be(value: int) -> None:
    bits = multiplier_bits(OperandRow(Kind.IMM, value))
    assert -(1 << bits - 1) <= value < 1 << bits - 1
    assert bits == 1 or not -(1 << bits - 2) <= value < 1 << bits - 2
