"""What an inspection finds: sections of facts, and problems. docs/inspect.md has the sections of each kind of file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from femtodriver.errors import FemtoError

SCHEMA = 1
MOST_PROBLEMS = 200
Facts = Mapping[str, Any]
Section = Facts | Sequence[Facts]
"""Facts by name, or rows of a table."""


@dataclass(frozen=True)
class Problem:
    """``severity`` is "error" (the file is damaged or contradicts itself) or "note" (odd, but harmless)."""

    severity: str
    text: str


@dataclass(frozen=True)
class Report:
    """What a file holds.

    ``kind``: femto, zip, directory, image, apb, recording, metadata, iospec, network or tflite. ``origin``: "open-spu"
    or "foreign", None where the question has no meaning. ``encrypted``: None where the file does not say.
    """

    file: str
    kind: str
    size: int | None
    origin: str | None
    encrypted: bool | None
    sections: Mapping[str, Section]
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether no error was found."""
        return not any(problem.severity == "error" for problem in self.problems)


@dataclass
class Findings:
    """A report in the making. ``where`` is the file, whose name is left out of the problems' texts."""

    where: str
    kind: str
    size: int | None = None
    origin: str | None = None
    encrypted: bool | None = None
    sections: dict[str, Section] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def error(self, text: str) -> None:
        """Add an error; each is reported once."""
        self._add("error", text)

    def note(self, text: str) -> None:
        """Add an oddity that is no damage."""
        self._add("note", text)

    @contextlib.contextmanager
    def collecting(self) -> Iterator[None]:
        """Errors of ours inside become problems."""
        try:
            yield
        except FemtoError as error:
            self.error(str(error))

    def report(self) -> Report:
        """The report."""
        return Report(
            self.where, self.kind, self.size, self.origin, self.encrypted, self.sections, tuple(self.problems)
        )

    def _add(self, severity: str, text: str) -> None:
        problem = Problem(severity, text.replace(f"{self.where}: ", "", 1))
        if problem not in self.problems and len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
