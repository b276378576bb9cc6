"""Damaged files are loaded or refused, nothing else; ``mutants.py`` runs as many as you like."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tflite.measure_reader import outcome
from tests.tflite.mutants import run, seeds
from tests.tflite.real_models import real_models


def test_the_undamaged_files_are_loaded() -> None:
    assert [outcome(data) for data in seeds()] == [("loaded", "")] * len(seeds())


def test_mutants_are_loaded_or_refused() -> None:
    verdicts = run(300, 1, seeds())
    assert set(verdicts) == {"loaded", "refused"}
    assert verdicts.total() == 300


@pytest.mark.slow
def test_many_mutants_are_loaded_or_refused() -> None:
    verdicts = run(19_000, 2, seeds())
    assert verdicts["refused"] > verdicts["loaded"] > 0


@pytest.mark.slow
def test_mutants_of_real_models_are_loaded_or_refused() -> None:
    verdicts = run(1_000, 3, list(real_models().values()))
    assert verdicts["refused"] > 0


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x08\0\0\0TFL3")
@example(b"\x08\0\0\0TFL3\x04\0\0\0\x04\0\x04\0")
def test_any_bytes_are_refused(data: bytes) -> None:
    assert outcome(data[:4] + b"TFL3" + data[4:])[0] == "refused"


@pytest.mark.parametrize("name", [0, 7, 20])
def test_every_cut_file_is_refused(name: int) -> None:
    data = seeds()[name]
    end = len(data.rstrip(b"\0"))  # what follows are zeros of alignment, or of the last string
    kept = [size for size in range(0, end - 8, 3) if outcome(data[:size])[0] != "refused"]
    assert kept == []
