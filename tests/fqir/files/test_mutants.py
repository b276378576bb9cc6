"""Damaged files load or are refused, nothing else; ``mutants.py`` runs as many as you like."""

from __future__ import annotations

import random

import pytest

from tests.fqir.files.mutants import mutant, run, seeds, verdict


def test_the_undamaged_files_load() -> None:
    assert [verdict(data) for data in seeds()] == ["loaded"] * len(seeds())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mutants_load_or_are_refused(seed: int) -> None:
    verdicts = run(250, seed)
    assert set(verdicts) == {"loaded", "refused"}
    assert verdicts["refused"] > verdicts["loaded"] > 0


def test_mutants_differ_from_their_source() -> None:
    good = seeds()[0]
    changed = [mutant(random.Random(seed), good) for seed in range(50)]
    assert sum(one != good for one in changed) > 40
    assert all(verdict(one) in ("loaded", "refused") for one in changed)
