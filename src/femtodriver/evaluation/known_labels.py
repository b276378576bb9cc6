"""What is right for each clip, and what the elements of an output stand for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from femtodriver.errors import InputError, UsageError
from femtodriver.evaluation.csv_table import PATH, read_table
from femtodriver.evaluation.find_clips import by_place
from femtodriver.files.file_access import AnyPath, shown_path
from femtodriver.safe_text import quote

LABEL = "label"
_ADVICE = "name them in the order of the output with --classes"


@dataclass(frozen=True)
class KnownLabels:
    """``of``: the right label by the path of a clip. ``classes``: names by number; () for the numbers themselves."""

    of: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def name(self, predicted: int | str | None) -> str | None:
        """A prediction as a label: names as they are, numbers by ``classes``."""
        if predicted is None or isinstance(predicted, str):
            return predicted
        return self.classes[predicted] if 0 <= predicted < len(self.classes) else str(predicted)


def read_labels(table: AnyPath, paths: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The labels of clips by their paths, and notes. InputError for a label of a file that is not there."""
    clips = by_place(paths)
    found: dict[str, str] = {}
    others = 0
    for row in read_table(table, (PATH, LABEL)):
        if row.place in clips:
            found[clips[row.place]] = row.values[LABEL]
        elif os.path.exists(row.place):
            others += 1
        else:
            raise InputError(
                f"{shown_path(table)}: line {row.line}: the clip {quote(row.values[PATH])} must exist; paths start in "
                "the folder of the table."
            )
    notes = []
    if others:
        notes.append(f"labels: {others} of files that are not among the inputs are not used")
    if len(found) < len(paths):
        notes.append(f"labels: {len(paths) - len(found)} of {len(paths)} clips have none")
    return found, tuple(notes)


def check_classes(classes: Sequence[str], elements: int, output: str) -> None:
    """UsageError unless there is one name for each element of the output, and each is another."""
    if len(set(classes)) != len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        raise UsageError(f"classes: each must be named once, not {quote(twice)} twice.")
    if classes and len(classes) != elements:
        raise UsageError(
            f"classes: must be {elements} names, one for each element of the output {quote(output)}, not "
            f"{len(classes)}."
        )


def check_labels(labels: Mapping[str, str], classes: Sequence[str], elements: int) -> None:
    """InputError for a label that no element of the output stands for."""
    known = set(classes) if classes else {str(number) for number in range(elements)}
    for path, label in labels.items():
        if label not in known:
            names = ", ".join(classes) if classes else f"0 to {elements - 1}"
            raise InputError(
                f"labels: {shown_path(path)}: must be one of {names:.200}, not {quote(label)}"
                f"{'.' if classes else f'; {_ADVICE}.'}"
            )
