"""Finished clips on the disk: found again, whatever happened to the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver.errors import UsageError
from femtodriver.evaluation.clip_job import ClipResult
from femtodriver.evaluation.clip_journal import ClipJournal, other_bases

ONE = ClipResult("a", 1, "s1", frames=3, scores=(1.5, -2.0), differences={"fqir": None}, predicted=1)
TWO = ClipResult("b", 1, "s2", "r2", frames=3)
BAD = ClipResult("c", 1, "s3", error="no")


def test_results_come_back_in_any_order_and_the_last_one_counts(here: Path) -> None:
    with ClipJournal(here, "id", {"model": "m"}) as journal:
        for result in (ONE, TWO, BAD, ClipResult("a", 2, "s4")):
            journal.add(result)
    with ClipJournal(here, "id", {"model": "m"}) as journal:
        assert [*journal.results(["b", "gone", "a"])] == [TWO, ClipResult("a", 2, "s4")]
        assert journal.finished("b", "s2", "r2")
        assert not journal.finished("b", "s2", None)
        assert not journal.finished("a", "s1", None)
        assert not journal.finished("c", "s3", None)
        assert (journal.failed("c"), journal.failed("b"), "gone" in journal) == (True, False, False)


@pytest.mark.parametrize("cut", [1, 20, 300])
def test_a_line_that_was_cut_off_is_forgotten_and_the_next_one_is_whole(here: Path, cut: int) -> None:
    with ClipJournal(here, "id", {}) as journal:
        journal.add(ONE)
        journal.add(TWO)
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-cut])
    with ClipJournal(here, "id", {}) as journal:
        assert [*journal.results("ab")] == [ONE]
        journal.add(TWO)
    assert journal.path.read_bytes() == content


def test_two_at_a_time_are_refused(here: Path) -> None:
    with ClipJournal(here / "journal", "id", {}), pytest.raises(UsageError, match="one evaluation at a time"):
        ClipJournal(here / "journal", "id", {})


def test_other_journals_say_what_they_are_of(here: Path) -> None:
    assert other_bases(here / "gone", "id") == []
    for identity in ("id", "other"):
        with ClipJournal(here, identity, {"model": identity}):
            pass
    Path("junk.jsonl").write_bytes(b"junk\n")
    assert other_bases(here, "id") == [{"model": "other"}]
