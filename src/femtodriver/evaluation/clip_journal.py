"""The results of clips as they finish, so that no work is lost: one line of JSON for each, in one file.

A Parquet file cannot be read before its last byte is written; a line can, whatever becomes of the process that wrote
it. The first line says what the results depend on (model, options); results of another job have a file of their own. A
clip that stands there twice counts as it stood last.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from femtodriver.errors import ProgramError, UsageError
from femtodriver.evaluation.clip_job import ClipResult
from femtodriver.files.file_access import open_file, reason_of, shown_path

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

ENDING = ".jsonl"
_MOST_BYTES = 1 << 40
Basis = Mapping[str, object]
"""What results depend on, but for the clip: plain data."""


@dataclass(frozen=True)
class _Place:
    """Where the line of a clip begins, and what a clip must be for it to count."""

    start: int
    sha256: str | None
    reference_sha256: str | None
    outputs_sha256: str | None
    failed: bool


class ClipJournal:
    """The journal of one job. Use it with ``with``; one process at a time.

    ``basis``: what its results depend on. Raises ProgramError where the file cannot be written, and UsageError where
    another process is at it.
    """

    def __init__(self, folder: Path, identity: str, basis: Basis) -> None:
        self.path = folder / f"{identity}{ENDING}"
        self._places: dict[str, _Place] = {}
        self._end = 0
        with _told(self.path):
            folder.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = open(self.path, "a+b", buffering=0)  # noqa: SIM115 (as long as the journal)
            self._lock()
        self._read()
        if not self._end:
            self._append({"basis": dict(basis)})

    def __enter__(self) -> ClipJournal:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, result: ClipResult) -> None:
        """One more clip has finished."""
        start = self._end
        self._append(asdict(result))
        self._places[result.name] = _place(start, vars(result))

    def finished(self, name: str, sha256: str | None, reference_sha256: str | None) -> bool:
        """Whether there is a result of this clip with this content, and it did not fail."""
        place = self._places.get(name)
        if place is None or place.failed:
            return False
        return (place.sha256, place.reference_sha256) == (sha256, reference_sha256)

    def failed(self, name: str) -> bool:
        """Whether the last result of this clip is a failure."""
        return name in self._places and self._places[name].failed

    def outputs_sha256(self, name: str) -> str | None:
        """The digest of the file in which the outputs of this clip were kept; None if they were not."""
        place = self._places.get(name)
        return None if place is None else place.outputs_sha256

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def results(self, names: Iterable[str]) -> Iterator[ClipResult]:
        """The results of these clips, in that order; those that there are none of are left out."""
        with open_file(self.path, _MOST_BYTES) as file:
            for name in names:
                place = self._places.get(name)
                if place is not None:
                    file.seek(place.start)
                    yield _result(json.loads(file.readline()))

    def _append(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"
        with _told(self.path):
            self._file.write(line)
        self._end += len(line)

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise UsageError(
                f"{shown_path(self.path.parent.parent)}: must be the folder of one evaluation at a time, but another "
                "one runs; choose another --output-dir."
            ) from None

    def _read(self) -> None:
        """Find the lines that are whole; the rest of one that was cut off is removed."""
        self._file.seek(0)
        with open_file(self.path, _MOST_BYTES) as file:
            for line in file:
                entry = _entry(line)
                if entry is None:
                    break
                if "basis" not in entry:
                    self._places[entry["name"]] = _place(self._end, entry)
                self._end += len(line)
        with _told(self.path):
            self._file.truncate(self._end)


def other_bases(folder: Path, identity: str) -> list[Basis]:
    """What the journals of other jobs in the folder are of, the latest first."""
    if not folder.is_dir():
        return []
    paths = [path for path in folder.iterdir() if path.suffix == ENDING and path.stem != identity]
    paths.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    return [basis for path in paths if (basis := _basis(path)) is not None]


def _basis(path: Path) -> Basis | None:
    with open_file(path, _MOST_BYTES) as file:
        entry = _entry(file.readline())
    basis = entry.get("basis") if entry else None
    return basis if isinstance(basis, dict) else None


def _entry(line: bytes) -> dict[str, Any] | None:
    """The entry of a line; None for one that is cut off or damaged."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    is_whole = isinstance(entry, dict) and ("basis" in entry or isinstance(entry.get("name"), str))
    return entry if is_whole else None


def _place(start: int, entry: Mapping[str, Any]) -> _Place:
    clip, reference, outputs = (entry.get(name) for name in ("sha256", "reference_sha256", "outputs_sha256"))
    return _Place(start, clip, reference, outputs, entry.get("error") is not None)


def _result(entry: Mapping[str, Any]) -> ClipResult:
    return ClipResult(**{**entry, "scores": tuple(entry["scores"])})


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Around calls that write: what the system says about them is reported in one sentence."""
    try:
        yield
    except OSError as error:
        raise ProgramError(
            f"{shown_path(path)}: cannot be written: {reason_of(error)}; choose another --output-dir."
        ) from None
