"""The profile of a run on a terminal, in a pipe, or in a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath, shown_path, write_file
from femtodriver.options.profile_requests import ProfileRequest
from femtodriver.output.trace_file import check_place
from femtodriver.profile.profile_files import profile_csv, profile_json
from femtodriver.profile.profile_rows import Profile
from femtodriver.profile.profile_text import notes, profile_table, profile_text, title
from femtodriver.profile.profile_view import ProfileView, view_of

_FORMATS: dict[str, Callable[[ProfileView], str]] = {".csv": profile_csv, ".json": profile_json}
_EDGES = 2


def check_profile_file(path: AnyPath | None) -> None:
    """UsageError for a file that could not be written, or of a format that there is not."""
    check_format(path, "profile_file", _FORMATS)


def check_format(path: AnyPath | None, option: str, formats: Iterable[str]) -> None:
    """UsageError for a file that could not be written, or whose ending is none of the formats."""
    check_place(path, option)
    if path is not None and Path(path).suffix.lower() not in formats:
        raise UsageError(f"{option}: must end in {' or '.join(formats)}, not be {shown_path(path)}.")


def tell_profile(profile: Profile, request: ProfileRequest, say: Callable[[str], None]) -> None:
    """Show and write what the request asks for. ProgramError where the file cannot be written."""
    view = view_of(profile, request.by, request.sort, request.top)
    if request.profile:
        show_profile(view, say)
    if request.profile_file is not None:
        say(write_profile(request.profile_file, view))


def write_profile(path: AnyPath, view: ProfileView) -> str:
    """Write the profile; what is told of it. ProgramError where the file cannot be written."""
    content = _FORMATS[Path(path).suffix.lower()](view).encode("utf-8", "backslashreplace")
    write_file(Path(path), content)
    return f"wrote {shown_path(path)} (profile by {view.by}, {len(content):,} bytes)"


def show_profile(view: ProfileView, say: Callable[[str], None]) -> None:
    """Show it: as a table that fits the terminal where there is one, else as plain text."""
    if sys.stdout.isatty():
        _print_table(view)
    else:
        say(profile_text(view))


def _print_table(view: ProfileView) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    table = profile_table(view, console.width - _EDGES)
    shown = Table(
        box=box.SIMPLE_HEAD, title=title(view), title_justify="left", title_style="bold", padding=(0, 1, 0, 0)
    )
    for place, name in enumerate(table.head):
        shown.add_column(name, justify="left" if place in table.left else "right", no_wrap=True)
    last = len(table.rows) - 1
    for number, cells in enumerate(table.rows):
        shown.add_row(*(Text(cell) for cell in cells), style="bold" if number == last else None)
    console.print(shown)
    console.print("\n".join(notes(view, table)), markup=False, soft_wrap=True)
