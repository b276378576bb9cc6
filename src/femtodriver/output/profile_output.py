"""The profile of a run on a terminal, in a pipe, or in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath, shown_path, write_file
from femtodriver.options.profile_requests import ProfileRequest
from femtodriver.output.terminal import print_table, terminal_width
from femtodriver.output.trace_file import check_place
from femtodriver.profile.profile_choices import MODULE
from femtodriver.profile.profile_files import profile_csv, profile_json
from femtodriver.profile.profile_rows import Profile
from femtodriver.profile.profile_text import notes, profile_table, profile_text, title
from femtodriver.profile.profile_view import ProfileView, view_of

_Content = TypeVar("_Content")
_FORMATS: dict[str, Callable[[ProfileView], str]] = {".csv": profile_csv, ".json": profile_json}


def check_profile(request: ProfileRequest) -> None:
    """UsageError for a file that could not be written, or of a format that there is not, and for a depth of nothing."""
    check_format(request.profile_file, "profile_file", _FORMATS)
    if request.depth is not None and request.by != MODULE:
        raise UsageError(f"depth: must be given for a profile by module, not by {request.by}; add --by module.")


def check_format(path: AnyPath | None, option: str, formats: Iterable[str]) -> None:
    """UsageError for a file that could not be written, or whose ending is none of the formats."""
    check_place(path, option)
    if path is not None and Path(path).suffix.lower() not in formats:
        raise UsageError(f"{option}: must end in {' or '.join(formats)}, not be {shown_path(path)}.")


def tell_profile(profile: Profile, request: ProfileRequest, say: Callable[[str], None]) -> None:
    """Show and write what the request asks for. ProgramError where the file cannot be written."""
    view = view_of(profile, request.by, request.sort, request.top, request.depth)
    if request.profile:
        show_profile(view, say)
    if request.profile_file is not None:
        say(write_format(request.profile_file, _FORMATS, view, f"profile by {view.by}"))


def write_format(path: AnyPath, formats: Mapping[str, Callable[[_Content], str]], content: _Content, what: str) -> str:
    """Write a file in the format of its ending; what is told of it. ProgramError where it cannot be written."""
    written = formats[Path(path).suffix.lower()](content).encode("utf-8", "backslashreplace")
    write_file(Path(path), written)
    return f"wrote {shown_path(path)} ({what}, {len(written):,} bytes)"


def show_profile(view: ProfileView, say: Callable[[str], None]) -> None:
    """Show it: as a table that fits the terminal where there is one that is wide enough, else as plain text."""
    width = terminal_width()
    table = profile_table(view, width)
    if width is None or table.width > width:
        say(profile_text(view))
        return
    print_table(title(view), table.head, table.rows, table.left, last_is_sum=True)
    print("\n".join(notes(view, table)))
