"""Files that are asked for beside the model's folder: where they may stand, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath, shown_path, write_file
from femtodriver.options.option import AnyRequest
from femtodriver.options.profile_requests import ProfileRequest
from femtodriver.profile.profile_choices import MODULE

_Content = TypeVar("_Content")
TABLE_ENDINGS = (".csv", ".json")


@dataclass(frozen=True, eq=False)
class Repeated:
    """How a run is repeated. ``request``: its options. ``apart``: whether the model was compiled by a call of its own,
    with options that are not in the request; ``arrays``: whether the inputs were given as arrays."""

    request: AnyRequest
    apart: bool = False
    arrays: bool = False


def check_place(path: AnyPath | None, what: str) -> None:
    """UsageError for a file that could not be written: better known before a long run than after it."""
    if path is None:
        return
    place = Path(path)
    if not place.parent.is_dir() or (place.exists() and not place.is_file()):
        raise UsageError(f"{what}: must be a file in a folder that exists, not {shown_path(path)}.")


def check_format(path: AnyPath | None, option: str, formats: Iterable[str]) -> None:
    """UsageError for a file that could not be written, or whose ending is none of the formats."""
    check_place(path, option)
    if path is not None and Path(path).suffix.lower() not in formats:
        raise UsageError(f"{option}: must end in {' or '.join(formats)}, not be {shown_path(path)}.")


def check_profile(request: ProfileRequest) -> None:
    """UsageError for a file that could not be written, or of a format that there is not, and for a depth of nothing."""
    check_format(request.profile_file, "profile_file", TABLE_ENDINGS)
    if request.depth is not None and request.by != MODULE:
        raise UsageError(f"depth: must be given for a profile by module, not by {request.by}; add --by module.")


def check_quantization_file(path: AnyPath | None) -> None:
    """UsageError for a file that could not be written, or of a format that there is not."""
    check_format(path, "quantization_file", TABLE_ENDINGS)


def write_format(path: AnyPath, formats: Mapping[str, Callable[[_Content], str]], content: _Content, what: str) -> str:
    """Write a file in the format of its ending; what is told of it. ProgramError where it cannot be written."""
    written = formats[Path(path).suffix.lower()](content).encode("utf-8", "backslashreplace")
    write_file(Path(path), written)
    return f"wrote {shown_path(path)} ({what}, {len(written):,} bytes)"
