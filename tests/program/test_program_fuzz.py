"""A small run of the fuzzer; ``python -m tests.program.program_fuzz 1000000`` runs more."""

import pytest

from tests.program.program_fuzz import readers, run


@pytest.mark.slow
def test_mutants_are_read_or_refused() -> None:
    tallies = run(4500, seed=1)
    assert set(tallies) == set(readers())
    for name, tally in tallies.items():
        assert tally.refused > 0, name
        assert len(tally.messages) > 1, name


def test_the_unchanged_files_are_read() -> None:
    for reader, good in readers().values():
        reader(good)
