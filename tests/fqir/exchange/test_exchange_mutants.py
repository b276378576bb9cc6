"""Damaged files are loaded or refused, nothing else; ``mutants.py`` runs as many as you like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fqir.exchange.fqir_samples import DATA, sample, sealed, written
from tests.fqir.exchange.mutants import outcome, run


def test_the_undamaged_file_is_loaded() -> None:
    assert outcome(written(sample())) == "loaded"


def test_mutants_are_loaded_or_refused() -> None:
    assert set(run(200, 1)) <= {"loaded", "refused"}


@pytest.mark.slow
def test_many_mutants_are_loaded_or_refused() -> None:
    verdicts = run(4_000, 2)
    assert set(verdicts) == {"loaded", "refused"}
    assert verdicts["refused"] > verdicts["loaded"] > 100


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert outcome(data) == "refused"
    assert outcome(sealed(data, DATA)) == "refused"


def test_every_cut_file_is_refused() -> None:
    whole = written(sample())
    assert {outcome(whole[:size]) for size in range(0, len(whole), 7)} == {"refused"}
