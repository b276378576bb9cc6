"""Right labels and names of classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver.errors import InputError, UsageError
from femtodriver.evaluation.known_labels import KnownLabels, check_classes, check_labels, read_labels


def test_labels_belong_to_clips_and_the_rest_is_told(here: Path) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        Path(name).touch()
    Path("t.csv").write_text("path,label\n./a.wav,yes\nc.wav,no\n")
    found, notes = read_labels("t.csv", ["a.wav", "b.wav"])
    assert found == {"a.wav": "yes"}
    assert notes == (
        "labels: 1 of files that are not among the inputs are not used",
        "labels: 1 of 2 clips have none",
    )
    Path("t.csv").write_text("path,label\ngone.wav,yes\n")
    with pytest.raises(
        InputError, match=r'^t\.csv: line 2: the clip "gone\.wav" must exist; paths start in the folder'
    ):
        read_labels("t.csv", ["a.wav"])


def test_numbers_become_names() -> None:
    labels = KnownLabels(classes=("yes", "no"))
    assert [labels.name(predicted) for predicted in (0, 1, 2, -1, "x", None)] == ["yes", "no", "2", "-1", "x", None]


def test_classes_fit_the_output() -> None:
    check_classes((), 3, "y")
    check_classes(("a", "b"), 2, "y")
    with pytest.raises(UsageError, match=r'^classes: each must be named once, not "a" twice\.$'):
        check_classes(("a", "a"), 2, "y")
    with pytest.raises(UsageError, match=r"must be 3 names"):
        check_classes(("a", "b"), 3, "y")


def test_labels_are_among_the_classes() -> None:
    check_labels({"a.wav": "0", "b.wav": "2"}, (), 3)
    check_labels({"a.wav": "no"}, ("yes", "no"), 2)
    with pytest.raises(InputError, match=r'^labels: a\.wav: must be one of yes, no, not "maybe"\.$'):
        check_labels({"a.wav": "maybe"}, ("yes", "no"), 2)
    with pytest.raises(InputError, match=r'must be one of 0 to 2, not "yes"; name them in the order of the output'):
        check_labels({"a.wav": "yes"}, (), 3)
