"""The clips that a pattern means, and the clean reference of each."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from femtodriver.errors import InputError, UsageError
from femtodriver.evaluation.csv_table import read_table
from femtodriver.files.file_access import shown_path
from femtodriver.files.file_digest import file_digest
from femtodriver.inputs.open_inputs import MOST_FILE_BYTES, SUFFIXES

_TABLE = ".csv"


@dataclass(frozen=True)
class Clips:
    """``paths``: as the pattern gives them, in order. ``root``: the folder before the first wildcard of the pattern.

    ``notes``: what users should know, one line each.
    """

    paths: tuple[str, ...]
    root: str
    notes: tuple[str, ...] = ()


def find_clips(pattern: str) -> Clips:
    """The ``.wav``, ``.npy`` and ``.npz`` files of a pattern, where ``**`` means folders below each other, or of a
    folder and those below it. UsageError if there are none.
    """
    whole = os.path.join(pattern, "**", "*") if os.path.isdir(pattern) else pattern
    found = sorted({path for path in glob.glob(whole, recursive=True) if os.path.isfile(path)})
    paths = tuple(path for path in found if os.path.splitext(path)[1].lower() in SUFFIXES)
    others = len(found) - len(paths)
    if not paths:
        what = "only files of other kinds" if others else "nothing"
        raise UsageError(
            f"inputs: {shown_path(pattern)}: must match at least one file that ends in {', '.join(SUFFIXES)}, not "
            f"{what}; put it in quotes, as in 'clips/**/*.wav'."
        )
    what = "1 file of another kind is" if others == 1 else f"{others} files of other kinds are"
    notes = (f"inputs: {what} not used",) if others else ()
    return Clips(paths, _root(whole), notes)


def _root(pattern: str) -> str:
    """The folders before the first wildcard."""
    if not glob.has_magic(pattern):
        return os.path.dirname(pattern)
    parts = Path(pattern).parts
    first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    return os.path.join(*parts[:first]) if first else ""


def find_references(where: str, clips: Clips) -> dict[str, str]:
    """The reference of each clip, as a path. UsageError for clips without one, and for references that are not there.

    ``where``: a text with ``{name}`` (the file's name without its ending) or ``{parent}`` (its folder's); a folder, in
    which a reference is where its clip is below the root of the clips; or a table with the columns path and reference,
    whose paths start in the folder of the table.
    """
    if where.lower().endswith(_TABLE):
        found = _from_table(where, clips.paths)
    elif "{name}" in where or "{parent}" in where:
        found = {path: _filled(where, Path(path)) for path in clips.paths}
    else:
        found = {path: os.path.join(where, os.path.relpath(path, clips.root or os.curdir)) for path in clips.paths}
    missing = [path for path in clips.paths if not os.path.isfile(found.get(path, ""))]
    if missing:
        first = missing[0]
        looked = f" ({shown_path(found[first])})" if first in found else ""
        raise UsageError(
            f"references: every clip must have one, not {len(clips.paths) - len(missing)} of {len(clips.paths)}; the "
            f"first without is {shown_path(first)}{looked}."
        )
    return found


def _filled(where: str, path: Path) -> str:
    return where.replace("{name}", path.stem).replace("{parent}", path.parent.name)


def _from_table(table: str, paths: Sequence[str]) -> dict[str, str]:
    by_place = {row.place: row.values["reference"] for row in read_table(table, ("path", "reference"))}
    folder = os.path.dirname(table)
    found = {path: by_place.get(os.path.abspath(path), "") for path in paths}
    return {path: os.path.join(folder, reference) for path, reference in found.items() if reference}


def by_place(paths: Iterable[str]) -> Mapping[str, str]:
    """The paths by what they are from the root of the file system on."""
    return {os.path.abspath(path): path for path in paths}


def content_digest(path: str) -> tuple[int, str]:
    """The number of bytes of a file, and their SHA-256. InputError if it cannot be read."""
    return file_digest(path, MOST_FILE_BYTES, InputError)
