"""Patterns, folders, and where the reference of a clip is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from femtodriver.errors import InputError, UsageError
from femtodriver.evaluation.find_clips import Clips, content_digest, find_clips, find_references


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def test_clips_are_sorted_and_others_are_counted(here: Path) -> None:
    touch("c/b.wav", "c/a/z.WAV", "c/a/y.npz", "c/x.npy", "c/notes.txt")
    found = find_clips("c/**/*")
    assert found.paths == ("c/a/y.npz", "c/a/z.WAV", "c/b.wav", "c/x.npy")
    assert found.notes == ("inputs: 1 file of another kind is not used",)
    assert find_clips("c") == found
    assert find_clips("c/*.wav") == Clips(("c/b.wav",), "c")


@pytest.mark.parametrize(
    ("pattern", "root"), [("c/**/*.wav", "c"), ("*/b.wav", ""), ("c/b.wav", "c"), ("c/[b].wav", "c")]
)
def test_the_root_ends_before_the_first_wildcard(here: Path, pattern: str, root: str) -> None:
    touch("c/b.wav")
    assert find_clips(pattern).root == root


def test_nothing_found_is_told_with_what_was(here: Path) -> None:
    touch("c/a.txt")
    with pytest.raises(UsageError, match=r"not only files of other kinds; put it in quotes"):
        find_clips("c/*")
    with pytest.raises(UsageError, match=r"not nothing; put it in quotes"):
        find_clips("d/*")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("clean/{name}.wav", "clean/1.wav"),
        ("clean/{parent}_{name}.wav", "clean/anna_1.wav"),
        ("clean", "clean/anna/1.wav"),
        ("meta/pairs.csv", "meta/../clean/1.wav"),
    ],
)
def test_references_are_found(here: Path, where: str, expected: str) -> None:
    touch("noisy/anna/1.wav", "clean/1.wav", "clean/anna_1.wav", "clean/anna/1.wav", "meta/pairs.csv")
    Path("meta/pairs.csv").write_text("path,reference\n../noisy/anna/1.wav,../clean/1.wav\n")
    clips = find_clips("noisy/**/*.wav")
    assert find_references(where, clips) == {"noisy/anna/1.wav": expected}


def test_a_missing_reference_is_named(here: Path) -> None:
    touch("n/1.wav", "n/2.wav", "c/1.wav")
    with pytest.raises(UsageError, match=r"not 1 of 2; the first without is n/2\.wav \(c/2\.wav\)\.$"):
        find_references("c", find_clips("n/*.wav"))


def test_the_digest_is_that_of_the_content(here: Path) -> None:
    Path("a.wav").write_bytes(b"x" * 3_000_000)
    assert content_digest("a.wav") == (3_000_000, hashlib.sha256(b"x" * 3_000_000).hexdigest())
    with pytest.raises(InputError, match=r"^gone\.wav: the file must exist\.$"):
        content_digest("gone.wav")
