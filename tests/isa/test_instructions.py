"""What each row of the table says about itself is true of its meaning and of its family."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.isa import SPECS, Result, Spec
from tests.isa.isa_samples import ALL, FAMILY_OF, field_names

int64 = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2)
VECTORS = [spec for spec in ALL if spec.meaning is not None]
SOURCES = {"a", "b", "x"}


def result(spec: Spec, a: int, b: int) -> int:
    assert spec.meaning is not None
    with np.errstate(over="ignore"):
        return int(spec.meaning(np.array([a], np.int64), np.array([b], np.int64))[0])


@pytest.mark.parametrize("spec", VECTORS, ids=lambda spec: spec.name)
@given(a=int64, b=int64)
def test_results_are_of_the_stated_kind(spec: Spec, a: int, b: int) -> None:
    allowed = {Result.TRUTH: {0, 1}, Result.OPERAND: {a, b} if spec.reads > 1 else {a}}
    assert spec.result in (*allowed, Result.NUMBER)
    assert result(spec, a, b) in allowed.get(spec.result, {result(spec, a, b)})


@given(a=int64, b=int64, other=int64)
def test_only_instructions_that_read_two_operands_look_at_the_second(a: int, b: int, other: int) -> None:
    one = [spec for spec in VECTORS if spec.reads == 1]
    assert one
    assert all(result(spec, a, b) == result(spec, a, other) for spec in one)


@pytest.mark.parametrize("spec", [spec for spec in VECTORS if spec.reads == 2], ids=lambda spec: spec.name)
def test_instructions_that_read_two_operands_look_at_both(spec: Spec) -> None:
    values = range(-2, 3)
    assert any(result(spec, a, b) != result(spec, a, 0) for a in values for b in values)
    assert any(result(spec, a, b) != result(spec, 0, b) for a in values for b in values)


def test_kinds_of_result_that_are_wider_than_they_must_be_are_noticed() -> None:
    values = range(-3, 4)
    for spec in VECTORS:
        found = {(a, b): result(spec, a, b) for a in values for b in values}
        if spec.result is Result.NUMBER:
            assert any(value not in (a, b) for (a, b), value in found.items())
            assert set(found.values()) - {0, 1}


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_an_instruction_reads_the_operands_of_its_family_that_it_uses(spec: Spec) -> None:
    sources = [name for name in field_names(spec) if name in SOURCES]
    ignored = 1 if spec.is_move else 0  # the second operand of a move may be anything
    assert spec.reads == len(sources) - ignored


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_what_is_left_behind_follows_from_the_fields(spec: Spec) -> None:
    names = {entry.name for entry in fields(FAMILY_OF[spec.name])}
    elements = spec.result in (Result.TRUTH, Result.OPERAND, Result.NUMBER)
    assert elements == bool(names & {"dst", "acc"})
    assert (spec.result is Result.REGISTER) == ("register" in field_names(spec))


def test_the_only_plain_move_is_the_one_that_copies() -> None:
    assert [spec.name for spec in ALL if spec.is_move] == ["vpass"]
    assert [spec.name for spec in ALL if spec.multiplies] == ["vmul", "vmac", "vscale"]


def test_only_recv_stores_words() -> None:
    assert [spec.name for spec in ALL if spec.result is Result.WORDS] == ["recv"]
    assert SPECS["send"].result is Result.NONE
